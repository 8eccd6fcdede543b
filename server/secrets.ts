/**
 * The server's secret, and every key derived from it.
 *
 *     const keyring = createKeyring([process.env.PHONE_PROOF_SECRET]);
 *     const tag = keyring.newest.mac('phone', siteId, '+31612345678');
 *     const sealed = keyring.seal('phone', '+31612345678', verificationId);
 *
 * One secret is configured; each use gets its own key by HKDF (RFC 5869), so that no value made for
 * one use means anything in another. Several secrets may be given: the first makes new values, the
 * others still open old ones, which is how a secret is changed without downtime.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { createMac, type Mac, type Part } from './hmac.ts';
import { randomBytes } from './random.ts';

/** What a derived key is for. */
export type KeyUse =
  | 'code'
  | 'client'
  | 'phone'
  | 'limit'
  | 'idempotency'
  | 'signing-key'
  | 'kept-key'
  | 'pairwise';

/** 32 characters of a random string are at least 128 bits in any customary encoding. */
export const MIN_SECRET_LENGTH = 32;

/** Names the secret that made a value, without telling anything about it. */
export const KEY_ID_BYTES = 4;

const GCM_NONCE_BYTES = 12;
const GCM_TAG_BYTES = 16;

export class Secret {
  /** `KEY_ID_BYTES` long. */
  readonly id: Buffer;
  readonly #secret: KeyObject;
  readonly #derived = new Map<KeyUse, { key: KeyObject; mac: Mac }>();

  constructor(secret: string) {
    this.#secret = createSecretKey(Buffer.from(secret, 'utf8'));
    this.id = createHash('sha256')
      .update('phone-proof key id\0')
      .update(secret)
      .digest()
      .subarray(0, KEY_ID_BYTES);
  }

  #for(use: KeyUse): { key: KeyObject; mac: Mac } {
    let derived = this.#derived.get(use);
    if (!derived) {
      const bytes = Buffer.from(
        hkdfSync('sha256', this.#secret, Buffer.alloc(0), `phone-proof ${use} v1`, 32),
      );
      derived = { key: createSecretKey(bytes), mac: createMac(bytes) };
      this.#derived.set(use, derived);
    }
    return derived;
  }

  key(use: KeyUse): KeyObject {
    return this.#for(use).key;
  }

  /** HMAC-SHA-256 over a list of parts: no two lists collide (see `hmac.ts`). */
  mac(use: KeyUse, ...parts: Part[]): Buffer {
    return this.#for(use).mac.bytes(parts);
  }

  /** The same as base64url. */
  macText(use: KeyUse, ...parts: Part[]): string {
    return this.#for(use).mac.text(parts);
  }
}

/** What a former secret sealed, after that secret was taken out of the configuration. */
export class SecretGone extends Error {
  override readonly name = 'SecretGone';
  constructor() {
    super(
      'sealed under a secret that is no longer configured: put it behind the new one in PHONE_PROOF_SECRET',
    );
  }
}

export type Keyring = {
  /** Makes new values. */
  newest: Secret;
  /** The secret that made a value, by the id the value carries. */
  find(id: Uint8Array): Secret | undefined;
  /** Encrypts (AES-256-GCM) for one use and one place: it opens only with the same `context`. */
  seal(use: KeyUse, plaintext: string, context: string): string;
  /**
   * @throws SecretGone when its secret is no longer configured
   * @throws Error when the text was altered or belongs elsewhere
   */
  open(use: KeyUse, sealed: string, context: string): string;
  /** True when it was sealed by the newest secret. */
  isFresh(sealed: string): boolean;
};

/** @param secrets newest first; each at least `MIN_SECRET_LENGTH` characters (the config checks that). */
export function createKeyring(secrets: [string, ...string[]]): Keyring {
  const [newestSecret, ...older] = secrets;
  const newest = new Secret(newestSecret);
  const all = [newest, ...older.map((secret) => new Secret(secret))];
  if (new Set(all.map(({ id }) => id.toString('hex'))).size < all.length) {
    throw new Error('two of the configured secrets cannot be told apart: replace the newer one');
  }
  const find = (id: Uint8Array) => all.find((secret) => secret.id.equals(id));

  return {
    newest,
    find,

    seal(use, plaintext, context) {
      const nonce = randomBytes(GCM_NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', newest.key(use), nonce);
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
      return Buffer.concat([newest.id, nonce, cipher.getAuthTag(), body]).toString('base64url');
    },

    open(use, sealed, context) {
      const bytes = Buffer.from(sealed, 'base64url');
      const secret = find(bytes.subarray(0, KEY_ID_BYTES));
      if (!secret) throw new SecretGone();
      const nonceEnd = KEY_ID_BYTES + GCM_NONCE_BYTES;
      const tagEnd = nonceEnd + GCM_TAG_BYTES;
      const decipher = createDecipheriv(
        'aes-256-gcm',
        secret.key(use),
        bytes.subarray(KEY_ID_BYTES, nonceEnd),
        {
          authTagLength: GCM_TAG_BYTES,
        },
      );
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(nonceEnd, tagEnd));
      return decipher.update(bytes.subarray(tagEnd), undefined, 'utf8') + decipher.final('utf8');
    },

    isFresh: (sealed) => Buffer.from(sealed, 'base64url').subarray(0, KEY_ID_BYTES).equals(newest.id),
  };
}
