/**
 * The generic cell rate algorithm (ITU-T I.371): one integer per limit, the theoretical arrival time.
 *
 *     const charged = charge(tat, { limit: 5, windowMs: 3_600_000 }, now);
 *     if (charged.isAllowed) store(charged.tat);
 *
 * `limit` uses may come at once; after that one more every `windowMs / limit`. Stores that decide in
 * their own language (Lua) follow this file to the letter; the contract test holds them to it.
 */

import type { Rate } from './store.ts';

export type Charged =
  | { isAllowed: true; tat: number; remaining: number; resetAt: number }
  | { isAllowed: false; retryAt: number };

/** @param tat what was stored, or undefined for a limit never used (or long recovered). */
export function charge(tat: number | undefined, { limit, windowMs }: Rate, now: number): Charged {
  const interval = Math.ceil(windowMs / limit);
  const tolerance = interval * limit;
  const next = Math.max(tat ?? now, now) + interval;
  if (next - now > tolerance) return { isAllowed: false, retryAt: next - tolerance };
  return {
    isAllowed: true,
    tat: next,
    remaining: Math.floor((tolerance - (next - now)) / interval),
    resetAt: next,
  };
}
