/**
 * Whether a path still leads to the file that was opened. Where it was removed or replaced, everything is
 * written on into a file without a name, which is gone with the process, and other processes open another.
 *
 *     const assertSameFile = sameFile('data/phone-proof.sqlite');
 *     assertSameFile();
 */
import { type BigIntStats, statSync } from 'node:fs';
import { StoreUnavailable } from '../store.ts';

/** Looked at so often at most: a step takes less time than a look. */
const INTERVAL_MS = 250;

/** Call it once the file is open. What it returns throws StoreUnavailable while the file is not there. */
export function sameFile(file: string): () => void {
  if (file === ':memory:') return () => {};
  const look = (): BigIntStats | undefined => {
    try {
      return statSync(file, { bigint: true });
    } catch {
      return undefined;
    }
  };
  const opened = look();
  let isThere = true;
  let lookedAt = performance.now();
  return () => {
    const now = performance.now();
    if (!isThere || now - lookedAt >= INTERVAL_MS) {
      const found = look();
      isThere = found?.ino === opened?.ino && found?.dev === opened?.dev;
      lookedAt = now;
    }
    if (isThere) return;
    throw new StoreUnavailable(
      `the database ${file} was removed or replaced while in use: put it back, or restart the server`,
    );
  };
}
