/**
 * Keys that must outlive a change of the server's secret: made once, kept in the store, sealed under it.
 *
 *     const { index, pairwise } = await loadKeptKeys(store, keyring);
 *     index.mac('limit', 'phone', siteId, '+31612345678');
 *
 * `index` makes what limits, failed guesses and idempotency keys are found by: a changed secret must not
 * forget them. `pairwise` makes `phone_hash`, which sites keep for good.
 */
import { randomBytes } from 'node:crypto';
import { type Keyring, Secret } from './secrets.ts';
import type { Store } from './store/store.ts';

export type KeptKeys = { index: Secret; pairwise: Secret };

export async function loadKeptKeys(store: Store, keyring: Keyring): Promise<KeptKeys> {
  const load = async (name: string) => {
    const kept = await store.keepSecret(
      name,
      keyring.seal('kept-key', randomBytes(32).toString('base64url'), name),
    );
    const key = keyring.open('kept-key', kept, name);
    if (!keyring.isFresh(kept)) await store.resealSecret(name, keyring.seal('kept-key', key, name));
    return new Secret(key);
  };
  return { index: await load('index'), pairwise: await load('pairwise') };
}
