/**
 * Deletes what may be forgotten, until nothing more may: in small pieces, because requests wait for each.
 *
 *     const sweep = createSweep({ store, clock, isOver: () => isDraining });
 *     await sweep();    // every few seconds; while one goes on, another does nothing
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from './clock.ts';
import type { Store } from './store/store.ts';

const PAUSE_MS = 10;

export function createSweep({
  store,
  clock,
  isOver,
}: {
  store: Pick<Store, 'sweep'>;
  clock: Clock;
  /** The server is about to close the store. */
  isOver(): boolean;
}): () => Promise<void> {
  let isSweeping = false;
  return async () => {
    if (isSweeping) return;
    isSweeping = true;
    try {
      while (!isOver() && (await store.sweep(clock())) > 0) await delay(PAUSE_MS);
    } finally {
      isSweeping = false;
    }
  };
}
