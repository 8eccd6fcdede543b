/**
 * Where things lie. `{…}` is the hash tag: what it holds decides the slot on a cluster.
 *
 *     keysOf('pp').verification('vrf_k3…')    // 'pp:{k3}:v:vrf_k3…'
 *
 * Everything about one number of one site shares the tag that its ids carry. Limits per client and
 * site, idempotency keys of starts, and redemptions lie by themselves.
 */
import { shardOf, shardOfId } from '../../verification/ids.ts';
import type { Charge } from '../store.ts';

export function keysOf(prefix: string) {
  const inShard = (shard: string, kind: string, name: string) => `${prefix}:{${shard}}:${kind}:${name}`;
  return {
    verification: (id: string) => inShard(shardOfId(id), 'v', id),
    intent: (id: string) => inShard(shardOfId(id), 'i', id),
    guesses: (phoneKey: string) => inShard(shardOf(phoneKey), 'g', phoneKey),
    charge: (charge: Charge, id: string) =>
      charge.scope === 'phone'
        ? inShard(shardOfId(id), 'l', charge.key)
        : `${prefix}:{${charge.scope}|${charge.subject}}:l:${charge.key}`,
    /** Beside the verification that a resend or a check is about. */
    idempotencyAt: (id: string, key: string) => inShard(shardOfId(id), 'k', key),
    /** By itself: whose number a start is about is not known from its key. */
    idempotency: (key: string) => `${prefix}:{k|${key}}`,
    redemption: (jti: string) => `${prefix}:{j|${jti}}`,
    /** Beside the proof that a redemption is about. */
    idempotencyOf: (jti: string, key: string) => `${prefix}:{j|${jti}}:k:${key}`,
    signingKeys: `${prefix}:{keys}:signing`,
    signingKeyOrder: `${prefix}:{keys}:order`,
    schemaVersion: `${prefix}:{keys}:schema`,
    secret: (name: string) => `${prefix}:{keys}:secret:${name}`,
    ping: `${prefix}:ping`,
  };
}
