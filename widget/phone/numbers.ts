/**
 * What a person typed, pasted or had filled in as a phone number.
 *
 *     readNumber('tel:+44 (0)7400 123456')   // { international: true, digits: '447400123456' }
 *     readNumber('0044 7400 123456')         // the same
 *     readNumber('٠٦ ١٢٣٤ ٥٦٧٨')              // { international: false, digits: '0612345678' }
 *
 * It only tidies. Whether a number exists and may get a message is decided by the server, which has
 * the metadata of every country.
 */
import { plainText } from '../digits.ts';
import { callingCodeAtStart } from './countries.ts';

export type WrittenNumber = {
  /** Began with `+` or `00`: its calling code decides the country, whatever the picker says. */
  international: boolean;
  /** ASCII digits; an international number's begin with its calling code. */
  digits: string;
};

/** Digits and what people put between them. Slashes and dots are in use in Germany, Austria and Belgium. */
const candidates = /[+\d(][\d\s().\-\u2010-\u2015/]*/g;

export function readNumber(text: string): WrittenNumber {
  // `tel:+31-6…;ext=1` (RFC 3966): parameters are not part of the number.
  const plain = plainText(text).replace(/;.*$/s, '');
  const longest = (plain.match(candidates) ?? []).reduce(
    (best, candidate) => (countDigits(candidate) > countDigits(best) ? candidate : best),
    '',
  );
  const international = /^\(?\s*(\+|00)/.test(longest);
  if (!international) return { international, digits: onlyDigits(longest) };
  // '+44 (0)7400 …': the trunk zero in brackets is dialled at home only.
  const digits = onlyDigits(longest.replace(/\(\s*0\s*\)/, '')).replace(/^00/, '');
  return { international, digits };
}

/** As it goes to the server: `+` and digits, or the digits alone for the server to read with the country. */
export function writeNumber({ international, digits }: WrittenNumber): string {
  return international && digits ? `+${digits}` : digits;
}

/** The shortest mobile numbers in use have four national digits (Niue). */
const shortestNational = 4;

/** What is plainly wrong before asking anybody; null when the server should decide. */
export function faultOf({
  international,
  digits,
}: WrittenNumber): 'phone-missing' | 'phone-too-short' | null {
  if (!digits) return 'phone-missing';
  const callingCode = international ? (callingCodeAtStart(digits) ?? '') : '';
  return digits.length - callingCode.length < shortestNational ? 'phone-too-short' : null;
}

const onlyDigits = (text: string) => text.replace(/\D/g, '');
const countDigits = (text: string) => onlyDigits(text).length;
