import { describe, expect, it } from 'vitest';
import type { CodeShape } from '../contract.ts';
import { createKeyring } from '../secrets.ts';
import { verificationOf } from '../store/testing/steps.ts';
import { clientSecretOf, openClientSecret, secretOf, siteTag } from './client-secret.ts';

const SECRET = 'a secret for tests, long enough to be one';
const OTHER = 'another secret, just as long as the first';
const keyring = createKeyring([SECRET]);
const ID = 'vrf_k3AAAAAAAAAAAAAAAAAAAAAA';
const seed = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');

const madeBy = (ring = keyring, code: CodeShape = { length: 6, alphabet: 'numeric' }, siteId = 'shop') =>
  verificationOf({
    now: 0,
    id: ID,
    siteId,
    code,
    seed: seed.toString('base64url'),
    secretId: ring.newest.id.toString('base64url'),
  });

const clientSecret = clientSecretOf(keyring, madeBy());

describe('a client secret', () => {
  // Computed by another implementation (Python's hmac and hashlib) from the layout in the module's header.
  it.each([
    [6, 'numeric', 'cs_CCt_xgaNkAHTAAECAwQFBgcICQoLDA0ODxQa0BoIGK5TevrknbkZDMs'],
    [10, 'alphanumeric', 'cs_CCt_xoqNkAHTAAECAwQFBgcICQoLDA0OD76P6rk6R-3Xz1sW6aBhMRo'],
  ] as const)('for %d %s symbols is known', (length, alphabet, expected) => {
    expect(clientSecretOf(keyring, madeBy(keyring, { length, alphabet }))).toBe(expected);
  });

  it.each(
    (['numeric', 'alphanumeric'] as const).flatMap((alphabet) =>
      [4, 5, 6, 7, 8, 9, 10].map((length) => ({ length, alphabet })),
    ),
  )('gives back seed, site and $length $alphabet symbols', (shape) => {
    const verification = madeBy(keyring, shape, 'my-shop');
    const opened = openClientSecret(keyring, ID, clientSecretOf(keyring, verification));
    expect(opened).toEqual({ secret: keyring.newest, siteTag: siteTag('my-shop'), shape, seed });
  });

  it('is the same one every time', () => {
    expect(clientSecretOf(keyring, madeBy())).toBe(clientSecret);
    expect(clientSecretOf(createKeyring([OTHER, SECRET]), madeBy())).toBe(clientSecret);
  });

  it('goes into a header and a URL as it is', () => {
    expect(clientSecret).toMatch(/^cs_[A-Za-z0-9_-]{55}$/);
  });

  it('differs between sites, shapes, seeds, verifications and secrets', () => {
    const all = [
      clientSecret,
      clientSecretOf(keyring, madeBy(keyring, { length: 7, alphabet: 'numeric' })),
      clientSecretOf(keyring, madeBy(keyring, { length: 6, alphabet: 'alphanumeric' })),
      clientSecretOf(keyring, madeBy(keyring, undefined, 'other')),
      clientSecretOf(keyring, { ...madeBy(), id: ID.replace(/A$/, 'B') }),
      clientSecretOf(keyring, { ...madeBy(), seed: Buffer.alloc(16).toString('base64url') }),
      clientSecretOf(createKeyring([OTHER]), madeBy(createKeyring([OTHER]))),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('opens after the server’s secret was changed, as long as the old one is kept', () => {
    const rotated = createKeyring([OTHER, SECRET]);
    expect(openClientSecret(rotated, ID, clientSecret)?.seed).toEqual(seed);
    expect(openClientSecret(createKeyring([OTHER]), ID, clientSecret)).toBeUndefined();
  });

  it('opens with no other verification’s id', () => {
    for (const id of [ID.replace(/A$/, 'B'), '', `${ID}A`, ID.slice(1)]) {
      expect(openClientSecret(keyring, id, clientSecret)).toBeUndefined();
    }
  });

  it('is refused with any single bit turned', () => {
    const bytes = Buffer.from(clientSecret.slice(3), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const turned = Buffer.from(bytes);
      turned[bit >> 3]! ^= 1 << (bit & 7);
      expect(
        openClientSecret(keyring, ID, `cs_${turned.toString('base64url')}`),
        `bit ${bit}`,
      ).toBeUndefined();
    }
  });

  it('is refused with any character changed, left out or doubled', () => {
    for (let at = 0; at < clientSecret.length; at += 1) {
      const [before, after] = [clientSecret.slice(0, at), clientSecret.slice(at + 1)];
      const one = clientSecret.charAt(at);
      const other = one === 'A' ? 'B' : 'A';
      for (const text of [before + other + after, before + after, before + one + one + after]) {
        expect(openClientSecret(keyring, ID, text), text).toBeUndefined();
      }
    }
  });

  it('is refused at any other length', () => {
    for (let length = 0; length < clientSecret.length; length += 1) {
      expect(openClientSecret(keyring, ID, clientSecret.slice(0, length))).toBeUndefined();
    }
    const longer = Buffer.concat([Buffer.from(clientSecret.slice(3), 'base64url'), Buffer.alloc(1)]);
    expect(openClientSecret(keyring, ID, `cs_${longer.toString('base64url')}`)).toBeUndefined();
  });

  it.each([
    '',
    'cs_',
    'cs_!!!!',
    'Bearer cs_x',
    clientSecret.slice(3),
    clientSecret.replace('cs_', 'CS_'),
    ` ${clientSecret}`,
    'cs_'.repeat(1_000),
    `cs_${'A'.repeat(55)}`,
    'cs_\u0000',
    '__proto__',
  ])('is not %j', (text) => {
    expect(openClientSecret(keyring, ID, text)).toBeUndefined();
  });

  it.each([
    ['something appended that base64 skips', `${clientSecret}!`],
    ['padding', `${clientSecret}==`],
    ['a space in the middle', `${clientSecret.slice(0, 20)} ${clientSecret.slice(20)}`],
    ['a line end', `${clientSecret}\n`],
  ])('has one spelling only: not with %s', (_what, text) => {
    expect(openClientSecret(keyring, ID, text)).toBeUndefined();
  });

  it('cannot be made again once its secret is gone, and says so', () => {
    const verification = madeBy();
    expect(() => clientSecretOf(createKeyring([OTHER]), verification)).toThrow(/no longer configured/);
    expect(secretOf(createKeyring([OTHER, SECRET]), verification).id).toEqual(keyring.newest.id);
  });
});

describe('a site’s tag', () => {
  it('is four bytes of its own', () => {
    expect(Buffer.from(siteTag('shop'), 'base64url')).toHaveLength(4);
    expect(siteTag('shop')).not.toBe(siteTag('shop2'));
    expect(siteTag('shop')).toBe(siteTag('shop'));
  });
});
