/**
 * The keys that sign proofs: made at first start, shared through the store, rotated with overlap.
 *
 *     const keys = await loadSigningKeys({ store, keyring, clock, algorithm: 'ES256', overlapMs, keepMs });
 *     const { kid, privateKey } = keys.current();
 *     await keys.rotate();
 *     keys.jwks();   // { keys: [ …public JWKs ] }
 *
 * A stored key never changes. The newest one whose `signsFrom` has come signs; a new one is published
 * `overlapMs` before it signs, so that verifiers which cache the set know it in time; an old one stays
 * published for `keepMs` after its successor took over, until its last proof is over.
 */
import {
  type CryptoKey,
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  type JWTVerifyGetKey,
} from 'jose';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Keyring } from '../secrets.ts';
import type { SigningKey, Store } from '../store/store.ts';
import { type ProofAlgorithm, proofAlgorithms } from './claims.ts';

export type LoadedKey = {
  kid: string;
  algorithm: ProofAlgorithm;
  privateKey: CryptoKey;
  publicJwk: JWK;
  createdAt: number;
  signsFrom: number;
};

export type SigningKeys = {
  /** The key that signs now. */
  current(): LoadedKey;
  /** Every key under which a valid proof may stand, and the one that signs next. */
  jwks(): JSONWebKeySet;
  /** The same keys, for jose to verify with. */
  forVerifying: JWTVerifyGetKey;
  /** Oldest first, with what each does at the moment. */
  list(): { kid: string; algorithm: string; signsFrom: number; state: 'next' | 'signing' | 'published' }[];
  /**
   * Adds a key that takes over after the overlap, or at once. Returns its id; where another process (or
   * an earlier call) has one waiting already, that one's.
   */
  rotate(options?: { immediately?: boolean }): Promise<string>;
  /** Reads what other processes changed and forgets keys whose last proof is over. */
  refresh(): Promise<void>;
};

export type SigningKeysOptions = {
  store: Store;
  keyring: Keyring;
  clock: Clock;
  algorithm: ProofAlgorithm;
  overlapMs: number;
  /** At least the longest life of a proof. */
  keepMs: number;
};

export async function loadSigningKeys(options: SigningKeysOptions): Promise<SigningKeys> {
  const { store, keyring, clock, algorithm, overlapMs, keepMs } = options;
  let keys: LoadedKey[] = [];

  const newest = () => keys.at(-1);
  const successorOf = (index: number) => keys[index + 1];
  const isOver = (index: number, now: number) => {
    const successor = successorOf(index);
    return successor !== undefined && now >= successor.signsFrom + keepMs;
  };

  async function read(): Promise<void> {
    const stored = await store.signingKeys();
    const known = new Map(keys.map((key) => [key.kid, key]));
    keys = await Promise.all(stored.map((key) => known.get(key.kid) ?? load(key)));
  }

  async function load(key: SigningKey): Promise<LoadedKey> {
    const privateJwk = keyring.open('signing-key', key.sealedPrivateJwk, key.kid);
    if (!keyring.isFresh(key.sealedPrivateJwk)) {
      await store.resealSigningKey(key.kid, keyring.seal('signing-key', privateJwk, key.kid));
    }
    const keyAlgorithm = z.enum(proofAlgorithms).parse(key.algorithm);
    const imported = await importJWK(JSON.parse(privateJwk), keyAlgorithm);
    if (imported instanceof Uint8Array) throw new Error(`signing key ${key.kid} is not a private key`);
    return {
      kid: key.kid,
      algorithm: keyAlgorithm,
      privateKey: imported,
      publicJwk: JSON.parse(key.publicJwk),
      createdAt: key.createdAt,
      signsFrom: key.signsFrom,
    };
  }

  /** Of several processes that add at once, one wins; the others read what it added. */
  async function add(signsFrom: number): Promise<void> {
    const before = newest()?.kid ?? null;
    const key = await makeKey(keyring, algorithm, clock(), signsFrom);
    await store.addSigningKey(key, before);
    await read();
  }

  function signingIndex(now: number): number {
    const index = keys.findLastIndex((key) => key.signsFrom <= now);
    // A clock that was set back must not leave the server without a key.
    return Math.max(index, 0);
  }

  function current(): LoadedKey {
    const key = keys[signingIndex(clock())];
    if (!key) throw new Error('there is no signing key');
    return key;
  }

  async function rotate({ immediately = false } = {}): Promise<string> {
    await read();
    const now = clock();
    const waiting = newest();
    if (!waiting || waiting.signsFrom <= now || immediately) await add(now + (immediately ? 0 : overlapMs));
    return newest()?.kid ?? '';
  }

  function jwks(): JSONWebKeySet {
    const now = clock();
    return { keys: keys.filter((_, index) => !isOver(index, now)).map((key) => key.publicJwk) };
  }

  /** jose imports each key of a set once: the set is made anew only when the keys in it change. */
  let verifying: { kids: string; find: JWTVerifyGetKey } | undefined;
  const forVerifying: JWTVerifyGetKey = (header, token) => {
    const set = jwks();
    const kids = set.keys.map(({ kid }) => kid).join();
    if (verifying?.kids !== kids) verifying = { kids, find: createLocalJWKSet(set) };
    return verifying.find(header, token);
  };

  await read();
  if (keys.length === 0) await add(clock());
  else if (newest()?.algorithm !== algorithm) await add(clock() + overlapMs);

  return {
    current,
    rotate,

    jwks,
    forVerifying,

    list: () => {
      const now = clock();
      const signing = signingIndex(now);
      return keys.map(({ kid, algorithm: keyAlgorithm, signsFrom }, index) => ({
        kid,
        algorithm: keyAlgorithm,
        signsFrom,
        state: index > signing ? 'next' : index === signing ? 'signing' : 'published',
      }));
    },

    refresh: async () => {
      await read();
      const now = clock();
      const over = keys.filter((_, index) => isOver(index, now));
      for (const { kid } of over) await store.removeSigningKey(kid);
      if (over.length > 0) await read();
    },
  };
}

async function makeKey(
  keyring: Keyring,
  algorithm: ProofAlgorithm,
  createdAt: number,
  signsFrom: number,
): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  return {
    kid,
    algorithm,
    publicJwk: JSON.stringify({ ...publicJwk, kid, alg: algorithm, use: 'sig' }),
    sealedPrivateJwk: keyring.seal('signing-key', JSON.stringify(await exportJWK(privateKey)), kid),
    createdAt,
    signsFrom,
  };
}
