/**
 * HMAC-SHA-256 (RFC 2104) over Node's one-shot hash. A verification takes a dozen of them, and
 * `createHmac` costs three times as much: it sets up a context for each.
 *
 *     const mac = createMac(key);
 *     mac.bytes(['client', id, seed]);      // Buffer, 32 bytes
 *     mac.text(['phone', siteId, phone]);   // the same as base64url
 *
 * Each part is preceded by its length (four bytes, big endian), so that no two lists of parts collide.
 */
import { hash } from 'node:crypto';

export type Part = string | Uint8Array;
export type Mac = { bytes(parts: readonly Part[]): Buffer; text(parts: readonly Part[]): string };

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/** @param key at most 64 bytes */
export function createMac(key: Uint8Array): Mac {
  if (key.length > BLOCK_BYTES) throw new RangeError(`a key has at most ${BLOCK_BYTES} bytes`);
  const padded = (byte: number) => Buffer.alloc(BLOCK_BYTES, byte).map((pad, at) => pad ^ (key[at] ?? 0));
  const inner = padded(0x36);
  const outer = Buffer.concat([padded(0x5c), Buffer.alloc(DIGEST_BYTES)]);

  function outerOf(parts: readonly Part[]): Buffer {
    const message = frameBehind(inner, parts);
    outer.set(hash('sha256', message, 'buffer'), BLOCK_BYTES);
    return outer;
  }
  return {
    bytes: (parts) => hash('sha256', outerOf(parts), 'buffer'),
    text: (parts) => hash('sha256', outerOf(parts), 'base64url'),
  };
}

/** One piece of memory for every message: each of many small ones costs more than copying into this one. */
let scratch = Buffer.alloc(4_096);

/** Valid until the next call. */
function frameBehind(head: Uint8Array, parts: readonly Part[]): Buffer {
  let longest = head.length;
  // A character has at most three bytes in UTF-8; of a pair of surrogates, which has four, each counts.
  for (const part of parts) longest += 4 + (typeof part === 'string' ? part.length * 3 : part.length);
  if (longest > scratch.length) scratch = Buffer.alloc(longest);
  scratch.set(head);
  let end = head.length;
  for (const part of parts) {
    const at = end + 4;
    if (typeof part === 'string') end = at + scratch.write(part, at, 'utf8');
    else {
      scratch.set(part, at);
      end = at + part.length;
    }
    scratch.writeUInt32BE(end - at, at - 4);
  }
  return scratch.subarray(0, end);
}
