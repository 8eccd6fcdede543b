/** Servers that are killed in the middle of load: nothing that was answered is lost, and nothing happens twice. */
import type { ChildProcess } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { survive } from './testing/kills/survive.ts';
import { sharedStores } from './testing/stores.ts';
import { tempDir } from './testing/temp-dir.ts';

const KILLS = 12;

describe.each(sharedStores)('four servers on $name', ({ isHere, open }) => {
  it.skipIf(!isHere)(
    `keep every promise while ${KILLS} of them are killed`,
    { timeout: 180_000 },
    async () => {
      const children = new Set<ChildProcess>();
      onTestFinished(() => {
        for (const child of children) child.kill('SIGKILL');
      });
      const { broken, complaints, counts } = await survive({
        kills: KILLS,
        dir: tempDir(),
        env: await open(),
        onSpawn: (child) => children.add(child),
      });
      expect(Object.values(broken).flat()).toEqual([]);
      expect(complaints).toEqual([]);
      // The kills did hit, and everything that is judged did happen.
      for (const count of ['lost', 'guesses', 'resends', 'proofs', 'redemptions'] as const) {
        expect([count, counts[count]]).toEqual([count, expect.any(Number)]);
        expect(counts[count]).toBeGreaterThan(0);
      }
    },
  );
});
