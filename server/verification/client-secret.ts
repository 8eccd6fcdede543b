/**
 * The secret that only the browser which started a verification holds. It is built, not stored.
 *
 *     const clientSecret = clientSecretOf(keyring, verification);
 *     const opened = openClientSecret(keyring, 'vrf_…', clientSecret);   // undefined for a stranger
 *
 * It carries the seed of the code, the code's shape and the site, authenticated under the server's key
 * together with the verification's id. A stranger is refused before the store is asked, and the right
 * code is known without asking it.
 *
 *     'cs_' base64url( key id 4 ‖ shape 1 ‖ site 4 ‖ seed 16 ‖ HMAC-SHA-256 truncated to 16 )
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { CodeShape } from '../contract.ts';
import { KEY_ID_BYTES, type Keyring, type Secret } from '../secrets.ts';
import type { Verification } from '../store/store.ts';
import { SEED_BYTES } from './codes.ts';

const PREFIX = 'cs_';
const SITE_BYTES = 4;
/** 128 bits: a forger gets 2^-128 a try (NIST SP 800-107 §5.3.3 allows truncation to half). */
const MAC_BYTES = 16;

const SHAPE_AT = KEY_ID_BYTES;
const SITE_AT = SHAPE_AT + 1;
const SEED_AT = SITE_AT + SITE_BYTES;
const MAC_AT = SEED_AT + SEED_BYTES;
const TOTAL_BYTES = MAC_AT + MAC_BYTES;

/** One byte: the top bit is the alphabet, the rest the length. */
const ALPHANUMERIC_BIT = 0x80;

export type OpenedClientSecret = { secret: Secret; siteTag: string; shape: CodeShape; seed: Buffer };

/** Names a site within a client secret. */
export function siteTag(siteId: string): string {
  let tag = siteTags.get(siteId);
  if (tag === undefined) {
    tag = createHash('sha256').update(siteId).digest().subarray(0, SITE_BYTES).toString('base64url');
    siteTags.set(siteId, tag);
  }
  return tag;
}

/** As many as there are sites. */
const siteTags = new Map<string, string>();

/**
 * The same one every time, for as long as the secret that made it is configured.
 *
 * @throws Error when it no longer is
 */
export function clientSecretOf(keyring: Keyring, verification: Verification): string {
  const { id, siteId, code: shape, seed } = verification;
  const secret = secretOf(keyring, verification);
  const content = Buffer.concat([
    secret.id,
    Buffer.of((shape.alphabet === 'alphanumeric' ? ALPHANUMERIC_BIT : 0) | shape.length),
    Buffer.from(siteTag(siteId), 'base64url'),
    Buffer.from(seed, 'base64url'),
  ]);
  return PREFIX + Buffer.concat([content, macOf(secret, id, content)]).toString('base64url');
}

/** The secret that a verification was started under. */
export function secretOf(keyring: Keyring, { id, secretId }: Verification): Secret {
  const secret = keyring.find(Buffer.from(secretId, 'base64url'));
  if (!secret) throw new Error(`${id} was started under a secret that is no longer configured`);
  return secret;
}

export function openClientSecret(
  keyring: Keyring,
  verificationId: string,
  clientSecret: string,
): OpenedClientSecret | undefined {
  if (!clientSecret.startsWith(PREFIX)) return undefined;
  const encoded = clientSecret.slice(PREFIX.length);
  const bytes = Buffer.from(encoded, 'base64url');
  // Node reads base64url leniently; there is one spelling of a secret.
  if (bytes.length !== TOTAL_BYTES || bytes.toString('base64url') !== encoded) return undefined;
  const secret = keyring.find(bytes.subarray(0, KEY_ID_BYTES));
  if (!secret) return undefined;
  const expected = macOf(secret, verificationId, bytes.subarray(0, MAC_AT));
  if (!timingSafeEqual(expected, bytes.subarray(MAC_AT))) return undefined;
  const shape = bytes.readUInt8(SHAPE_AT);
  return {
    secret,
    siteTag: bytes.subarray(SITE_AT, SEED_AT).toString('base64url'),
    shape: {
      length: shape & ~ALPHANUMERIC_BIT,
      alphabet: shape & ALPHANUMERIC_BIT ? 'alphanumeric' : 'numeric',
    },
    seed: Buffer.from(bytes.subarray(SEED_AT, MAC_AT)),
  };
}

const macOf = (secret: Secret, verificationId: string, content: Uint8Array) =>
  secret.mac('client', verificationId, content).subarray(0, MAC_BYTES);
