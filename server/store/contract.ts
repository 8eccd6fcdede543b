/**
 * What every store must do, as tests that each implementation passes.
 *
 *     // redis.test.ts
 *     import { describeStore } from '../contract.ts';
 *     describeStore('the Redis store', async () => openEmptyRedisStore(), { forgets: 'by itself' });
 *
 * `open` returns an empty store each time; the contract closes it. The promises stand in
 * `testing/contract/`, a file for each part of the interface; `testing/walk.ts` takes random steps beside a
 * model. Races between processes stand in `testing/races.ts`, what only one engine has in its own test.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Store, StoreUnavailable } from './store.ts';
import { describeBackwards } from './testing/contract/backwards.ts';
import { describeChecking } from './testing/contract/checking.ts';
import { describeDeliveries } from './testing/contract/deliveries.ts';
import { describeFailedGuesses } from './testing/contract/failed-guesses.ts';
import { createFixture } from './testing/contract/fixture.ts';
import { describeKeys } from './testing/contract/keys.ts';
import { describeLimits } from './testing/contract/limits.ts';
import { describeRedeeming } from './testing/contract/redeeming.ts';
import { describeResending } from './testing/contract/resending.ts';
import { describeStarting } from './testing/contract/starting.ts';
import { describeSweeping } from './testing/contract/sweeping.ts';
import {
  checkStep,
  DAY,
  intentOf,
  redeemStep,
  resendStep,
  signingKeyOf,
  startStep,
  T0,
} from './testing/steps.ts';
import { type Decides, type Forgets, walk } from './testing/walk.ts';

export type ContractOptions = {
  /** How many random steps the store takes beside the model. */
  steps?: number;
  /**
   * `when swept`: what may be forgotten is gone after `sweep(now)`. `by itself`: the engine drops it by
   * the real clock, so that a test whose clock is its own only sees that nothing goes too early.
   */
  forgets?: Forgets;
  /** `slot by slot` where a step's limits lie in several places, as on a cluster. */
  decides?: Decides;
};

export function describeStore(
  name: string,
  open: () => Promise<Store>,
  { steps = 10_000, forgets = 'when swept', decides = 'at once' }: ContractOptions = {},
): void {
  describe(name, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());
    const fixture = createFixture(() => store);
    const { started } = fixture;

    describeStarting(fixture);
    describeLimits(fixture, decides);
    describeResending(fixture);
    describeChecking(fixture);
    describeFailedGuesses(fixture);
    describeDeliveries(fixture);
    describeRedeeming(fixture);
    describeKeys(fixture);
    describeSweeping(fixture, forgets);
    describeBackwards(fixture);

    it(
      `agrees with the model over ${steps} random steps`,
      () => walk(open, { steps, forgets, decides }),
      600_000,
    );

    it('answers a ping', async () => {
      await expect(store.ping()).resolves.toBeUndefined();
    });

    it('refuses everything once it is closed, and may be closed again', async () => {
      const step = await started();
      await store.close();
      await store.close();
      const attempts: Record<keyof Omit<Store, 'close'>, () => Promise<unknown>> = {
        start: () => store.start(startStep({ now: T0 })),
        resend: () => store.resend(resendStep(step, { now: T0 })),
        check: () => store.check(checkStep(step, { now: T0, isRight: true })),
        cancel: () => store.cancel(step.verification.id, T0),
        find: () => store.find(step.verification.id),
        settleDelivery: () =>
          store.settleDelivery({
            verificationId: step.verification.id,
            deliveryId: step.delivery.id,
            status: 'sent',
            providerReference: null,
            reason: null,
            at: T0,
          }),
        takeDelivery: () =>
          store.takeDelivery({
            verificationId: step.verification.id,
            deliveryId: step.delivery.id,
            by: 'one',
            at: T0,
          }),
        addIntent: () => store.addIntent(intentOf({ now: T0 }), T0 + DAY),
        findIntent: () => store.findIntent('int_1'),
        redeem: () => store.redeem(redeemStep({ now: T0, jti: 'a' })),
        forgetGuesses: () => store.forgetGuesses('a'),
        signingKeys: () => store.signingKeys(),
        addSigningKey: () => store.addSigningKey(signingKeyOf({ kid: '1' }), null),
        removeSigningKey: () => store.removeSigningKey('1'),
        resealSigningKey: () => store.resealSigningKey('1', 'x'),
        keepSecret: () => store.keepSecret('one', 'x'),
        resealSecret: () => store.resealSecret('one', 'x'),
        sweep: () => store.sweep(T0),
        ping: () => store.ping(),
      };
      for (const [method, attempt] of Object.entries(attempts)) {
        await expect(attempt(), method).rejects.toBeInstanceOf(StoreUnavailable);
      }
    });
  });
}
