import { afterAll, beforeAll } from 'vitest';
import { describeStore } from '../contract.ts';
import { describeRaces } from '../testing/races.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { openRedisStore } from './redis.ts';

let redis: RedisServer;
let stores = 0;
/** A prefix of its own is an empty store. */
const empty = () => {
  stores += 1;
  return { url: redis.url, prefix: `test${stores}` };
};

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

describeStore('the Redis store', () => openRedisStore(empty()), { forgets: 'by itself' });

describeRaces('the Redis store', async () => ({
  module: import.meta.resolve('./redis.ts'),
  open: 'openRedisStore',
  options: empty(),
}));
