/**
 * The keys that sign proofs: made at first start, shared through the store, rotated by themselves.
 *
 *     const keys = await loadSigningKeys({ store, keyring, clock, log, algorithm, overlapMs, rotationMs, proofMs });
 *     const { kid, privateKey } = await keys.current();
 *     await keys.refresh();   // every half minute, in every process
 *     keys.jwks();            // { keys: [ …public JWKs ] }
 *
 * A stored key never changes. The newest one whose `signsFrom` has come signs; a successor is published
 * `overlapMs` before it signs, so that verifiers which cache the set know it in time; an old one stays
 * published until its last proof is over, and `MARGIN_MS` longer.
 *
 * Why no proof stands under a key that is not published:
 *
 * - A process signs with what it read from the store, never with what it made itself.
 * - It may not have heard of a successor, `rotate({ immediately })` included. So it signs for at most
 *   `LATE_MS` after its last look, and looks again first: half of the margin, whatever the overlap is.
 * - A clock that is behind signs with the old key for longer, and dates its proofs back by as much: they
 *   end on time. One that is ahead signs early with a key that has been published for the rest of the
 *   overlap, and retires the old one early: harmless up to the other half of the margin, and beyond that
 *   its proofs, which are from the future, are refused anyway.
 */
import { createPrivateKey } from 'node:crypto';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  errors,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWK,
  type JWTVerifyGetKey,
} from 'jose';
import { z } from 'zod';
import { type Clock, toTimestamp } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Keyring } from '../secrets.ts';
import { type SigningKey, type Store, StoreUnavailable } from '../store/store.ts';
import { type ProofAlgorithm, proofAlgorithms } from './claims.ts';
import type { JwtSigner } from './sign.ts';

export type Signer = JwtSigner;

export type SigningKeys = {
  /**
   * The key that signs now; a promise where the store must be asked first.
   *
   * @throws StoreUnavailable when this process cannot know which one that is, or cannot use it
   */
  current(): Signer | Promise<Signer>;
  /** Every key under which a valid proof may stand, and the one that signs next. */
  jwks(): JSONWebKeySet;
  /** The same keys, for jose to verify with; one that is not among them is looked for in the store. */
  forVerifying: JWTVerifyGetKey;
  /** Oldest first, with what each does at the moment. */
  list(): { kid: string; algorithm: string; signsFrom: number; state: 'next' | 'signing' | 'published' }[];
  /** When the newest key gets its successor by itself; undefined where it gets none. */
  rotatesAt(): number | undefined;
  /**
   * Adds a key that takes over after the overlap, or at once. Returns its id; where another process (or
   * an earlier call) has one waiting already, that one's.
   */
  rotate(options?: { immediately?: boolean }): Promise<string>;
  /** Reads what other processes changed, adds a successor when it is time, forgets keys that are over. */
  refresh(): Promise<void>;
};

export type SigningKeysOptions = {
  store: Store;
  keyring: Keyring;
  clock: Clock;
  log: Log;
  algorithm: ProofAlgorithm;
  /** At most `rotationMs`. */
  overlapMs: number;
  /** How long a key signs; `false` leaves it to `rotate`. */
  rotationMs: number | false;
  /** The longest life of a proof. */
  proofMs: number;
};

/** A key stays published so much longer than its last proof lives: for what clocks and processes miss. */
const MARGIN_MS = 3_600_000;
const LATE_MS = MARGIN_MS / 2;

/** As it stands in the store, and what this process can do with it. */
type KnownKey = {
  stored: SigningKey;
  publicJwk: JWK;
  /** Absent where a newer release chose an algorithm that this one does not know. */
  signer?: Signer;
  /** Why it could not be opened. Nobody vouches for such a key, and it is not published. */
  fault?: unknown;
};

export async function loadSigningKeys(options: SigningKeysOptions): Promise<SigningKeys> {
  const { store, keyring, clock, log, algorithm, overlapMs, rotationMs, proofMs } = options;
  let keys: KnownKey[] = [];
  /** When the store was asked for `keys`, and how many reads had begun by then. */
  let readAt = 0;
  let reads = 0;
  let newestRead = 0;

  const newest = () => keys.at(-1)?.stored;

  /** From then on a later key signs in its place. */
  const endOf = (index: number) =>
    Math.min(...keys.slice(index + 1).map(({ stored }) => stored.signsFrom), Number.POSITIVE_INFINITY);
  const isOver = (index: number, now: number) => now >= endOf(index) + proofMs + MARGIN_MS;

  async function read(): Promise<void> {
    reads += 1;
    const nth = reads;
    const askedAt = clock();
    let stored = await store.signingKeys();
    if (stored.length === 0 && keys.length > 0) {
      await putBack();
      stored = await store.signingKeys();
    }
    const known = new Map(keys.map((key) => [key.stored.kid, key]));
    const loaded = await Promise.all(stored.map((key) => known.get(key.kid) ?? load(key)));
    // What a later read found is newer.
    if (nth < newestRead) return;
    [newestRead, keys, readAt] = [nth, loaded, askedAt];
  }

  /** The store lost them, as a Redis that keeps nothing does: proofs that were given stay good. */
  async function putBack(): Promise<void> {
    for (const [index, { stored }] of keys.entries()) {
      await store.addSigningKey(stored, keys[index - 1]?.stored.kid ?? null);
    }
    log.warn({ event: 'keys.put-back', kids: keys.map(({ stored }) => stored.kid) });
  }

  async function load(stored: SigningKey): Promise<KnownKey> {
    const { kid } = stored;
    const publicJwk: JWK = JSON.parse(stored.publicJwk);
    try {
      const sealed = stored.sealedPrivateJwk;
      const privateJwk = keyring.open('signing-key', sealed, kid);
      assertPair(kid, publicJwk, JSON.parse(privateJwk));
      if (!keyring.isFresh(sealed)) {
        await store.resealSigningKey(kid, keyring.seal('signing-key', privateJwk, kid));
      }
      const known = z.enum(proofAlgorithms).safeParse(stored.algorithm);
      if (!known.success) return { stored, publicJwk };
      const privateKey = createPrivateKey({ key: JSON.parse(privateJwk), format: 'jwk' });
      return { stored, publicJwk, signer: { kid, algorithm: known.data, privateKey } };
    } catch (fault) {
      if (fault instanceof StoreUnavailable) throw fault;
      log.error({ event: 'keys.unusable', kid, error: String(fault) });
      return { stored, publicJwk, fault };
    }
  }

  /** Of several processes that add at once, one wins; the others read what it added. */
  async function add(signsFrom: number): Promise<boolean> {
    const before = newest()?.kid ?? null;
    const key = await makeKey(keyring, algorithm, clock(), signsFrom);
    const isAdded = await store.addSigningKey(key, before);
    await read();
    return isAdded;
  }

  function signingIndex(now: number): number {
    const index = keys.findLastIndex(({ stored }) => stored.signsFrom <= now);
    // A clock that was set back must not leave the server without a key.
    return Math.max(index, 0);
  }

  function signer(): Signer {
    const now = clock();
    const due = signingIndex(now);
    // Where the due one cannot be used, the one before it may go on for a while: it is still published.
    const usable = keys.findLast((key, index) => index <= due && key.signer && now < endOf(index) + LATE_MS);
    if (usable?.signer) return usable.signer;
    throw new StoreUnavailable('no signing key can be used', { cause: keys[due]?.fault });
  }

  function current(): Signer | Promise<Signer> {
    const isStale = Math.abs(clock() - readAt) > LATE_MS;
    return isStale ? read().then(signer) : signer();
  }

  async function rotate({ immediately = false } = {}): Promise<string> {
    for (;;) {
      await read();
      const now = clock();
      const waiting = newest();
      if (waiting && waiting.signsFrom > now && !immediately) return waiting.kid;
      const isAdded = await add(now + (immediately ? 0 : overlapMs));
      const { kid = '', signsFrom = now } = newest() ?? {};
      // A key that leaked must not sign on because another process added one for tomorrow.
      if (isAdded || !immediately || signsFrom <= now) return kid;
    }
  }

  function rotatesAt(): number | undefined {
    const last = newest();
    return last && rotationMs !== false ? last.signsFrom + rotationMs - overlapMs : undefined;
  }

  function jwks(): JSONWebKeySet {
    const now = clock();
    const published = keys.filter(({ fault }, index) => fault === undefined && !isOver(index, now));
    return { keys: published.map(({ publicJwk }) => publicJwk) };
  }

  /** jose imports each key of a set once: the set is made anew only when the keys in it change. */
  let verifying: { kids: string; find: JWTVerifyGetKey } | undefined;
  const find: JWTVerifyGetKey = (header, token) => {
    const set = jwks();
    const kids = set.keys.map(({ kid }) => kid).join();
    if (verifying?.kids !== kids) verifying = { kids, find: createLocalJWKSet(set) };
    return verifying.find(header, token);
  };
  const forVerifying: JWTVerifyGetKey = async (header, token) => {
    try {
      return await find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // Another process may sign with a key that took over at once.
      await read();
      return find(header, token);
    }
  };

  await read();
  for (const { fault } of keys) if (fault) throw fault;
  if (keys.length === 0) await add(clock());
  while (newest()?.algorithm !== algorithm) await add(clock() + overlapMs);

  return {
    current,
    rotate,
    rotatesAt,
    jwks,
    forVerifying,

    list: () => {
      const signing = signingIndex(clock());
      return keys.map(({ stored: { kid, algorithm, signsFrom } }, index) => ({
        kid,
        algorithm,
        signsFrom,
        state: index > signing ? 'next' : index === signing ? 'signing' : 'published',
      }));
    },

    refresh: async () => {
      await read();
      const now = clock();
      const due = rotatesAt();
      if (due !== undefined && now >= due && (await add(now + overlapMs))) {
        const { kid, signsFrom = now } = newest() ?? {};
        log.info({ event: 'keys.rotated', kid, algorithm, signsFrom: toTimestamp(signsFrom) });
      }
      const over = keys.filter((_, index) => isOver(index, now));
      for (const { stored } of over) await store.removeSigningKey(stored.kid);
      if (over.length > 0) await read();
    },
  };
}

/** Whoever can write to the store, and cannot seal, must not have another public key published. */
function assertPair(kid: string, publicJwk: JWK, privateJwk: Record<string, unknown>): void {
  const { kid: named, alg: _alg, use: _use, ...members } = publicJwk;
  const isPair = Object.entries(members).every(([name, value]) => privateJwk[name] === value);
  if (named !== kid || !isPair) throw new Error(`the public part of signing key ${kid} is not its own`);
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
