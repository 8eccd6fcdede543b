/** A cluster of three primaries, each with a replica: what dies, hangs and moves while it is in use. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisCluster, startRedisCluster } from '../store/testing/redis-cluster.ts';
import type { RedisServer } from '../store/testing/redis-server.ts';
import { until } from '../testing/poll.ts';
import { expectToFailWell, expectToRecover, prepare, serverOn, startLoad, traffic } from './harness.ts';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster({
    replicas: 1,
    args: ['--appendonly', 'yes', '--appendfsync', 'always'],
  });
});
afterAll(() => cluster.stop());

const server = () => serverOn({ store: { engine: 'redis', url: cluster.url } });

const isReplaced = (old: RedisServer) =>
  until(async () => {
    const primaries = await cluster.primaries();
    return primaries.length === 3 && !primaries.includes(old);
  }, 'a failover');

describe('a cluster', () => {
  beforeEach(() => cluster.untilWhole());

  it('whose slots move loses nothing', async () => {
    const load = startLoad(await server());
    await traffic(load);
    const [one, two, three] = await cluster.primaries();
    await cluster.reshard(400, one!, two!);
    await cluster.reshard(400, two!, three!);
    await traffic(load);
    await load.stop();
  });

  it('of which a primary dies goes on with its replica', async () => {
    const load = startLoad(await server());
    await traffic(load);
    const [old] = await cluster.primaries();
    await old!.stop();
    await isReplaced(old!);
    await traffic(load);
    await load.stop();
    expect(load.refused()).toBeGreaterThan(0);
    await cluster.restart([old!]);
  });

  it('of which a primary hangs goes on with its replica', async () => {
    const load = startLoad(await server());
    await traffic(load);
    const [, old] = await cluster.primaries();
    old!.process.kill('SIGSTOP');
    await isReplaced(old!);
    await traffic(load);
    old!.process.kill('SIGCONT');
    await traffic(load);
    await load.stop();
    expect(load.refused()).toBeGreaterThan(0);
  });

  it('that is gone as a whole is waited out', async () => {
    const served = await server();
    const before = await prepare(served);
    const all = [...cluster.nodes];
    await Promise.all(all.map((node) => node.stop()));
    await expectToFailWell(served, before, { saying: /no connection to Redis/ });
    await cluster.restart(all);
    await expectToRecover(served, before);
  });
});
