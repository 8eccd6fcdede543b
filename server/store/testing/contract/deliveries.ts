/** Deliveries: forward only, in the order in which they were handed over. */
import { describe, expect, it } from 'vitest';
import type { StartStep, Store } from '../../store.ts';
import { deliveryOf, HOUR, resendStep, SECOND, T0, verificationOf } from '../steps.ts';
import type { Fixture } from './fixture.ts';

export function describeDeliveries(fixture: Fixture): void {
  const { store, started, found, verificationAfter } = fixture;

  describe('deliveries', () => {
    const settle = (
      { verification, delivery }: StartStep,
      status: 'queued' | 'sent' | 'delivered' | 'failed',
      more: Partial<Parameters<Store['settleDelivery']>[0]> = {},
    ) =>
      store.settleDelivery({
        verificationId: verification.id,
        deliveryId: delivery.id,
        status,
        providerReference: null,
        reason: null,
        at: T0 + SECOND,
        ...more,
      });
    const firstOf = async ({ verification }: StartStep) => (await found(verification.id)).deliveries[0];

    it('carry what the provider said', async () => {
      const step = await started();
      await settle(step, 'sent', { providerReference: 'm-1', at: T0 + 5 });
      expect(await firstOf(step)).toEqual({
        ...step.delivery,
        status: 'sent',
        providerReference: 'm-1',
        at: T0 + 5,
      });
      await settle(step, 'failed', { reason: 'unknown subscriber', at: T0 + 9 });
      // A receipt that does not repeat the provider's own reference does not take it away.
      expect(await firstOf(step)).toEqual({
        ...step.delivery,
        status: 'failed',
        providerReference: 'm-1',
        reason: 'unknown subscriber',
        at: T0 + 9,
      });
    });

    const forward = {
      queued: ['sent', 'delivered', 'failed'],
      sent: ['delivered', 'failed'],
      // A receipt of success may come after one of failure, and is the better witness.
      failed: ['delivered'],
      delivered: [],
    } as const;
    const statuses = ['queued', 'sent', 'failed', 'delivered'] as const;

    it.each(statuses.flatMap((from) => statuses.map((to) => ({ from, to }))))(
      'from $from to $to: only forward',
      async ({ from, to }) => {
        const step = await started();
        await settle(step, from, { at: T0 + 1 });
        const before = await firstOf(step);
        await settle(step, to, { at: T0 + 2, providerReference: 'later' });
        const isForward = (forward[from] as readonly string[]).includes(to);
        expect(await firstOf(step)).toEqual(
          isForward ? { ...before, status: to, at: T0 + 2, providerReference: 'later' } : before,
        );
      },
    );

    it('are told apart', async () => {
      const [one, other] = [await started(), await started()];
      const again = resendStep(one, { now: one.verification.resendAt });
      await store.resend(again);
      await settle({ ...one, delivery: again.delivery }, 'sent');
      const { deliveries } = await found(one.verification.id);
      expect(deliveries.map(({ status }) => status)).toEqual(['queued', 'sent']);
      expect(await firstOf(other)).toEqual(other.delivery);
    });

    it('that nobody knows are ignored', async () => {
      const step = await started();
      await settle(step, 'sent', { deliveryId: 'dlv_neverwas' });
      await settle(step, 'sent', { verificationId: 'vrf_neverwas' });
      expect(await firstOf(step)).toEqual(step.delivery);
    });

    it('are handed over by one: the first who says so, and nobody once the outcome is known', async () => {
      const step = await started();
      const take = (by: string, at: number, { delivery } = step) =>
        store.takeDelivery({ verificationId: step.verification.id, deliveryId: delivery.id, by, at });
      const everybody = ['one', 'two', 'three', 'four'];
      const taken = await Promise.all(everybody.map((by) => take(by, T0 + 1)));
      expect(taken.filter(Boolean)).toHaveLength(1);
      const by = everybody[taken.indexOf(true)]!;
      expect(await firstOf(step)).toEqual({ ...step.delivery, reason: by, at: T0 + 1 });

      // Whoever did not hear the answer asks again.
      expect(await take(by, T0 + 2)).toBe(true);
      expect(await firstOf(step)).toEqual({ ...step.delivery, reason: by, at: T0 + 2 });

      await settle(step, 'sent', { at: T0 + 3 });
      expect(await take(by, T0 + 4)).toBe(false);
      expect(await firstOf(step)).toEqual({ ...step.delivery, status: 'sent', at: T0 + 3 });
      expect(await take(by, T0, { ...step, delivery: { ...step.delivery, id: 'dlv_neverwas' } })).toBe(false);
    });

    it('can bring the next resend forward, never put it off', async () => {
      const step = await started();
      await settle(step, 'sent', { resendAt: step.verification.resendAt + HOUR });
      expect((await verificationAfter(step)).resendAt).toBe(step.verification.resendAt);
      await settle(step, 'failed', { resendAt: T0 + SECOND });
      expect(await verificationAfter(step)).toEqual({ ...step.verification, resendAt: T0 + SECOND });
      expect((await store.resend(resendStep(step, { now: T0 + SECOND }))).kind).toBe('resent');
    });

    it('that did not move forward bring nothing forward', async () => {
      const step = await started();
      await settle(step, 'delivered');
      await settle(step, 'failed', { resendAt: T0 });
      expect((await verificationAfter(step)).resendAt).toBe(step.verification.resendAt);
    });

    it('stand in the order in which they were handed over, also within one millisecond', async () => {
      const verification = verificationOf({ now: T0, resendAt: T0, resendWaitMs: 0 });
      const delivery = deliveryOf(verification, { now: T0, id: 'dlv_zz' });
      const step = await started({ verification, delivery });
      for (const id of ['dlv_bb', 'dlv_aa', 'dlv_cc']) {
        await store.resend(
          resendStep(step, { now: T0, delivery: deliveryOf(verification, { now: T0, id }) }),
        );
      }
      const { deliveries } = await found(verification.id);
      expect(deliveries.map(({ id }) => id)).toEqual(['dlv_zz', 'dlv_bb', 'dlv_aa', 'dlv_cc']);
    });
  });
}
