/**
 * The generic cell rate algorithm (ITU-T I.371): one integer per limit, the theoretical arrival time.
 *
 *     const charged = charge(tat, { limit: 5, windowMs: 3_600_000 }, now);
 *     if (charged.isAllowed) store(charged.tat);
 *
 * `limit` uses may come at once; after that one more every `windowMs / limit`. The arrival time is kept in
 * microseconds, or a thousand uses a second would be rounded to whole milliseconds each. Stores that decide
 * in their own language (Lua) follow this file to the letter; the contract test holds them to it.
 */

import type { Rate } from './store.ts';

export type Charged =
  /** `tat` in microseconds, to be stored; `resetAt` in milliseconds. */
  | { isAllowed: true; tat: number; remaining: number; resetAt: number }
  | { isAllowed: false; retryAt: number };

/** @param tat what was stored, or undefined for a limit never used (or long recovered) */
export function charge(tat: number | undefined, { limit, windowMs }: Rate, now: number): Charged {
  const nowMicros = now * 1_000;
  const interval = Math.ceil((windowMs * 1_000) / limit);
  const tolerance = interval * limit;
  const next = Math.max(tat ?? nowMicros, nowMicros) + interval;
  if (next - nowMicros > tolerance) {
    return { isAllowed: false, retryAt: Math.ceil((next - tolerance) / 1_000) };
  }
  return {
    isAllowed: true,
    tat: next,
    remaining: Math.floor((tolerance - (next - nowMicros)) / interval),
    resetAt: Math.ceil(next / 1_000),
  };
}
