/**
 * Guards for what comes from outside: each takes a value nobody has looked at, and returns it typed or throws.
 *
 *     const { amount, note } = object(json);
 *     text(amount);               // a string, or a TypeError
 *     optional(note, text);       // a string or null
 */
type Json = { [member: string]: unknown };

const fault = (expected: string) => new TypeError(`expected ${expected}`);

/** `Members` only names what will be looked at: each value is still unknown. */
export function object<Members = Json>(value: unknown): { [Name in keyof Members]?: unknown } {
  if (typeof value !== 'object' || value === null) throw fault('an object');
  return value;
}

export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw fault('a list');
  return value;
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw fault('a text');
  return value;
}

export function number(value: unknown): number {
  if (typeof value !== 'number') throw fault('a number');
  return value;
}

/** RFC 3339 to milliseconds since the epoch. */
export function time(value: unknown): number {
  const parsed = Date.parse(text(value));
  if (Number.isNaN(parsed)) throw fault('a time');
  return parsed;
}

export function oneOf<Word extends string>(words: readonly Word[], value: unknown): Word {
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw fault(`one of ${words.join(', ')}`);
  return word;
}

export const optional = <T>(value: unknown, read: (value: unknown) => T): T | null =>
  value === undefined || value === null ? null : read(value);

/** Addresses become links in somebody's page: `javascript:` and its like do not. */
export const webAddress = (value: unknown): string | null => {
  const address = text(value);
  return /^https?:\/\//.test(address) ? address : null;
};
