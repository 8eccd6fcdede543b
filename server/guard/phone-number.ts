/**
 * From what a person typed to an E.164 number that can receive a text message.
 *
 *     const number = parsePhone('06 1234 5678', 'NL');   // { e164: '+31612345678', country: 'NL', … }
 *     assertReachable(number, { countries: ['NL', 'BE'] });
 *
 * libphonenumber-js with its full metadata decides; on top stand the ranges it calls mobile although
 * no verification should ever be sent there.
 */
import { isSupportedCountry, type PhoneNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { Problem } from '../problem.ts';

export type ParsedPhone = {
  e164: string;
  /** ISO 3166-1 alpha-2; null for a global range such as +883. */
  country: string | null;
  type: NumberType;
  /** See `maskPhone`. */
  masked: string;
};

type NumberType = NonNullable<ReturnType<PhoneNumber['getType']>> | 'SATELLITE' | 'UNKNOWN';

/**
 * Numbers that can take a text message. `FIXED_LINE_OR_MOBILE` is what the plan says where both share
 * ranges (all of +1). `PERSONAL_NUMBER`, `VOIP`, `PAGER`, `UAN`, premium and shared-cost are out: they
 * cost the caller, forward elsewhere, or do not receive at all.
 */
const reachableTypes: ReadonlySet<NumberType> = new Set(['MOBILE', 'FIXED_LINE_OR_MOBILE']);

/**
 * Country codes that metadata lists as mobile but that are satellite and other global networks
 * (ITU-T E.164 assigned country codes): a message there costs many times the usual price.
 */
const satelliteCallingCodes: ReadonlySet<string> = new Set([
  '870',
  '881',
  '882',
  '883',
  '888',
  '878',
  '979',
  '991',
]);

/** The longest written form worth reading: 15 digits (ITU-T E.164) with generous punctuation. */
const MAX_WRITTEN_LENGTH = 64;

/** Decimal digits of every script (Unicode Nd) as ASCII digits; compatibility forms folded (NFKC). */
export function foldDigits(text: string): string {
  return text.normalize('NFKC').replace(/\p{Nd}/gu, (digit) => {
    const point = digit.codePointAt(0) ?? 0;
    if (point < 0x80) return digit;
    // Digits of a script stand in runs of ten; count back to where the run begins.
    let zero = point;
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
    return String((point - zero) % 10);
  });
}

/**
 * @param written any customary written form; with a leading `+` (or `00`) the country is ignored
 * @param country ISO 3166-1 alpha-2 for national forms
 * @throws Problem `invalid-phone`
 */
export function parsePhone(written: string, country?: string): ParsedPhone {
  if (written.length > MAX_WRITTEN_LENGTH) throw new Problem('invalid-phone');
  // Contact apps wrap numbers in invisible marks of direction.
  const text = foldDigits(written)
    .replace(/\p{Cf}/gu, '')
    .replace(/^\s*tel:/i, '')
    .trim();
  // `00` means abroad nearly everywhere, and a person who typed it means it whatever country is selected.
  const abroad = /^\(?00\)?[\s\p{Pd}]*(?=[1-9])/u;
  const international = abroad.test(text) ? read(text.replace(abroad, '+')) : undefined;
  const found = international ?? read(text, country);
  if (!found) throw new Problem('invalid-phone');
  const { number, type } = found;
  const isSatellite = satelliteCallingCodes.has(number.countryCallingCode);
  return {
    e164: number.number,
    country: number.country ?? null,
    type: isSatellite ? 'SATELLITE' : (type ?? 'UNKNOWN'),
    masked: maskOf(number),
  };
}

function read(
  text: string,
  country?: string,
): { number: PhoneNumber; type: ReturnType<PhoneNumber['getType']> } | undefined {
  const defaultCountry =
    country !== undefined && isSupportedCountry(country) ? { defaultCountry: country } : {};
  const number = parsePhoneNumberFromString(text, { ...defaultCountry, extract: false });
  if (!number || number.ext) return undefined;
  // What has a type is valid; only for the rest has the plan to be asked again.
  const type = number.getType();
  return type !== undefined || number.isValid() ? { number, type } : undefined;
}

/** @throws Problem `number-type-not-allowed`, `country-not-allowed` */
export function assertReachable(
  phone: ParsedPhone,
  { countries }: { countries: readonly string[] | null },
): void {
  if (!reachableTypes.has(phone.type)) {
    throw new Problem('number-type-not-allowed', { numberType: wireName(phone.type) });
  }
  const isAllowed = countries === null || (phone.country !== null && countries.includes(phone.country));
  if (!isAllowed) throw new Problem('country-not-allowed', { country: phone.country });
}

/** `FIXED_LINE` → `fixed-line`. */
const wireName = (type: NumberType) => type.toLowerCase().replaceAll('_', '-');

const HIDDEN = '••••';

/**
 * `+31612345678` → `+31 6 •••• 5678`: the country, enough of the number to recognise one's own, and
 * nothing that identifies it to anybody else.
 */
export function maskPhone(e164: string): string {
  const number = parsePhoneNumberFromString(e164);
  return number ? maskOf(number) : `${HIDDEN} ${e164.slice(-2)}`;
}

function maskOf({ countryCallingCode, nationalNumber }: PhoneNumber): string {
  // Short numbers show less: never more than half of the digits.
  if (nationalNumber.length < 9) return `+${countryCallingCode} ${HIDDEN} ${nationalNumber.slice(-2)}`;
  return `+${countryCallingCode} ${nationalNumber.slice(0, 1)} ${HIDDEN} ${nationalNumber.slice(-4)}`;
}
