/**
 * Random bytes in small pieces: drawn from the system in one large piece, because each call costs more
 * than the bytes. No byte is given out twice, and none stays behind once it is.
 *
 *     const seed = randomBytes(16);
 *     const id = `req_${randomId(12)}`;
 */
import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4_096;
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/** @param count at most 64 */
export function randomBytes(count: number): Buffer {
  if (used + count > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = Buffer.from(pool.subarray(used, used + count));
  pool.fill(0, used, used + count);
  used += count;
  return bytes;
}

/** base64url. */
export const randomId = (count: number): string => randomBytes(count).toString('base64url');
