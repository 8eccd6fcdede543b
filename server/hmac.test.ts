import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMac, type Part } from './hmac.ts';

/** What is hashed, written down a second time. */
const framed = (parts: readonly Part[]) =>
  Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );

const key = fc.uint8Array({ maxLength: 64 });
const parts = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 300 })));

it('is what OpenSSL’s HMAC is, for any key and any parts', () => {
  fc.assert(
    fc.property(key, parts, (bytes, list) => {
      const expected = createHmac('sha256', bytes).update(framed(list)).digest();
      expect(createMac(bytes).bytes(list)).toEqual(expected);
      expect(createMac(bytes).text(list)).toBe(expected.toString('base64url'));
    }),
    { numRuns: 2_000 },
  );
});

it('is so for parts of any length', () => {
  const mac = createMac(Buffer.alloc(32, 7));
  for (const length of [0, 1, 55, 56, 63, 64, 65, 4_000, 4_096, 5_000, 100_000]) {
    const list = ['é'.repeat(length), Buffer.alloc(length, 1)];
    expect(mac.bytes(list)).toEqual(createHmac('sha256', Buffer.alloc(32, 7)).update(framed(list)).digest());
  }
});

it('keeps what it gave when more is asked for', () => {
  const mac = createMac(Buffer.alloc(32, 7));
  const first = mac.bytes(['one']);
  const copy = Buffer.from(first);
  mac.bytes(['another']);
  expect(first).toEqual(copy);
});

it('tells lists apart whose parts join to the same text', () => {
  const mac = createMac(Buffer.alloc(32, 7));
  const lists = [['ab', 'c'], ['a', 'bc'], ['abc'], ['', 'abc'], ['abc', '']];
  expect(new Set(lists.map((list) => mac.text(list))).size).toBe(lists.length);
});

it('refuses a key longer than a block', () => {
  expect(() => createMac(Buffer.alloc(65))).toThrow(RangeError);
});
