/** Resending: the wait doubles, guesses and expiry stay. */
import { describe, expect, it } from 'vitest';
import type { ResendOutcome, Verification } from '../../store.ts';
import {
  chargeOf,
  checkStep,
  HOUR,
  idempotencyOf,
  MINUTE,
  resendStep,
  SECOND,
  T0,
  verificationOf,
} from '../steps.ts';
import { type Fixture, tally } from './fixture.ts';

export function describeResending(fixture: Fixture): void {
  const { store, started, found, verificationAfter, guessWrong, approve } = fixture;

  describe('resending', () => {
    it('takes one resend, imposes the wait and doubles the next, and adds the delivery', async () => {
      const step = await started();
      const { verification } = step;
      const now = verification.resendAt;
      const resend = resendStep(step, { now });
      const after: Verification = {
        ...verification,
        resendsRemaining: 2,
        resendAt: now + 60 * SECOND,
        resendWaitMs: 120 * SECOND,
      };
      expect(await store.resend(resend)).toEqual({ kind: 'resent', verification: after, charges: [] });
      expect(await store.find(verification.id)).toEqual({
        verification: after,
        deliveries: [step.delivery, resend.delivery],
      });
    });

    it('doubles the wait each time, until no resend is left', async () => {
      const step = await started();
      const waits: number[] = [];
      for (let now = step.verification.resendAt; ; ) {
        const outcome = await store.resend(resendStep(step, { now }));
        if (outcome.kind !== 'resent') {
          expect(outcome).toEqual({ kind: 'exhausted', verification: await verificationAfter(step) });
          break;
        }
        waits.push(outcome.verification.resendAt - now);
        // The third wait is longer than a code lives: what counts here is the number of resends.
        now = Math.min(outcome.verification.resendAt, step.verification.expiresAt - 1);
        if (waits.length === 3) expect(outcome.verification.resendsRemaining).toBe(0);
      }
      expect(waits).toEqual([60 * SECOND, 120 * SECOND, 240 * SECOND]);
    });

    it('is too early until the very millisecond, and then changes nothing', async () => {
      const step = await started();
      const charge = chargeOf('phone', 'alice', { limit: 2, windowMs: HOUR });
      const early = resendStep(step, { now: step.verification.resendAt - 1, charges: [charge] });
      expect(await store.resend(early)).toEqual({ kind: 'too-early', verification: step.verification });
      expect(await store.find(step.verification.id)).toEqual({
        verification: step.verification,
        deliveries: [step.delivery],
      });
      const inTime = resendStep(step, { now: step.verification.resendAt, charges: [charge] });
      expect(await store.resend(inTime)).toMatchObject({ kind: 'resent', charges: [{ remaining: 1 }] });
    });

    it('says that none is left rather than that it is too early', async () => {
      const step = await started({ verification: verificationOf({ now: T0, resendsRemaining: 0 }) });
      expect(await store.resend(resendStep(step, { now: T0 }))).toEqual({
        kind: 'exhausted',
        verification: step.verification,
      });
    });

    it('leaves guesses and expiry untouched: resends never buy a guess', async () => {
      const step = await started({
        verification: verificationOf({ now: T0, resendsRemaining: 20, resendAt: T0, resendWaitMs: 0 }),
      });
      await guessWrong(step, { times: 2 });
      for (let nth = 0; nth < 20; nth += 1) await store.resend(resendStep(step, { now: T0 }));
      const after = await verificationAfter(step);
      expect(after).toMatchObject({ resendsRemaining: 0, attemptsRemaining: 3, status: 'pending' });
      expect(after.expiresAt).toBe(step.verification.expiresAt);
      await guessWrong(step, { times: 3 });
      expect((await store.check(checkStep(step, { now: T0, isRight: true }))).kind).toBe('closed');
    });

    it('is over from the millisecond of expiry', async () => {
      const expiresAt = T0 + MINUTE;
      const step = await started({ verification: verificationOf({ now: T0, expiresAt }) });
      const { verification } = step;
      expect(await store.resend(resendStep(step, { now: expiresAt }))).toEqual({
        kind: 'expired',
        verification,
      });
      expect((await store.resend(resendStep(step, { now: expiresAt - 1 }))).kind).toBe('resent');
    });

    it.each(['approved', 'failed', 'canceled'] as const)('is closed for one that is %s', async (status) => {
      const step = await started();
      if (status === 'approved') await approve(step);
      if (status === 'failed') await guessWrong(step, { times: 5 });
      if (status === 'canceled') await store.cancel(step.verification.id, T0);
      for (const now of [step.verification.resendAt, step.verification.expiresAt]) {
        expect(await store.resend(resendStep(step, { now }))).toMatchObject({
          kind: 'closed',
          verification: { status },
        });
      }
      expect((await found(step.verification.id)).deliveries).toHaveLength(1);
    });

    it('is missing for an id that never was, and takes no limit for it', async () => {
      const charge = chargeOf('phone', 'alice', { limit: 1, windowMs: HOUR });
      const never = { verification: verificationOf({ now: T0, id: 'vrf_neverwas' }) };
      expect(await store.resend(resendStep(never, { now: T0, charges: [charge] }))).toEqual({
        kind: 'missing',
      });
      await started({ charges: [charge] });
    });

    it('shares the limits of starts, and a refused one changes nothing', async () => {
      const charge = chargeOf('phone', 'alice', { limit: 1, windowMs: HOUR });
      const step = await started({ charges: [charge] });
      const now = step.verification.resendAt;
      expect(await store.resend(resendStep(step, { now, charges: [charge] }))).toEqual({
        kind: 'limited',
        scope: 'phone',
        retryAt: T0 + HOUR,
        policy: 'phone-3600',
      });
      expect(await store.find(step.verification.id)).toEqual({
        verification: step.verification,
        deliveries: [step.delivery],
      });
    });

    it('replays for the same idempotency key, and sends nothing twice', async () => {
      const step = await started();
      const now = step.verification.resendAt;
      const resend = () => resendStep(step, { now, idempotency: idempotencyOf('k', { now }) });
      const first = resend();
      expect((await store.resend(first)).kind).toBe('resent');
      await guessWrong(step, { now });
      expect(await store.resend(resend())).toMatchObject({
        kind: 'replayed',
        verification: { id: step.verification.id, attemptsRemaining: 4 },
        facts: {
          deliveryId: first.delivery.id,
          attemptsRemaining: 5,
          resendsRemaining: 2,
          resendAt: now + 60 * SECOND,
        },
      });
      expect((await found(step.verification.id)).deliveries).toHaveLength(2);
      const other = resendStep(step, { now, idempotency: idempotencyOf('k', { now, body: 'another' }) });
      expect(await store.resend(other)).toEqual({ kind: 'idempotency-key-reused' });
    });

    it('does not remember a refusal under the key', async () => {
      const step = await started();
      const idempotency = idempotencyOf('k', { now: T0 });
      expect((await store.resend(resendStep(step, { now: T0, idempotency }))).kind).toBe('too-early');
      const now = step.verification.resendAt;
      expect((await store.resend(resendStep(step, { now, idempotency }))).kind).toBe('resent');
    });

    it('sends once of 50 at once', async () => {
      const step = await started();
      const now = step.verification.resendAt;
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, () => store.resend(resendStep(step, { now }))),
      );
      expect(tally<ResendOutcome>(outcomes)).toEqual({ resent: 1, 'too-early': 49 });
      expect((await found(step.verification.id)).deliveries).toHaveLength(2);
    });
  });
}
