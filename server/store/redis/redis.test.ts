import { afterAll, beforeAll } from 'vitest';
import { describeStore } from '../contract.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { openRedisStore } from './redis.ts';

let redis: RedisServer;
let stores = 0;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

describeStore(
  'the Redis store',
  () => {
    stores += 1;
    return openRedisStore({ url: redis.url, prefix: `test${stores}` });
  },
  { forgets: 'by itself' },
);
