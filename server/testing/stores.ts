/**
 * The stores that whole server processes can share, for tests that must hold on each.
 *
 *     describe.each(sharedStores)('on $name', ({ isHere, open }) => {
 *       it.skipIf(!isHere)('…', async () => {
 *         const server = await serve({ cwd: dir, env: await open() });
 *       });
 *     });
 *
 * SQLite needs nothing but the data folder of the config. A test without `redis-server` counts as skipped, and
 * `npm test` says aloud what is missing.
 */
import { spawnSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { startRedis } from '../store/testing/redis-server.ts';

export type SharedStore = {
  name: string;
  isHere: boolean;
  /** An empty one, gone after the test: what a server has to find in its environment. Call it inside a test. */
  open(): Promise<Record<string, string>>;
};

const oneFile: SharedStore = { name: 'one SQLite file', isHere: true, open: async () => ({}) };

export const oneRedis: SharedStore = {
  name: 'one Redis',
  isHere: spawnSync('redis-server', ['--version']).status === 0,
  open: async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    return { REDIS_URL: redis.url };
  },
};

export const sharedStores = [oneFile, oneRedis];
