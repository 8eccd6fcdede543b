import { afterAll, beforeAll, describe } from 'vitest';
import { describeStore } from '../contract.ts';
import { describeRaces } from '../testing/races.ts';
import { type RedisCluster, startRedisCluster } from '../testing/redis-cluster.ts';
import { openRedisStore } from './redis.ts';

let cluster: RedisCluster;
let stores = 0;
const empty = () => {
  stores += 1;
  return { url: cluster.url, prefix: `test${stores}` };
};

beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster.stop());

describe('on a cluster of three primaries', () => {
  describeStore('the Redis store', () => openRedisStore(empty()), {
    forgets: 'by itself',
    decides: 'slot by slot',
  });

  describeRaces('the Redis store', async () => ({
    module: import.meta.resolve('./redis.ts'),
    open: 'openRedisStore',
    options: empty(),
  }));
});
