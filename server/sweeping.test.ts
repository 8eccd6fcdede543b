import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqliteStore } from './store/sqlite/sqlite.ts';
import type { Store } from './store/store.ts';
import { HOUR, redeemStep, T0 } from './store/testing/steps.ts';
import { createSweep } from './sweeping.ts';

let store: Store;
beforeEach(async () => {
  store = openSqliteStore({ file: ':memory:' });
  // More than one piece, and one that must stay.
  for (let nth = 0; nth < 350; nth += 1) {
    await store.redeem(redeemStep({ now: T0, jti: `proof ${nth}`, forgetAt: T0 + HOUR }));
  }
  await store.redeem(redeemStep({ now: T0, jti: 'late', forgetAt: T0 + HOUR + 1 }));
});
afterEach(() => store.close());

const isKept = async (jti: string) =>
  (await store.redeem(redeemStep({ now: T0, jti }))).kind === 'already-redeemed';

it('goes on until nothing more may be forgotten', async () => {
  await createSweep({ store, clock: () => T0 + HOUR, isOver: () => false })();
  expect(await store.sweep(T0 + HOUR)).toBe(0);
  expect([await isKept('proof 0'), await isKept('proof 349'), await isKept('late')]).toEqual([
    false,
    false,
    true,
  ]);
});

it('stops when the server does', async () => {
  await createSweep({ store, clock: () => T0 + HOUR, isOver: () => true })();
  expect(await isKept('proof 0')).toBe(true);
});

it('does nothing while one is under way, and works again after one that failed', async () => {
  let calls = 0;
  const failing = {
    sweep: async () => {
      calls += 1;
      throw new Error('no store');
    },
  };
  const sweep = createSweep({ store: failing, clock: () => T0, isOver: () => false });
  const [first, second] = await Promise.allSettled([sweep(), sweep()]);
  expect([first.status, second.status, calls]).toEqual(['rejected', 'fulfilled', 1]);
  await expect(sweep()).rejects.toThrow('no store');
  expect(calls).toBe(2);
});
