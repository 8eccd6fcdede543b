/**
 * Money as an SMS can carry it.
 *
 *     formatAmount({ amount: '1250.00', currency: 'EUR' }, 'en');   // '€1,250.00'
 *
 * Exactly the amount that was asked for, digit by digit: what the person reads is what the proof says.
 */
import { isGsm7 } from './segments.ts';

/** `amount` is a decimal string, `currency` an ISO 4217 code, `locale` a BCP 47 tag that Intl knows. */
export function formatAmount(
  { amount, currency }: { amount: string; currency: string },
  locale: string,
): string {
  // A sign such as ₹ or ₫ would make the whole message UCS-2, at less than half the room: its code then says the same.
  const written = format(amount, currency, locale, 'symbol');
  return isGsm7(written) ? written : format(amount, currency, locale, 'code');
}

function format(
  amount: string,
  currency: string,
  locale: string,
  currencyDisplay: 'symbol' | 'code',
): string {
  if (!isDecimal(amount)) return `${currency} ${amount}`;
  const style = { style: 'currency', currency, currencyDisplay } as const;
  const customary = new Intl.NumberFormat(locale, style).resolvedOptions().minimumFractionDigits ?? 0;
  const given = amount.split('.')[1]?.length ?? 0;
  const formatted = new Intl.NumberFormat(locale, {
    ...style,
    minimumFractionDigits: customary,
    // Never rounded: a thousandth of a euro that is signed is also shown.
    maximumFractionDigits: Math.max(customary, given),
    // As a string, not a number: doubles are exact to some 15 digits only.
  }).format(amount);
  // Intl separates by (narrow) no-break spaces and marks directions; GSM-7 has neither.
  return formatted.replace(/\p{Zs}/gu, ' ').replace(/\p{Cf}/gu, '');
}

const isDecimal = (amount: string): amount is `${number}` => /^\d+(\.\d+)?$/.test(amount);
