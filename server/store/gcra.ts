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

import type { Charge, ChargeState, Rate } from './store.ts';

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

export type ChargedRecord =
  /** `tats` are to be kept in this order, until the last one has passed at `endsAt` (milliseconds). */
  | { isAllowed: true; tats: number[]; endsAt: number; states: ChargeState[] }
  | { isAllowed: false; retryAt: number; policy: string };

/**
 * Charges every rate of a record with one use, or none.
 *
 * @param tats what was kept, a figure a rate; empty for a record never used
 * @returns on refusal the rate that keeps the caller waiting longest
 */
export function chargeRecord(tats: readonly number[], { rates }: Charge, now: number): ChargedRecord {
  const after: number[] = [];
  const states: ChargeState[] = [];
  let endsAt = 0;
  let refused: { isAllowed: false; retryAt: number; policy: string } | undefined;
  for (let nth = 0; nth < rates.length; nth += 1) {
    const rate = rates[nth];
    if (!rate) break;
    const charged = charge(tats[nth], rate, now);
    if (charged.isAllowed) {
      after.push(charged.tat);
      states.push({ policy: rate.policy, remaining: charged.remaining, resetAt: charged.resetAt });
      if (charged.resetAt > endsAt) endsAt = charged.resetAt;
    } else if (!refused || charged.retryAt > refused.retryAt) {
      refused = { isAllowed: false, retryAt: charged.retryAt, policy: rate.policy };
    }
  }
  return refused ?? { isAllowed: true, tats: after, endsAt, states };
}
