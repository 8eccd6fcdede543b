import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { charge } from './gcra.ts';
import type { Rate } from './store.ts';

const DAY = 86_400_000;

/** A whole number of milliseconds between two uses, as the interval is. */
const rateOf = ({ limit, interval }: { limit: number; interval: number }): Rate => ({
  limit,
  windowMs: limit * interval,
});

const rate = fc.record({ limit: fc.integer({ min: 1, max: 12 }), interval: fc.integer({ min: 1, max: 50 }) });

/** Attempts as the pauses between them: many at once, some after about an interval, some long after. */
const pauses = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 60 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 1_000 }) },
  ),
  { minLength: 1, maxLength: 60 },
);

/**
 * The definition that slides: between any earlier use and now, no more uses than `limit`, and one for
 * each interval that passed. Returns the first moment from `now` on at which one more keeps to it.
 */
function allowedFrom(
  uses: number[],
  { limit, interval }: { limit: number; interval: number },
  now: number,
): number {
  const earliest = uses.map((use, index) => use + (uses.length - index + 1 - limit) * interval);
  return Math.max(now, ...earliest);
}

describe('a rate', () => {
  it('lets a use through exactly when every stretch of time that ends with it keeps to the rate', () => {
    fc.assert(
      fc.property(rate, pauses, (one, waits) => {
        const uses: number[] = [];
        let tat: number | undefined;
        let now = 1_000_000;
        for (const wait of waits) {
          now += wait;
          const from = allowedFrom(uses, one, now);
          const charged = charge(tat, rateOf(one), now);
          expect(charged.isAllowed, `${one.limit} a ${one.interval} ms, use ${uses.length}`).toBe(
            from === now,
          );
          if (!charged.isAllowed) {
            expect(charged.retryAt).toBe(from);
            continue;
          }
          uses.push(now);
          tat = charged.tat;
          // As many more at this moment as the definition has room for.
          const more = [...uses];
          while (allowedFrom(more, one, now) === now) more.push(now);
          expect(charged.remaining).toBe(more.length - uses.length);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('is whole again when it says so: from then on, and not before, all its uses are there at once', () => {
    fc.assert(
      fc.property(rate, pauses, (one, waits) => {
        const whole = rateOf(one);
        let tat: number | undefined;
        let now = 1_000_000;
        let resetAt = now;
        for (const wait of waits) {
          now += wait;
          const charged = charge(tat, whole, now);
          if (charged.isAllowed) ({ tat, resetAt } = charged);
        }
        const usesAt = (at: number) => {
          let level = tat;
          for (let uses = 0; ; uses += 1) {
            const charged = charge(level, whole, at);
            if (!charged.isAllowed) return uses;
            level = charged.tat;
          }
        };
        expect(usesAt(resetAt)).toBe(one.limit);
        expect(usesAt(resetAt - 1)).toBeLessThan(one.limit);
      }),
    );
  });

  it('is the same whether it was never used or has long recovered', () => {
    const one = { limit: 3, windowMs: 60_000 };
    expect(charge(1, one, DAY)).toEqual(charge(undefined, one, DAY));
  });

  it('gives nothing back to a clock that runs backwards', () => {
    fc.assert(
      fc.property(rate, fc.array(fc.integer({ min: -100, max: 100 }), { maxLength: 60 }), (one, moves) => {
        let [tat, now, latest, uses] = [undefined as number | undefined, 1_000_000, 1_000_000, 0];
        for (const move of moves) {
          now += move;
          latest = Math.max(latest, now);
          const charged = charge(tat, rateOf(one), now);
          if (charged.isAllowed) {
            expect(charged.tat).toBeGreaterThan(tat ?? 0);
            tat = charged.tat;
            uses += 1;
          } else expect(charged.retryAt).toBeGreaterThan(now);
        }
        const lowest = moves.reduce(
          ([at, low], move) => [at + move, Math.min(low, at + move)] as [number, number],
          [1_000_000, 1_000_000] as [number, number],
        )[1];
        expect(uses).toBeLessThanOrEqual(one.limit + Math.ceil((latest - lowest) / one.interval));
      }),
    );
  });

  it('stays among the whole numbers that are exact', () => {
    const charged = charge(undefined, { limit: 1, windowMs: 365 * DAY }, Date.parse('2200-01-01T00:00:00Z'));
    expect(charged.isAllowed && Number.isSafeInteger(charged.tat)).toBe(true);
  });

  it.each([
    [5, 3_600_000],
    [10, DAY],
    [20, 600_000],
    [1_000, 60_000],
    [7, 60_000],
    [3, 1_000],
    [100_000, 30 * DAY],
    [1_000, 1_000],
    // What a configuration may also say: fewer milliseconds between two uses than a whole number can tell apart.
    [600, 1_000],
    [7_000, 10_000],
    [1_000_000, 3_600_000],
    [100_000, 1_000],
  ])('of %d in %d ms passes as many over time as it says, within one per cent', (limit, windowMs) => {
    const one = { limit, windowMs };
    const begin = 1_000_000;
    // A caller who spent all at once and then takes each further use the moment it is there.
    let tat: number | undefined;
    let uses = 0;
    let now = begin;
    const wanted = Math.min(3 * limit, limit + 20_000);
    while (uses < wanted) {
      const charged = charge(tat, one, now);
      if (charged.isAllowed) {
        tat = charged.tat;
        uses += 1;
      } else now = charged.retryAt;
    }
    const ideal = ((wanted - limit) * windowMs) / limit;
    expect((now - begin) / ideal).toBeGreaterThan(0.99);
    expect((now - begin) / ideal).toBeLessThan(1.01);
  });
});
