/**
 * What a person typed, pasted or had filled in as a code.
 *
 *     readCode('123-456', shape)                                   // '123456'
 *     readCode('Demo Shop: 123456 is your code. Do not share.', shape)   // '123456'
 *     readCode('shop\n@shop.example #123456', shape)               // '123456'
 */
import type { CodeShape } from '../server/contract.ts';
import { plainText } from './digits.ts';

/** The code in `text`, or as much of one as has been typed; never longer than the code is. */
export function readCode(text: string, { length, alphabet }: CodeShape): string {
  const plain = plainText(text);
  const character = alphabet === 'numeric' ? '[0-9]' : '[0-9A-Za-z]';
  const compact = plain.replace(/[\s\p{Pd}.]/gu, '');
  // Typing, and a pasted code with or without separators.
  if (new RegExp(`^${character}{0,${length}}$`).test(compact)) return compact.toUpperCase();

  // A whole message, its line ends perhaps lost in the input: the origin line is made for machines
  // (WICG sms-one-time-codes); else a run of
  // the right length that stands alone and, so that no word is taken for a code, has a digit in it.
  const boundCode = plain.match(new RegExp(`@\\S+ #(${character}{${length}})(?!\\S)`))?.[1];
  const run = new RegExp(
    `(?<![\\p{L}\\p{N}#@.,])${character}(?:[ \\-]?${character}){${length - 1}}(?![\\p{L}\\p{N}]|[.,]\\d)`,
    'gu',
  );
  const alone = (plain.match(run) ?? []).find((candidate) => /\d/.test(candidate));
  const found = boundCode ?? alone?.replace(/[ -]/g, '');
  if (found) return found.toUpperCase();

  return [...compact.matchAll(new RegExp(character, 'g'))].join('').slice(0, length).toUpperCase();
}
