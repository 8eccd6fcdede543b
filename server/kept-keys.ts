/**
 * Keys that must outlive a change of the server's secret: made once, kept in the store, sealed under it.
 *
 *     const { index, pairwise, refresh } = await loadKeptKeys(store, keyring);
 *     index.mac('limit', 'phone', siteId, '+31612345678');
 *     await refresh(log);    // every half minute
 *
 * `index` makes what limits, failed guesses and idempotency keys are found by: a changed secret must not
 * forget them. `pairwise` makes `phone_hash`, which sites keep for good. A store that lost them, as a Redis
 * that keeps nothing does, gets them back from whichever server still runs.
 */
import { randomBytes } from 'node:crypto';
import type { Log } from './log.ts';
import { type Keyring, Secret } from './secrets.ts';
import type { Store } from './store/store.ts';

export type KeptKeys = {
  index: Secret;
  pairwise: Secret;
  /** Puts back what the store lost. */
  refresh(log: Log): Promise<void>;
};

export async function loadKeptKeys(store: Store, keyring: Keyring): Promise<KeptKeys> {
  const keys = new Map<string, string>();

  const load = async (name: string) => {
    const kept = await store.keepSecret(
      name,
      keyring.seal('kept-key', randomBytes(32).toString('base64url'), name),
    );
    const key = keyring.open('kept-key', kept, name);
    if (!keyring.isFresh(kept)) await store.resealSecret(name, keyring.seal('kept-key', key, name));
    keys.set(name, key);
    return new Secret(key);
  };

  async function refresh(log: Log): Promise<void> {
    for (const [name, key] of keys) {
      const sealed = keyring.seal('kept-key', key, name);
      const kept = await store.keepSecret(name, sealed);
      if (kept === sealed) log.warn({ event: 'keys.put-back', name });
      // A server that started in between made another one: they do not count together until one restarts.
      else if (keyring.open('kept-key', kept, name) !== key) log.error({ event: 'keys.replaced', name });
    }
  }

  return { index: await load('index'), pairwise: await load('pairwise'), refresh };
}
