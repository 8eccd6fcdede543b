/** Redeeming: a proof once. */
import { describe, expect, it } from 'vitest';
import { idempotencyOf, MINUTE, redeemStep, T0 } from '../steps.ts';
import { type Fixture, tally } from './fixture.ts';

export function describeRedeeming(fixture: Fixture): void {
  const { store } = fixture;

  describe('redeeming', () => {
    it('marks a proof once, and says when that was', async () => {
      expect(await store.redeem(redeemStep({ now: T0, jti: 'a' }))).toEqual({
        kind: 'redeemed',
        redeemedAt: T0,
      });
      expect(await store.redeem(redeemStep({ now: T0 + MINUTE, jti: 'a' }))).toEqual({
        kind: 'already-redeemed',
        redeemedAt: T0,
      });
      expect((await store.redeem(redeemStep({ now: T0, jti: 'b' }))).kind).toBe('redeemed');
    });

    it('replays for the same idempotency key', async () => {
      const step = (now: number, body = 'the body') =>
        redeemStep({ now, jti: 'a', idempotency: idempotencyOf('k', { now: T0, body }) });
      expect((await store.redeem(step(T0))).kind).toBe('redeemed');
      expect(await store.redeem(step(T0 + MINUTE))).toEqual({ kind: 'replayed', redeemedAt: T0 });
      expect(await store.redeem(step(T0, 'another'))).toEqual({ kind: 'idempotency-key-reused' });
      expect(await store.redeem(step(T0 + 10 * MINUTE))).toEqual({
        kind: 'already-redeemed',
        redeemedAt: T0,
      });
    });

    it('does not remember a refusal under the key', async () => {
      await store.redeem(redeemStep({ now: T0, jti: 'a' }));
      const idempotency = idempotencyOf('k', { now: T0 });
      const again = redeemStep({ now: T0, jti: 'a', idempotency });
      expect((await store.redeem(again)).kind).toBe('already-redeemed');
      expect((await store.redeem(again)).kind).toBe('already-redeemed');
    });

    it('refuses an expired proof from the very millisecond, and remembers no refusal', async () => {
      const expiresAt = T0 + MINUTE;
      const idempotency = idempotencyOf('k', { now: T0 });
      const step = (now: number) => redeemStep({ now, jti: 'a', expiresAt, idempotency });
      expect(await store.redeem(step(expiresAt))).toEqual({ kind: 'expired' });
      expect(await store.redeem(step(expiresAt - 1))).toEqual({
        kind: 'redeemed',
        redeemedAt: expiresAt - 1,
      });
    });

    it('says of a redeemed proof what became of it, also after it has expired', async () => {
      const idempotency = idempotencyOf('k', { now: T0 });
      const step = { jti: 'a', expiresAt: T0 + MINUTE };
      await store.redeem(redeemStep({ ...step, now: T0, idempotency }));
      const now = T0 + MINUTE;
      expect(await store.redeem(redeemStep({ ...step, now, idempotency }))).toEqual({
        kind: 'replayed',
        redeemedAt: T0,
      });
      expect(await store.redeem(redeemStep({ ...step, now }))).toEqual({
        kind: 'already-redeemed',
        redeemedAt: T0,
      });
    });

    it('redeems one of 200 at once', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 200 }, () => store.redeem(redeemStep({ now: T0, jti: 'a' }))),
      );
      expect(tally(outcomes)).toEqual({ redeemed: 1, 'already-redeemed': 199 });
    });
  });
}
