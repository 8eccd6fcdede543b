/** Sweeping: everything that may be forgotten and nothing else. */
import { describe, expect, it } from 'vitest';
import {
  chargeOf,
  checkStep,
  DAY,
  deliveryOf,
  guessesFrom,
  HOUR,
  idempotencyOf,
  intentOf,
  redeemStep,
  resendStep,
  signingKeyOf,
  startStep,
  T0,
  verificationOf,
} from '../steps.ts';
import type { Forgets } from '../walk.ts';
import type { Fixture } from './fixture.ts';

export function describeSweeping(fixture: Fixture, forgets: Forgets): void {
  const { store, started, found, guessWrong, approve } = fixture;

  describe('sweeping', () => {
    /** Bounded work per call: as often as a server would in half an hour, and no more. */
    async function sweepOften(now: number): Promise<number> {
      let gone = 0;
      for (let nth = 0; nth < 50; nth += 1) gone += await store.sweep(now);
      return gone;
    }

    it('takes nothing that is still needed, a millisecond before it may go', async () => {
      const forgetAt = T0 + HOUR;
      const charge = chargeOf('phone', 'alice', { limit: 1, windowMs: HOUR });
      const hourly = guessesFrom('home', { perNetwork: { limit: 1, windowMs: HOUR } });
      const startKey = idempotencyOf('start', { now: T0, ttlMs: HOUR });
      const intent = intentOf({ now: T0, expiresAt: forgetAt });
      await store.addIntent(intent, forgetAt);
      const step = await started({ charges: [charge], idempotency: startKey, forgetAt });
      await store.check(checkStep(step, { now: T0, guesses: hourly }));
      await store.redeem(redeemStep({ now: T0, jti: 'a', forgetAt }));
      await store.addSigningKey(signingKeyOf({ kid: '1' }), null);
      await store.keepSecret('one', 'first');

      const now = forgetAt - 1;
      await sweepOften(now);
      expect((await found(step.verification.id)).deliveries).toEqual([step.delivery]);
      expect(await store.findIntent(intent.id)).toEqual(intent);
      expect((await store.start(startStep({ now, idempotency: startKey }))).kind).toBe('replayed');
      expect((await store.start(startStep({ now, charges: [charge] }))).kind).toBe('limited');
      expect((await store.start(startStep({ now, guesses: hourly }))).kind).toBe('limited');
      expect((await store.redeem(redeemStep({ now, jti: 'a' }))).kind).toBe('already-redeemed');
      await sweepOften(T0 + 1_000 * DAY);
      expect(await store.signingKeys()).toHaveLength(1);
      expect(await store.keepSecret('one', 'second')).toBe('first');
    });

    it('changes no answer about what is left', async () => {
      const [gone, stays] = [await started({ forgetAt: T0 + HOUR }), await started({ phone: 'bob' })];
      const intent = intentOf({ now: T0, expiresAt: T0 + DAY });
      await store.addIntent(intent, T0 + DAY);
      await guessWrong(stays);
      await store.resend(resendStep(stays, { now: stays.verification.resendAt }));
      const before = await found(stays.verification.id);
      await sweepOften(T0 + HOUR);
      expect(await found(stays.verification.id)).toEqual(before);
      expect(await store.findIntent(intent.id)).toEqual(intent);
      await approve(stays);
      expect(gone.forgetAt).toBe(T0 + HOUR);
    });

    if (forgets === 'when swept') {
      it('forgets at the very millisecond what may be forgotten', async () => {
        const forgetAt = T0 + HOUR;
        const step = await started({ forgetAt });
        const intent = intentOf({ now: T0 });
        await store.addIntent(intent, forgetAt);
        await store.redeem(redeemStep({ now: T0, jti: 'a', forgetAt }));
        expect(await sweepOften(forgetAt)).toBe(3);
        expect(await store.find(step.verification.id)).toBeUndefined();
        expect(await store.findIntent(intent.id)).toBeUndefined();
        expect((await store.check(checkStep(step, { now: T0, isRight: true }))).kind).toBe('missing');
        expect((await store.resend(resendStep(step, { now: T0 }))).kind).toBe('missing');
        expect(await store.cancel(step.verification.id, T0)).toBe(false);
        expect((await store.redeem(redeemStep({ now: forgetAt, jti: 'a' }))).kind).toBe('redeemed');
      });

      it('takes its deliveries along: one of the same id later starts with its own alone', async () => {
        const step = await started({ forgetAt: T0 + HOUR });
        await sweepOften(T0 + HOUR);
        const delivery = deliveryOf(step.verification, { now: T0 });
        await started({ verification: step.verification, delivery });
        expect((await found(step.verification.id)).deliveries).toEqual([delivery]);
      });

      it('counts each thing that went, and finds nothing the next time', async () => {
        const charges = [chargeOf('phone', 'alice', { limit: 1, windowMs: HOUR })];
        const step = await started({ charges, idempotency: idempotencyOf('k', { now: T0 }) });
        await guessWrong(step);
        const later = T0 + 31 * DAY;
        // The verification, its limit, its key, and two counts of failed guesses.
        expect(await sweepOften(later)).toBe(5);
        expect(await sweepOften(later)).toBe(0);
      });

      it('gets through any number of things, and leaves exactly those that must stay', async () => {
        const all = Array.from({ length: 1_600 }, (_, nth) => {
          const forgetAt = nth % 3 === 0 ? T0 + HOUR + 1 : T0 + HOUR;
          const phone = `phone ${nth}`;
          return startStep({
            now: T0,
            phone,
            charges: [chargeOf('phone', phone, { limit: 1, windowMs: forgetAt - T0 })],
            guesses: guessesFrom('home', {
              perNetwork: { limit: 1, windowMs: forgetAt - T0 },
              inARow: { limit: 2, windowMs: forgetAt - T0 },
            }),
            idempotency: idempotencyOf(phone, { now: T0, ttlMs: forgetAt - T0 }),
            forgetAt,
          });
        });
        for (const step of all) {
          await store.start(step);
          await store.check(checkStep(step, { now: T0, guesses: step.guesses }));
        }
        const old = all.filter(({ forgetAt }) => forgetAt === T0 + HOUR);
        const kept = all.filter(({ forgetAt }) => forgetAt > T0 + HOUR);
        // Verification, limit, key and two counts each.
        expect(await sweepOften(T0 + HOUR)).toBe(old.length * 5);

        for (const { verification } of old) expect(await store.find(verification.id)).toBeUndefined();
        for (const { verification, charges, guesses, idempotency, delivery } of kept) {
          const now = T0 + HOUR;
          expect((await found(verification.id)).deliveries).toEqual([delivery]);
          const phoneKey = verification.phoneKey;
          const again = () => startStep({ now, verification: verificationOf({ now, phoneKey }) });
          expect((await store.start({ ...again(), charges })).kind).toBe('limited');
          expect((await store.start({ ...again(), guesses })).kind).toBe('limited');
          expect((await store.start({ ...again(), idempotency })).kind).toBe('replayed');
        }
      });
    }
  });
}
