/**
 * Values put into texts, the way a language writes them.
 *
 *     fill('Sent to {phone}', { phone })
 *     duration(90_000, 'en')     // '2 minutes'
 *     timer(24_000, 'en')        // '0:24'
 */
import type { Transaction } from '../../server/contract.ts';
import type { Plural } from './messages.ts';

export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

export function fillCount(plural: Plural, count: number, locale: string): string {
  const text = plural[new Intl.PluralRules(locale).select(count)] ?? plural.other;
  return fill(text, { count: new Intl.NumberFormat(locale).format(count) });
}

/** Keeps a number's own left-to-right order inside a right-to-left sentence (UAX #9 isolates). */
export const isolate = (text: string) => `\u2066${text}\u2069`;

/** For sentences: whole seconds below a minute, else minutes or hours, rounded up so that nobody comes early. */
export function duration(ms: number, locale: string): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  const [unit, amount] =
    seconds < 60
      ? ['second', seconds]
      : seconds < 3600
        ? ['minute', Math.ceil(seconds / 60)]
        : ['hour', Math.ceil(seconds / 3600)];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(amount);
}

/** For a countdown: minutes and seconds. */
export function timer(ms: number, locale: string): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const number = new Intl.NumberFormat(locale, { useGrouping: false });
  const twoDigits = new Intl.NumberFormat(locale, { minimumIntegerDigits: 2 });
  return isolate(`${number.format(Math.floor(seconds / 60))}:${twoDigits.format(seconds % 60)}`);
}

/** Never fewer decimals than were approved: rounding would show another amount. */
export function money({ amount, currency }: Transaction, locale: string): string {
  const options: Intl.NumberFormatOptions = { style: 'currency', currency };
  const { maximumFractionDigits = 2 } = new Intl.NumberFormat(locale, options).resolvedOptions();
  const given = amount.split('.')[1]?.length ?? 0;
  options.maximumFractionDigits = Math.max(given, maximumFractionDigits);
  return new Intl.NumberFormat(locale, options).format(isDecimal(amount) ? amount : Number(amount));
}

/** Decimal strings are formatted exactly; a float would lose cents above 15 digits. */
const isDecimal = (text: string): text is `${number}` => /^\d+(\.\d+)?$/.test(text);
