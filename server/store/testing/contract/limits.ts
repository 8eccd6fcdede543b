/** Limits: all charges of a step or none, and when to come back. */
import { describe, expect, it } from 'vitest';
import type { StartOutcome, StartStep } from '../../store.ts';
import { chargeOf, DAY, HOUR, idempotencyOf, intentOf, MINUTE, SECOND, startStep, T0 } from '../steps.ts';
import type { Decides } from '../walk.ts';
import { type Fixture, tally } from './fixture.ts';

export function describeLimits(fixture: Fixture, decides: Decides): void {
  const { store } = fixture;

  describe('limits', () => {
    const hourly = { limit: 3, windowMs: MINUTE };
    const start = (now: number, ...charges: StartStep['charges']) => store.start(startStep({ now, charges }));

    it('let as many through at once as they say, and tell how many are left and when all are back', async () => {
      const charge = chargeOf('phone', 'alice', hourly);
      const states: StartOutcome[] = [];
      for (let nth = 0; nth < 3; nth += 1) states.push(await start(T0, charge));
      expect(states).toEqual([
        { kind: 'started', charges: [{ policy: 'phone-60', remaining: 2, resetAt: T0 + 20 * SECOND }] },
        { kind: 'started', charges: [{ policy: 'phone-60', remaining: 1, resetAt: T0 + 40 * SECOND }] },
        { kind: 'started', charges: [{ policy: 'phone-60', remaining: 0, resetAt: T0 + 60 * SECOND }] },
      ]);
    });

    it('refuse the next one, and name the millisecond from which it is welcome', async () => {
      const charge = chargeOf('client', 'home', hourly);
      for (let nth = 0; nth < 3; nth += 1) await start(T0, charge);
      const retryAt = T0 + 20 * SECOND;
      const refusal = { kind: 'limited', scope: 'client', retryAt, policy: 'client-60' };
      expect(await start(T0, charge)).toEqual(refusal);
      expect(await start(retryAt - 1, charge)).toEqual(refusal);
      expect((await start(retryAt, charge)).kind).toBe('started');
      expect(await start(retryAt, charge)).toEqual({ ...refusal, retryAt: T0 + 40 * SECOND });
    });

    it('are whole again after their window', async () => {
      const charge = chargeOf('site', 'shop', hourly);
      for (let nth = 0; nth < 3; nth += 1) await start(T0, charge);
      const kinds: string[] = [];
      for (let nth = 0; nth < 4; nth += 1) kinds.push((await start(T0 + MINUTE, charge)).kind);
      expect(kinds).toEqual(['started', 'started', 'started', 'limited']);
    });

    it('are taken all or none: a refused step uses up no other limit', async () => {
      const tight = chargeOf('phone', 'alice', { limit: 1, windowMs: MINUTE });
      const wide = chargeOf('site', 'shop', { limit: 5, windowMs: MINUTE });
      await start(T0, tight, wide);
      for (const charges of [
        [tight, wide],
        [wide, tight],
      ]) {
        expect(await start(T0, ...charges)).toMatchObject({ kind: 'limited', policy: 'phone-60' });
      }
      expect(await start(T0, wide)).toMatchObject({ charges: [{ remaining: 3 }] });
    });

    it('name the one that keeps the caller waiting longest, wherever it stands in the list', async () => {
      const short = chargeOf('client', 'home', { limit: 1, windowMs: MINUTE });
      const long = chargeOf('phone', 'alice', { limit: 1, windowMs: HOUR });
      await start(T0, short, long);
      const refusal = { kind: 'limited', scope: 'phone', retryAt: T0 + HOUR, policy: 'phone-3600' };
      for (const outcome of [await start(T0, short, long), await start(T0, long, short)]) {
        if (decides === 'at once') expect(outcome).toEqual(refusal);
        else expect(outcome).toMatchObject({ kind: 'limited', retryAt: T0 + MINUTE, policy: 'client-60' });
      }
    });

    it('of one subject are kept together, and each is as good as alone', async () => {
      const rates = [
        { limit: 3, windowMs: HOUR },
        { limit: 2, windowMs: MINUTE },
      ];
      const charge = chargeOf('phone', 'alice', ...rates);
      expect(await start(T0, charge)).toMatchObject({
        charges: [
          { policy: 'phone-3600', remaining: 2, resetAt: T0 + 20 * MINUTE },
          { policy: 'phone-60', remaining: 1, resetAt: T0 + 30 * SECOND },
        ],
      });
      await start(T0, charge);
      const refusal = { kind: 'limited', scope: 'phone' };
      const soon = { ...refusal, retryAt: T0 + 30 * SECOND, policy: 'phone-60' };
      expect(await start(T0, charge)).toEqual(soon);
      // What was refused charged neither of them.
      expect(await start(T0 + MINUTE, charge)).toMatchObject({
        charges: [{ remaining: 0 }, { remaining: 1 }],
      });
      const late = { ...refusal, retryAt: T0 + 20 * MINUTE, policy: 'phone-3600' };
      expect(await start(T0 + MINUTE, charge)).toEqual(late);
    });

    it('count each key alone', async () => {
      await start(T0, chargeOf('phone', 'alice', { limit: 1, windowMs: HOUR }));
      expect((await start(T0, chargeOf('phone', 'bob', { limit: 1, windowMs: HOUR }))).kind).toBe('started');
      expect((await start(T0, chargeOf('client', 'alice', { limit: 1, windowMs: HOUR }))).kind).toBe(
        'started',
      );
    });

    it('refuse without leaving anything behind', async () => {
      const charge = chargeOf('phone', 'alice', { limit: 1, windowMs: HOUR });
      const intent = intentOf({ now: T0 });
      await store.addIntent(intent, T0 + DAY);
      await start(T0, charge);

      const idempotency = idempotencyOf('k', { now: T0 });
      const refused = startStep({ now: T0, charges: [charge], intentId: intent.id, idempotency });
      expect((await store.start(refused)).kind).toBe('limited');
      expect(await store.find(refused.verification.id)).toBeUndefined();
      // Neither the key nor the intent is used up by a step that was refused.
      expect((await store.start({ ...refused, charges: [] })).kind).toBe('started');
    });

    it('hold with 100 starts at once', async () => {
      const charge = chargeOf('site', 'shop', { limit: 20, windowMs: HOUR });
      const outcomes = await Promise.all(Array.from({ length: 100 }, () => start(T0, charge)));
      expect(tally(outcomes)).toEqual({ started: 20, limited: 80 });
    });
  });
}
