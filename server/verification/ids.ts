/**
 * Identifiers: a prefix that says what it names, a shard tag, and 128 random bits.
 *
 *     const id = newId('vrf', shardOf(phoneKey));     // 'vrf_k3' + 22 characters
 *
 * Everything about one number of one site carries the same tag, so that a sharded store keeps a
 * verification beside the limits and counts of its number and decides about them in one place.
 */
import { randomId } from '../random.ts';

export type IdPrefix = 'vrf' | 'dlv' | 'int';

const SHARD_LENGTH = 2;
const RANDOM_BYTES = 16;

/** 4,096 shards: two characters of the keyed hash of site and number. */
export const shardOf = (phoneKey: string): string => phoneKey.slice(0, SHARD_LENGTH);

export const newId = (prefix: IdPrefix, shard: string): string =>
  `${prefix}_${shard}${randomId(RANDOM_BYTES)}`;

export const shardOfId = (id: string): string => id.slice(4, 4 + SHARD_LENGTH);

export const isId = (prefix: IdPrefix, text: string): boolean =>
  text.startsWith(`${prefix}_`) && /^[a-z]{3}_[A-Za-z0-9_-]{24}$/.test(text);
