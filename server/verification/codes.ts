/**
 * One-time codes: derived, never stored.
 *
 *     const seed = randomBytes(SEED_BYTES);
 *     const code = deriveCode(secret, seed, 'vrf_…', { length: 6, alphabet: 'numeric' });
 *     const typed = readCode(' 123-456 ', shape);          // '123456', or undefined: no code at all
 *     const isRight = typed !== undefined && isSameCode(typed, code);
 *
 * The code is a keyed function of the verification's seed, so that a leaked database holds none, and a
 * resend or another provider delivers the same one again.
 */
import { timingSafeEqual } from 'node:crypto';
import type { CodeAlphabet, CodeShape } from '../contract.ts';
import { foldDigits } from '../guard/phone-number.ts';
import type { Secret } from '../secrets.ts';

export const SEED_BYTES = 16;

/**
 * `alphanumeric` has one of each pair that is mistaken for the other (no 0, O, 1, I, L, 5, S, Z, B, N, U)
 * and no vowel, so that no word can appear. 23 symbols: six of them are worth 27 bits, six digits 20.
 */
export const alphabets: Record<CodeAlphabet, string> = {
  numeric: '0123456789',
  alphanumeric: '2346789CDFGHJKMPQRTVWXY',
};

/**
 * Unbiased by rejection: a byte that would favour the first symbols is skipped, and further blocks are
 * drawn when one runs out.
 */
export function deriveCode(
  secret: Secret,
  seed: Uint8Array,
  verificationId: string,
  shape: CodeShape,
): string {
  const symbols = alphabets[shape.alphabet];
  const fairBelow = 256 - (256 % symbols.length);
  let code = '';
  for (let block = 0; code.length < shape.length; block += 1) {
    for (const byte of secret.mac('code', seed, verificationId, Uint8Array.of(block))) {
      if (byte >= fairBelow) continue;
      code += symbols.charAt(byte % symbols.length);
      if (code.length === shape.length) break;
    }
  }
  return code;
}

/**
 * What was typed or pasted, as the code it means: any script's digits, either case, spaces and dashes
 * dropped (also the minus sign, and what Japanese keyboards type for a dash). Undefined when it cannot be a code of this shape, which costs no guess.
 */
export function readCode(typed: string, { length, alphabet }: CodeShape): string | undefined {
  const code = foldDigits(typed)
    .replace(/[\s\p{Cf}\p{Pd}\u2212\u30fc]/gu, '')
    .toUpperCase();
  if (code.length !== length) return undefined;
  return [...code].every((symbol) => alphabets[alphabet].includes(symbol)) ? code : undefined;
}

/** Constant time in the content; both have the length of the verification's shape. */
export function isSameCode(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
