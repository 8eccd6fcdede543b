/** Starting: what is kept, the intent, the idempotency key. */
import { describe, expect, it } from 'vitest';
import {
  chargeOf,
  DAY,
  HOUR,
  idempotencyOf,
  idOf,
  intentOf,
  MINUTE,
  resendStep,
  startStep,
  T0,
  verificationOf,
} from '../steps.ts';
import { type Fixture, tally } from './fixture.ts';

export function describeStarting(fixture: Fixture): void {
  const { store, started, found, verificationAfter, guessWrong, approve, failGuesses } = fixture;

  describe('starting', () => {
    it('keeps the verification and its first delivery, every member as it was', async () => {
      const verification = verificationOf({
        now: T0,
        purpose: 'transaction',
        country: null,
        isPhoneHidden: true,
        code: { length: 10, alphabet: 'alphanumeric' },
        host: null,
        locale: null,
        nonce: 'n"\\ \u0000\n😀',
        subject: 'user „7” ǅ',
        transaction: {
          amount: '250.00',
          currency: 'EUR',
          payee: "O'Hara; DROP TABLE",
          reference: '日本語',
        },
      });
      const step = await started({ verification });
      expect(await store.find(verification.id)).toEqual({ verification, deliveries: [step.delivery] });
    });

    it('keeps a transaction without a reference, and none at all', async () => {
      const transaction = { amount: '0', currency: 'JPY', payee: 'Tanaka' };
      const one = await started({ verification: verificationOf({ now: T0, transaction }) });
      const other = await started({ phone: 'bob' });
      expect((await verificationAfter(one)).transaction).toEqual(transaction);
      expect((await verificationAfter(other)).transaction).toBeNull();
    });

    it('knows nothing of an id that was never started', async () => {
      await started();
      expect(await store.find('vrf_neverwas')).toBeUndefined();
    });

    it('lets one number have several verifications at once', async () => {
      const [one, other] = [await started(), await started()];
      await approve(one);
      expect((await verificationAfter(other)).status).toBe('pending');
    });
  });

  describe('intents', () => {
    async function added(overrides: Partial<Parameters<typeof intentOf>[0]> = {}) {
      const intent = intentOf({ now: T0, ...overrides });
      await store.addIntent(intent, T0 + DAY);
      return intent;
    }
    const startFrom = (intentId: string, now = T0) => store.start(startStep({ now, intentId }));

    it('are found again, every member as it was', async () => {
      const whole = await added({
        transaction: { amount: '1', currency: 'EUR', payee: 'ß', reference: 'r' },
      });
      const bare = await added({ subject: null, transaction: null, nonce: null, locale: null });
      expect(await store.findIntent(whole.id)).toEqual(whole);
      expect(await store.findIntent(bare.id)).toEqual(bare);
      expect(await store.findIntent('int_neverwas')).toBeUndefined();
    });

    it('start one verification', async () => {
      const { id } = await added();
      expect((await startFrom(id)).kind).toBe('started');
      expect(await startFrom(id)).toEqual({ kind: 'intent-used' });
      expect(await startFrom(id, T0 + MINUTE)).toEqual({ kind: 'intent-used' });
    });

    it('start one verification of 50 that try at once', async () => {
      const { id } = await added();
      const outcomes = await Promise.all(Array.from({ length: 50 }, () => startFrom(id)));
      expect(tally(outcomes)).toEqual({ started: 1, 'intent-used': 49 });
    });

    it('start again once the code has expired, and not a millisecond earlier', async () => {
      const { id } = await added();
      const { verification } = await started({ intentId: id });
      expect((await startFrom(id, verification.expiresAt - 1)).kind).toBe('intent-used');
      expect((await startFrom(id, verification.expiresAt)).kind).toBe('started');
      expect((await startFrom(id, verification.expiresAt)).kind).toBe('intent-used');
    });

    it('start again once the verification was canceled', async () => {
      const { id } = await added();
      const { verification } = await started({ intentId: id });
      await store.cancel(verification.id, T0);
      expect((await startFrom(id)).kind).toBe('started');
    });

    it('stay used for good by an approval, even after the code would have expired', async () => {
      const { id } = await added();
      const step = await started({ intentId: id });
      await approve(step);
      expect((await startFrom(id, step.verification.expiresAt)).kind).toBe('intent-used');
    });

    it('stay used for good when the guesses were spent', async () => {
      const { id } = await added();
      const step = await started({ intentId: id });
      await guessWrong(step, { times: 5 });
      expect((await startFrom(id, step.verification.expiresAt)).kind).toBe('intent-used');
    });

    it('are missing when they never were, and from the millisecond in which they expire', async () => {
      const { id, expiresAt } = await added();
      expect(await startFrom(idOf('int', 'alice'))).toEqual({ kind: 'intent-missing' });
      expect(await startFrom(id, expiresAt)).toEqual({ kind: 'intent-missing' });
      expect((await startFrom(id, expiresAt - 1)).kind).toBe('started');
      expect(await startFrom(id, expiresAt)).toEqual({ kind: 'intent-missing' });
    });

    it('cost no limit when they refuse', async () => {
      const { id } = await added();
      const charge = chargeOf('phone', 'alice', { limit: 2, windowMs: HOUR });
      await started({ intentId: id, charges: [charge] });
      await store.start(startStep({ now: T0, intentId: id, charges: [charge] }));
      await store.start(startStep({ now: T0, intentId: idOf('int', 'alice'), charges: [charge] }));
      expect(await store.start(startStep({ now: T0, charges: [charge] }))).toMatchObject({
        charges: [{ remaining: 0 }],
      });
    });
  });

  describe('an idempotency key on a start', () => {
    it('gets the first answer again, and starts and charges nothing', async () => {
      const charge = chargeOf('phone', 'alice', { limit: 2, windowMs: HOUR });
      const first = await started({ charges: [charge], idempotency: idempotencyOf('k', { now: T0 }) });
      const again = startStep({ now: T0, charges: [charge], idempotency: idempotencyOf('k', { now: T0 }) });
      expect(await store.start(again)).toMatchObject({
        kind: 'replayed',
        verification: first.verification,
        facts: { deliveryId: first.delivery.id, channel: 'sms', attemptsRemaining: 5, resendsRemaining: 3 },
      });
      expect(await store.find(again.verification.id)).toBeUndefined();
      expect((await found(first.verification.id)).deliveries).toEqual([first.delivery]);
      expect(await store.start({ ...again, idempotency: null })).toMatchObject({
        charges: [{ remaining: 0 }],
      });
    });

    it('gets it even where a limit, a lock or a used intent would refuse', async () => {
      const charge = chargeOf('phone', 'alice', { limit: 1, windowMs: HOUR });
      const intent = intentOf({ now: T0 });
      await store.addIntent(intent, T0 + DAY);
      const step = { charges: [charge], intentId: intent.id, idempotency: idempotencyOf('k', { now: T0 }) };
      const first = await started(step);
      await failGuesses(10);
      const again = await store.start(startStep({ now: T0, ...step }));
      expect(again).toMatchObject({ kind: 'replayed', verification: { id: first.verification.id } });
    });

    it('is answered with the facts of then, whatever happened since', async () => {
      const idempotency = idempotencyOf('k', { now: T0 });
      const first = await started({ idempotency });
      const { resendAt } = first.verification;
      await guessWrong(first);
      await store.resend(resendStep(first, { now: resendAt }));
      await approve(first, { now: resendAt });
      expect(await store.start(startStep({ now: resendAt, idempotency }))).toMatchObject({
        kind: 'replayed',
        verification: { status: 'approved', attemptsRemaining: 4, resendsRemaining: 2 },
        facts: { deliveryId: first.delivery.id, attemptsRemaining: 5, resendsRemaining: 3, resendAt },
      });
    });

    it('is refused with another request, which changes nothing', async () => {
      const charge = chargeOf('phone', 'alice', { limit: 2, windowMs: HOUR });
      await started({ charges: [charge], idempotency: idempotencyOf('k', { now: T0 }) });
      const other = startStep({
        now: T0,
        charges: [charge],
        idempotency: idempotencyOf('k', { now: T0, body: 'another' }),
      });
      expect(await store.start(other)).toEqual({ kind: 'idempotency-key-reused' });
      expect(await store.find(other.verification.id)).toBeUndefined();
      expect(await store.start({ ...other, idempotency: null })).toMatchObject({
        charges: [{ remaining: 0 }],
      });
    });

    it('is free again from the millisecond in which it expires', async () => {
      const idempotency = idempotencyOf('k', { now: T0 });
      await started({ idempotency });
      const later = (now: number, body: string) =>
        store.start(startStep({ now, idempotency: idempotencyOf('k', { now, body }) }));
      expect((await later(idempotency.expiresAt - 1, 'another')).kind).toBe('idempotency-key-reused');
      expect((await later(idempotency.expiresAt, 'another')).kind).toBe('started');
      expect((await later(idempotency.expiresAt, 'another')).kind).toBe('replayed');
      expect((await later(idempotency.expiresAt, 'the body')).kind).toBe('idempotency-key-reused');
    });

    it('keeps the earlier request when a later one under the expired key is refused', async () => {
      const idempotency = idempotencyOf('k', { now: T0 });
      await started({ idempotency });
      // About another number: on a cluster that lies elsewhere, and only the key itself is shared.
      const charges = [chargeOf('phone', 'bob', { limit: 1, windowMs: HOUR })];
      await started({ phone: 'bob', charges });
      const again = (now: number) => {
        const other = idempotencyOf('k', { now, body: 'another' });
        return store.start(startStep({ now, phone: 'bob', charges, idempotency: other }));
      };
      expect((await again(idempotency.expiresAt)).kind).toBe('limited');
      // A clock that was set back by a moment.
      expect((await again(idempotency.expiresAt - 1)).kind).toBe('idempotency-key-reused');
    });

    it('counts by the caller’s time, however much passes in the store', async () => {
      const idempotency = idempotencyOf('k', { now: T0, ttlMs: 1 });
      await started({ idempotency });
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect((await store.start(startStep({ now: T0, idempotency }))).kind).toBe('replayed');
    });

    it('lets one of 50 starts at once through, and gives the others its answer', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, () =>
          store.start(startStep({ now: T0, idempotency: idempotencyOf('k', { now: T0 }) })),
        ),
      );
      expect(tally(outcomes)).toEqual({ started: 1, replayed: 49 });
      const ids = outcomes.flatMap((one) => (one.kind === 'replayed' ? [one.verification.id] : []));
      expect(new Set(ids).size).toBe(1);
    });

    it('keeps out of other keys', async () => {
      await started({ idempotency: idempotencyOf('one', { now: T0 }) });
      await started({ idempotency: idempotencyOf('other', { now: T0 }) });
      await started();
    });
  });
}
