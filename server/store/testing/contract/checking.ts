/** Checking and canceling: one approval, as many guesses as there are, and the end. */
import { describe, expect, it } from 'vitest';
import type { CheckOutcome, Idempotency, StartStep } from '../../store.ts';
import { checkStep, HOUR, idempotencyOf, MINUTE, SECOND, T0, verificationOf } from '../steps.ts';
import { type Fixture, tally } from './fixture.ts';

export function describeChecking(fixture: Fixture): void {
  const { store, started, verificationAfter, guessWrong, approve } = fixture;

  describe('checking', () => {
    it('approves a right code, and says when', async () => {
      const step = await started();
      const now = T0 + 7 * SECOND;
      const verification = { ...step.verification, status: 'approved', approvedAt: now };
      expect(await store.check(checkStep(step, { now, isRight: true }))).toEqual({
        kind: 'approved',
        verification,
      });
      expect(await verificationAfter(step)).toEqual(verification);
    });

    it('approves once: a second right code finds it closed', async () => {
      const step = await started();
      await approve(step);
      for (const isRight of [true, false]) {
        expect(await store.check(checkStep(step, { now: T0, isRight }))).toEqual({
          kind: 'closed',
          verification: await verificationAfter(step),
        });
      }
      expect(await verificationAfter(step)).toMatchObject({ status: 'approved', attemptsRemaining: 5 });
    });

    it('approves one of 500 right codes at once', async () => {
      const step = await started();
      const outcomes = await Promise.all(
        Array.from({ length: 500 }, () => store.check(checkStep(step, { now: T0, isRight: true }))),
      );
      expect(tally<CheckOutcome>(outcomes)).toEqual({ approved: 1, closed: 499 });
    });

    it('counts wrong codes down, and fails with the last guess', async () => {
      const step = await started();
      const answers: unknown[] = [];
      for (let nth = 0; nth < 6; nth += 1) answers.push(await store.check(checkStep(step, { now: T0 })));
      const at = (attemptsRemaining: number, status: 'pending' | 'failed' = 'pending') => ({
        kind: 'incorrect',
        attemptsRemaining,
        status,
        verification: { ...step.verification, attemptsRemaining, status },
      });
      const over = { ...step.verification, attemptsRemaining: 0, status: 'failed' };
      expect(answers).toEqual([
        at(4),
        at(3),
        at(2),
        at(1),
        at(0, 'failed'),
        { kind: 'closed', verification: over },
      ]);
      expect(await verificationAfter(step)).toEqual(over);
    });

    it('does not look at the right code once the guesses are spent', async () => {
      const step = await started();
      await guessWrong(step, { times: 5 });
      expect((await store.check(checkStep(step, { now: T0, isRight: true }))).kind).toBe('closed');
      expect(await verificationAfter(step)).toMatchObject({ status: 'failed', approvedAt: null });
    });

    it('looks at five of 500 wrong codes at once', async () => {
      const step = await started();
      const outcomes = await Promise.all(
        Array.from({ length: 500 }, () => store.check(checkStep(step, { now: T0 }))),
      );
      expect(tally<CheckOutcome>(outcomes)).toEqual({ incorrect: 5, closed: 495 });
    });

    it('expires at the very millisecond, right code or wrong', async () => {
      const [one, other] = [await started(), await started()];
      const { expiresAt } = one.verification;
      for (const isRight of [true, false]) {
        expect(await store.check(checkStep(one, { now: expiresAt, isRight }))).toEqual({
          kind: 'expired',
          verification: one.verification,
        });
      }
      expect(await verificationAfter(one)).toEqual(one.verification);
      await approve(one, { now: expiresAt - 1 });
      await guessWrong(other, { now: expiresAt - 1 });
    });

    it('says closed, not expired, of one that was over before its expiry', async () => {
      const step = await started();
      await approve(step);
      const late = checkStep(step, { now: step.verification.expiresAt + HOUR, isRight: true });
      expect(await store.check(late)).toMatchObject({
        kind: 'closed',
        verification: { status: 'approved' },
      });
    });

    it('finds a canceled one closed', async () => {
      const step = await started();
      await store.cancel(step.verification.id, T0);
      expect(await store.check(checkStep(step, { now: T0, isRight: true }))).toMatchObject({
        kind: 'closed',
        verification: { status: 'canceled', approvedAt: null },
      });
    });

    it('is missing for an id that never was', async () => {
      const never = { verification: verificationOf({ now: T0, id: 'vrf_neverwas' }) };
      expect(await store.check(checkStep(never, { now: T0, isRight: true }))).toEqual({ kind: 'missing' });
    });

    describe('with an idempotency key', () => {
      const checkAgain = (step: StartStep, isRight: boolean, idempotency: Idempotency, now = T0) =>
        store.check(checkStep(step, { now, isRight, idempotency }));

      it('replays an approval', async () => {
        const step = await started();
        const key = idempotencyOf('k', { now: T0 });
        expect((await checkAgain(step, true, key)).kind).toBe('approved');
        expect(await checkAgain(step, true, key, T0 + MINUTE)).toEqual({
          kind: 'replayed',
          verification: { ...step.verification, status: 'approved', approvedAt: T0 },
          facts: { kind: 'approved' },
        });
      });

      it('replays an approval after the code has expired', async () => {
        const step = await started();
        const key = idempotencyOf('k', { now: T0 });
        await checkAgain(step, true, key);
        expect((await checkAgain(step, true, key, step.verification.expiresAt)).kind).toBe('replayed');
      });

      it('replays a wrong guess as it was then, and spends none', async () => {
        const step = await started();
        const key = idempotencyOf('k', { now: T0 });
        await checkAgain(step, false, key);
        await guessWrong(step, { times: 2 });
        for (let nth = 0; nth < 3; nth += 1) {
          expect(await checkAgain(step, false, key)).toEqual({
            kind: 'replayed',
            verification: { ...step.verification, attemptsRemaining: 2 },
            facts: { kind: 'incorrect', attemptsRemaining: 4, status: 'pending' },
          });
        }
        await approve(step);
        expect((await checkAgain(step, false, key)).kind).toBe('replayed');
      });

      it('replays the guess that failed it', async () => {
        const step = await started();
        const key = idempotencyOf('k', { now: T0 });
        await guessWrong(step, { times: 4 });
        await checkAgain(step, false, key);
        expect(await checkAgain(step, false, key)).toMatchObject({
          kind: 'replayed',
          facts: { kind: 'incorrect', attemptsRemaining: 0, status: 'failed' },
        });
      });

      it('counts a replayed guess once against the number, too', async () => {
        const step = await started();
        const key = idempotencyOf('k', { now: T0 });
        for (let nth = 0; nth < 20; nth += 1) await checkAgain(step, false, key);
        await started();
      });

      it('refuses the key with another code, and spends no guess', async () => {
        const step = await started();
        await checkAgain(step, false, idempotencyOf('k', { now: T0 }));
        const other = idempotencyOf('k', { now: T0, body: 'another' });
        expect(await checkAgain(step, true, other)).toEqual({ kind: 'idempotency-key-reused' });
        expect(await verificationAfter(step)).toMatchObject({ status: 'pending', attemptsRemaining: 4 });
      });

      it('takes the request anew once the key has expired', async () => {
        const step = await started();
        const key = idempotencyOf('k', { now: T0, ttlMs: MINUTE });
        await checkAgain(step, false, key);
        expect((await checkAgain(step, false, key, T0 + MINUTE - 1)).kind).toBe('replayed');
        expect(await checkAgain(step, false, key, T0 + MINUTE)).toMatchObject({
          kind: 'incorrect',
          attemptsRemaining: 3,
        });
      });

      it('does not remember that it came too late', async () => {
        const step = await started();
        const key = idempotencyOf('k', { now: T0 });
        const { expiresAt } = step.verification;
        expect((await checkAgain(step, true, key, expiresAt)).kind).toBe('expired');
        expect((await checkAgain(step, true, key, expiresAt - 1)).kind).toBe('approved');
      });

      it('spends one guess of 50 identical ones at once', async () => {
        const step = await started();
        const outcomes = await Promise.all(
          Array.from({ length: 50 }, () => checkAgain(step, false, idempotencyOf('k', { now: T0 }))),
        );
        expect(tally<CheckOutcome>(outcomes)).toEqual({ incorrect: 1, replayed: 49 });
      });
    });
  });

  describe('canceling', () => {
    it('ends a pending verification, and may be repeated', async () => {
      const step = await started();
      expect(await store.cancel(step.verification.id, T0)).toBe(true);
      expect(await verificationAfter(step)).toEqual({ ...step.verification, status: 'canceled' });
      expect(await store.cancel(step.verification.id, T0)).toBe(true);
    });

    it('is false for an id that never was', async () => {
      expect(await store.cancel('vrf_neverwas', T0)).toBe(false);
    });

    it('changes nothing about one that is over', async () => {
      const [right, wrong, late] = [await started(), await started(), await started()];
      await approve(right);
      await guessWrong(wrong, { times: 5 });
      expect(await store.cancel(right.verification.id, T0)).toBe(true);
      expect(await store.cancel(wrong.verification.id, T0)).toBe(true);
      expect(await store.cancel(late.verification.id, late.verification.expiresAt)).toBe(true);
      expect((await verificationAfter(right)).status).toBe('approved');
      expect((await verificationAfter(wrong)).status).toBe('failed');
      expect(await verificationAfter(late)).toEqual(late.verification);
    });

    it('leaves others alone', async () => {
      const [one, other] = [await started(), await started()];
      await store.cancel(one.verification.id, T0);
      await approve(other);
    });
  });
}
