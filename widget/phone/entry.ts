/**
 * The number as a person enters it: what was typed, and for which country.
 *
 *     const entry = new NumberEntry();
 *     entry.offer({ allowed: ['NL', 'BE'], guesses: ['NL'] });
 *     entry.type('+32 470 12 34 56');     // entry.country is now 'BE'
 */
import { allCountries, callingCodeOf, chooseCountry, countryOfNumber } from './countries.ts';
import { readNumber, type WrittenNumber } from './numbers.ts';

export class NumberEntry {
  /** As typed: never rewritten under the person's hands. */
  typed = '';
  /** Chosen in the picker or by a calling code; null while the country is our guess. */
  chosen: string | null = null;
  #allowed: readonly string[] = allCountries;
  #guess: string | null = null;

  /** Which countries there are to choose from, and the likeliest first. */
  offer({
    allowed,
    guesses,
  }: {
    allowed: readonly string[];
    guesses: readonly (string | null | undefined)[];
  }): void {
    this.#allowed = allowed;
    this.#guess = chooseCountry(guesses, allowed);
    this.#followCallingCode();
  }

  type(text: string): void {
    this.typed = text;
    this.#followCallingCode();
  }

  clear(): void {
    this.typed = '';
    this.chosen = null;
  }

  get number(): WrittenNumber {
    return readNumber(this.typed);
  }

  get country(): string | null {
    return this.chosen && this.#allowed.includes(this.chosen) ? this.chosen : this.#guess;
  }

  get countries(): readonly string[] {
    return this.#allowed;
  }

  #followCallingCode(): void {
    const { international, digits } = this.number;
    if (!international) return;
    this.chosen = countryOfNumber(digits, this.country, this.#allowed) ?? this.chosen;
  }
}

/** The countries a tag and its site both allow, in the tag's order if it names any. */
export function allowedCountries(
  attribute: string | null | undefined,
  configured: readonly string[] | undefined,
): readonly string[] {
  const known = (configured ?? allCountries).filter((country) => callingCodeOf(country));
  const named = attribute?.toUpperCase().match(/[A-Z]{2}/g);
  return named ? named.filter((country) => known.includes(country)) : known;
}
