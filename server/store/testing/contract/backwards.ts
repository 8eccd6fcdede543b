/** A clock that runs backwards does no harm. */
import { describe, expect, it } from 'vitest';
import {
  chargeOf,
  checkStep,
  DAY,
  HOUR,
  idempotencyOf,
  MINUTE,
  redeemStep,
  resendStep,
  SECOND,
  startStep,
  T0,
} from '../steps.ts';
import type { Fixture } from './fixture.ts';

export function describeBackwards(fixture: Fixture): void {
  const { store, started, verificationAfter, guessWrong, approve, failGuesses } = fixture;

  describe('a clock that runs backwards', () => {
    it('gives no limit back', async () => {
      const charge = chargeOf('phone', 'alice', { limit: 2, windowMs: MINUTE });
      const start = async (now: number) => (await store.start(startStep({ now, charges: [charge] }))).kind;
      await start(T0);
      await start(T0);
      expect(await start(T0 - DAY)).toBe('limited');
      expect(await start(T0)).toBe('limited');
      expect(await start(T0 + 30 * SECOND)).toBe('started');
      expect(await start(T0 + 30 * SECOND)).toBe('limited');
    });

    it('opens nothing that was closed', async () => {
      const [right, wrong] = [await started(), await started()];
      await approve(right);
      await guessWrong(wrong, { times: 5 });
      const now = T0 - DAY;
      expect((await store.check(checkStep(right, { now, isRight: true }))).kind).toBe('closed');
      expect((await store.check(checkStep(wrong, { now, isRight: true }))).kind).toBe('closed');
      expect((await store.resend(resendStep(right, { now }))).kind).toBe('closed');
    });

    it('unlocks no number, and forgets no guess', async () => {
      const step = await started();
      await failGuesses(10);
      expect((await store.check(checkStep(step, { now: T0 - DAY, isRight: true }))).kind).toBe('limited');
      expect((await store.start(startStep({ now: T0 - DAY }))).kind).toBe('limited');
    });

    it('repeats no answer wrongly and redeems nothing twice', async () => {
      const step = await started({ idempotency: idempotencyOf('k', { now: T0 }) });
      const key = idempotencyOf('check', { now: T0 });
      await store.check(checkStep(step, { now: T0, isRight: true, idempotency: key }));
      await store.redeem(redeemStep({ now: T0, jti: 'a' }));
      const now = T0 - HOUR;
      expect((await store.start(startStep({ now, idempotency: idempotencyOf('k', { now }) }))).kind).toBe(
        'replayed',
      );
      expect((await store.check(checkStep(step, { now, isRight: true, idempotency: key }))).kind).toBe(
        'replayed',
      );
      expect((await store.redeem(redeemStep({ now, jti: 'a' }))).kind).toBe('already-redeemed');
    });

    it('keeps a person from nothing that was due', async () => {
      const step = await started();
      const now = T0 - HOUR;
      expect((await store.check(checkStep(step, { now }))).kind).toBe('incorrect');
      expect((await store.resend(resendStep(step, { now }))).kind).toBe('too-early');
      await approve(step, { now });
      expect((await verificationAfter(step)).approvedAt).toBe(now);
    });
  });
}
