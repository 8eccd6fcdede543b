import { describe, expect, it } from 'vitest';
import { createKeyring, KEY_ID_BYTES, type KeyUse, Secret, SecretGone } from './secrets.ts';

const SECRET = 'a secret for tests, long enough to be one';
const OTHER = 'another secret, just as long as the first';
const uses: KeyUse[] = [
  'code',
  'client',
  'phone',
  'limit',
  'idempotency',
  'signing-key',
  'kept-key',
  'pairwise',
];

describe('a derived key', () => {
  // Computed by another implementation: HKDF-SHA-256 (RFC 5869) without salt, info 'phone-proof <use> v1'.
  it.each([
    ['code', '7cb032f0330e57f3277a4cfd51d44936b43fe2113952893f9e2f7dc8ee140e76'],
    ['client', '1cdb86c7b3345daf2ed5e183e8299266a8f7ab263824093dc96733393853e650'],
  ] as const)('for %s is known', (use, expected) => {
    expect(new Secret(SECRET).key(use).export().toString('hex')).toBe(expected);
  });

  it('is another one for each use and each secret', () => {
    const keys = [SECRET, OTHER].flatMap((secret) =>
      uses.map((use) => new Secret(secret).key(use).export().toString('hex')),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('a mac', () => {
  const secret = new Secret(SECRET);
  const mac = (...parts: Parameters<Secret['mac']>) => secret.mac(...parts).toString('base64url');

  // Computed by another implementation: HMAC-SHA-256 over each part after its length as four bytes.
  it.each([
    [['phone', 'shop', '+31612345678'], 'uZ8FW6QA7neIycYRJtxUs6DxQ79PTlwC4BhEPa3CTvg'],
    [['limit', 'phone', 'shop', '+31612345678'], 'xKisKZGUPgVb4qLr_c2HAgPaBl2VUvD3kMA1p2nSIN0'],
    [['phone'], '9ZXEwWeect8U4vRd__ubCkfMZ4ejSutHzAfKxfFgPvo'],
    [['phone', '', ''], 'raJkzmfs2kmBJrUhPX5SNpELoGwTmhZ3oRppRtMnSNQ'],
    [['phone', 'é'], 'IngNtjTYHjalWqfJZ1V0iGlTODgv8NcBXKk8DMZJo8k'],
  ] as [[KeyUse, ...string[]], string][])('of %j is known', (parts, expected) => {
    expect(mac(...parts)).toBe(expected);
  });

  it('is the same for text and for its bytes', () => {
    expect(mac('phone', 'é')).toBe(mac('phone', Buffer.from('é')));
  });

  it('tells apart where one part ends and the next begins', () => {
    const lists = [['ab', 'c'], ['a', 'bc'], ['abc'], ['abc', ''], ['', 'abc'], ['', '', 'abc'], []];
    expect(new Set(lists.map((parts) => mac('phone', ...parts))).size).toBe(lists.length);
  });
});

describe('a keyring', () => {
  const keyring = createKeyring([SECRET]);

  it('finds a secret by its id, and says which one is newest', () => {
    const ring = createKeyring([OTHER, SECRET]);
    expect(ring.newest.id).toEqual(new Secret(OTHER).id);
    expect(ring.find(new Secret(SECRET).id)?.id).toEqual(new Secret(SECRET).id);
    expect(ring.find(Buffer.alloc(KEY_ID_BYTES))).toBeUndefined();
    expect(ring.find(Buffer.alloc(0))).toBeUndefined();
    expect(ring.newest.id).toHaveLength(KEY_ID_BYTES);
  });

  it('names a secret by four bytes of a hash, and not of the secret', () => {
    expect(new Secret(SECRET).id.toString('hex')).toBe('082b7fc6');
  });

  describe('sealing', () => {
    it.each(['', '+31612345678', 'ß 日本 😀\u0000', 'x'.repeat(10_000)])(
      'opens to what was sealed: %j',
      (text) => {
        expect(keyring.open('phone', keyring.seal('phone', text, 'vrf_1'), 'vrf_1')).toBe(text);
      },
    );

    it('never makes the same text twice, and shows nothing of it', () => {
      const sealed = Array.from({ length: 200 }, () => keyring.seal('phone', '+31612345678', 'vrf_1'));
      expect(new Set(sealed).size).toBe(200);
      for (const one of sealed) {
        expect(Buffer.from(one, 'base64url').toString('latin1')).not.toContain('612345678');
      }
    });

    it('opens for no other use and in no other place', () => {
      const sealed = keyring.seal('phone', '+31612345678', 'vrf_1');
      for (const use of uses.filter((one) => one !== 'phone')) {
        expect(() => keyring.open(use, sealed, 'vrf_1')).toThrow();
      }
      for (const context of ['vrf_2', '', 'vrf_1 '])
        expect(() => keyring.open('phone', sealed, context)).toThrow();
    });

    it('opens with no bit turned', () => {
      const bytes = Buffer.from(keyring.seal('phone', '+31612345678', 'vrf_1'), 'base64url');
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const turned = Buffer.from(bytes);
        turned[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => keyring.open('phone', turned.toString('base64url'), 'vrf_1'), `bit ${bit}`).toThrow();
      }
    });

    it('opens at no other length', () => {
      const bytes = Buffer.from(keyring.seal('phone', '+31612345678', 'vrf_1'), 'base64url');
      for (let length = 0; length < bytes.length; length += 1) {
        const text = bytes.subarray(0, length).toString('base64url');
        expect(() => keyring.open('phone', text, 'vrf_1'), `${length} bytes`).toThrow();
      }
      expect(() =>
        keyring.open('phone', Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url'), 'vrf_1'),
      ).toThrow();
    });

    it.each(['', 'A', '!!!', 'AAAA'.repeat(20)])('opens nothing that was never sealed: %j', (text) => {
      expect(() => keyring.open('phone', text, 'vrf_1')).toThrow();
    });
  });

  describe('whose secret was changed', () => {
    const sealed = keyring.seal('phone', '+31612345678', 'vrf_1');

    it('opens what the old one sealed while it is kept, and knows that it is not fresh', () => {
      const rotated = createKeyring([OTHER, SECRET]);
      expect(rotated.open('phone', sealed, 'vrf_1')).toBe('+31612345678');
      expect(rotated.isFresh(sealed)).toBe(false);
      expect(rotated.isFresh(rotated.seal('phone', '+31612345678', 'vrf_1'))).toBe(true);
      expect(keyring.isFresh(sealed)).toBe(true);
      expect(keyring.isFresh('')).toBe(false);
    });

    it('says when the secret is no longer there', () => {
      expect(() => createKeyring([OTHER]).open('phone', sealed, 'vrf_1')).toThrow(SecretGone);
    });

    it('opens what the old one sealed even where both have the same id, or refuses the pair at once', () => {
      // Rare, and then values that nobody can open: better said at the start than met in the middle.
      const [newer, older] = [
        'the secret number 063079, which is long enough',
        'the secret number 061798, which is long enough',
      ];
      expect(new Secret(newer).id).toEqual(new Secret(older).id);
      const before = createKeyring([older]).seal('phone', '+31612345678', 'vrf_1');
      const openAfter = () => {
        let after: ReturnType<typeof createKeyring>;
        try {
          after = createKeyring([newer, older]);
        } catch {
          return 'refused at once';
        }
        return after.open('phone', before, 'vrf_1');
      };
      expect(['refused at once', '+31612345678']).toContain(openAfter());
    });
  });
});
