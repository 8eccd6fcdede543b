/**
 * A number as it may stand on a result page, recognisable to its owner and useless to a passer-by.
 *
 *     maskPhone('+31612345678')  // '+31 6 •••• 5678'
 */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

export function maskPhone(e164: string): string {
  const number = parsePhoneNumberFromString(e164);
  if (!number) return '••••';
  const national = number.nationalNumber;
  return `+${number.countryCallingCode} ${national.slice(0, 1)} •••• ${national.slice(-4)}`;
}
