/** A primary that dies or hangs, and sentinels that promote its replica. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisSentinel, startRedisSentinel } from '../store/testing/redis-sentinel.ts';
import { until } from '../testing/poll.ts';
import { expectToFailWell, expectToRecover, prepare, serverOn, startLoad, traffic } from './harness.ts';

let redis: RedisSentinel;
beforeAll(async () => {
  redis = await startRedisSentinel();
});
afterAll(() => redis.stop());

const server = () => serverOn({ store: { engine: 'redis', url: redis.url } });

describe('a primary watched by sentinels', () => {
  it('that dies is refused without, and its successor serves', async () => {
    const served = await server();
    const before = await prepare(served);
    const old = await redis.primary();
    // Two that hang are too few to agree on anything, and are asked in vain by the server, too.
    const hanging = redis.sentinels.slice(0, 2);
    for (const { process } of hanging) process.kill('SIGSTOP');
    await old.stop();
    await expectToFailWell(served, before, { saying: /no connection to Redis/ });
    for (const { process } of hanging) process.kill('SIGCONT');
    await expectToRecover(served, before);
    expect((await redis.primary()).port).not.toBe(old.port);
    await redis.restart(old);
  });

  it('that dies under load, while the sentinel that is asked first hangs', async () => {
    const load = startLoad(await server());
    await traffic(load);
    const old = await redis.primary();
    redis.sentinels[0]!.process.kill('SIGSTOP');
    await old.stop();
    await until(async () => (await redis.primary()).port !== old.port, 'a failover');
    await traffic(load);
    await load.stop();
    expect(load.refused()).toBeGreaterThan(0);
    redis.sentinels[0]!.process.kill('SIGCONT');
    await redis.restart(old);
  });

  it('that hangs until it is none any more', async () => {
    const load = startLoad(await server());
    await traffic(load);
    const old = await redis.primary();
    old.process.kill('SIGSTOP');
    await until(async () => (await redis.primary()).port !== old.port, 'a failover');
    await traffic(load);
    old.process.kill('SIGCONT');
    await traffic(load);
    await load.stop();
  });
});
