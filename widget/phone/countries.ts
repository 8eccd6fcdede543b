/**
 * Countries and their calling codes: what the picker offers and what a leading `+` means.
 *
 *     callingCodeOf('NL')                        // '31'
 *     countryOfNumber('447400123456', 'JE')      // 'JE': shares +44, so the person's choice stands
 *     nameCountries(['NL', 'BE'], 'nl')          // [{ country: 'BE', name: 'België' }, …]
 */
import { callingCodeTable } from './data/countries.ts';

const callingCodes = new Map<string, string>();
const countriesByCallingCode = new Map<string, string[]>();

for (const [, callingCode = '', joined = ''] of callingCodeTable.matchAll(/(\d+)(\D+)/g)) {
  const countries = joined.match(/../g) ?? [];
  countriesByCallingCode.set(callingCode, countries);
  for (const country of countries) callingCodes.set(country, callingCode);
}

/** Every country with a calling code of its own or shared, ISO 3166-1 alpha-2. */
export const allCountries: readonly string[] = [...callingCodes.keys()];

/** Digits without `+`; undefined for what is no country we know. */
export const callingCodeOf = (country: string): string | undefined => callingCodes.get(country);

/** The calling code at the start of an international number. No code is the beginning of another (ITU-T E.164). */
export function callingCodeAtStart(digits: string): string | undefined {
  return [3, 2, 1].map((length) => digits.slice(0, length)).find((code) => countriesByCallingCode.has(code));
}

/**
 * The country an international number (digits without `+`) belongs to, as far as its calling code
 * tells: `chosen` if it shares the code, else the first allowed country that has it, the main one first.
 */
export function countryOfNumber(
  digits: string,
  chosen: string | null,
  allowed: readonly string[] = allCountries,
): string | undefined {
  const callingCode = callingCodeAtStart(digits);
  if (!callingCode) return undefined;
  if (chosen && callingCodes.get(chosen) === callingCode) return chosen;
  return countriesByCallingCode.get(callingCode)?.find((country) => allowed.includes(country));
}

/** The first of `guesses` that is allowed, else the first allowed country. */
export function chooseCountry(
  guesses: readonly (string | null | undefined)[],
  allowed: readonly string[],
): string | null {
  const guess = guesses.find((country) => country && allowed.includes(country));
  return guess ?? allowed[0] ?? null;
}

/** The regions that BCP 47 tags name (`nl-BE` → `BE`), then those they most likely mean (`nl` → `NL`). */
export function regionsOf(locales: readonly string[]): (string | undefined)[] {
  const tags = locales.flatMap((locale) => {
    try {
      return [new Intl.Locale(locale)];
    } catch {
      return [];
    }
  });
  return [...tags.map((tag) => tag.region), ...tags.map((tag) => tag.maximize().region)];
}

export type NamedCountry = { country: string; name: string };

/**
 * The countries with their names in a language, in that language's order. The first
 * `Intl.DisplayNames` of a page is slow: call it when the picker is first touched, not before.
 */
export function nameCountries(countries: readonly string[], locale: string): readonly NamedCountry[] {
  const key = `${locale} ${countries.join()}`;
  if (named?.key !== key) {
    const names = new Intl.DisplayNames([locale, 'en'], { type: 'region' });
    const { compare } = new Intl.Collator([locale, 'en']);
    const list = countries
      .map((country) => ({ country, name: names.of(country) ?? country }))
      .sort((a, b) => compare(a.name, b.name));
    named = { key, list };
  }
  return named.list;
}

/** Asked for on every drawing, and nearly always for the same. */
let named: { key: string; list: readonly NamedCountry[] } | undefined;
