/** One Redis server, and everything that can be the matter with it. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadKeptKeys } from '../kept-keys.ts';
import { createLog } from '../log.ts';
import { createKeyring } from '../secrets.ts';
import { type RedisServer, redisCli, startRedis } from '../store/testing/redis-server.ts';
import { until } from '../testing/poll.ts';
import { SECRET } from '../testing/server.ts';
import { startTcpProxy, type TcpProxy } from '../testing/tcp-proxy.ts';
import { tempDir } from '../testing/temp-dir.ts';
import {
  expectToFailWell,
  expectToRecover,
  expectWholeJourney,
  newPhone,
  prepare,
  refusal,
  serverOn,
  startLoad,
  traffic,
} from './harness.ts';

/** Stopped after the test. */
async function redisServer(options: Parameters<typeof startRedis>[0] = {}): Promise<RedisServer> {
  const redis = await startRedis(options);
  onTestFinished(() => redis.stop());
  return redis;
}

async function proxyTo(redis: RedisServer): Promise<TcpProxy> {
  const proxy = await startTcpProxy(redis.port);
  onTestFinished(() => proxy.stop());
  return proxy;
}

const serverAt = ({ port }: { port: number }) =>
  serverOn({ store: { engine: 'redis', url: `redis://127.0.0.1:${port}` } });

/**
 * What it answered, it kept. With `everysec`, the default, what it answered while the disk was busy is still
 * in its memory: killed, it loses up to two seconds.
 */
const keeping = (dir: string) => ['--appendonly', 'yes', '--appendfsync', 'always', '--dir', dir];

describe('a Redis server in trouble is waited out:', () => {
  const troubles: {
    when: string;
    args?: string[];
    /** Begins it; returns what ends it. */
    begin: (redis: RedisServer) => Promise<() => Promise<unknown>>;
    saying: RegExp;
  }[] = [
    {
      when: 'its memory is full',
      begin: async (redis) => {
        await redisCli(redis, 'config', 'set', 'maxmemory', '1');
        return () => redisCli(redis, 'config', 'set', 'maxmemory', '0');
      },
      saying: /OOM/,
    },
    {
      when: 'it was made a replica of a dead host',
      begin: async (redis) => {
        await redisCli(redis, 'replicaof', '127.0.0.1', '1');
        return () => redisCli(redis, 'replicaof', 'no', 'one');
      },
      saying: /READONLY/,
    },
    {
      when: 'it has too few replicas',
      begin: async (redis) => {
        await redisCli(redis, 'config', 'set', 'min-replicas-to-write', '1');
        return () => redisCli(redis, 'config', 'set', 'min-replicas-to-write', '0');
      },
      saying: /NOREPLICAS/,
    },
    {
      when: 'it is busy with a script that does not end',
      args: ['--busy-reply-threshold', '200'],
      begin: async (redis) => {
        const script = redisCli(redis, 'eval', 'while true do end', '0').catch(() => {});
        return async () => {
          await redisCli(redis, 'script', 'kill');
          await script;
        };
      },
      saying: /BUSY|did not answer/,
    },
    {
      when: 'it has as many clients as it takes',
      begin: async (redis) => {
        const only = createConnection({ port: redis.port, host: '127.0.0.1' });
        onTestFinished(() => void only.destroy());
        await once(only, 'connect');
        only.write('CONFIG SET maxclients 1\r\nCLIENT KILL TYPE normal SKIPME yes\r\n');
        return async () => only.write('CONFIG SET maxclients 1000\r\n');
      },
      // It hangs up so soon that its reason seldom arrives.
      saying: /ECONNRESET|EPIPE|max number of clients/,
    },
    {
      when: 'it wants another password',
      begin: async (redis) => {
        await redisCli(redis, 'config', 'set', 'requirepass', 'secret');
        await redisCli(redis, '-a', 'secret', 'client', 'kill', 'type', 'normal');
        return () => redisCli(redis, '-a', 'secret', 'config', 'set', 'requirepass', '');
      },
      saying: /NOAUTH/,
    },
  ];

  it.each(troubles)('$when', async ({ args = [], begin, saying }) => {
    const redis = await redisServer({ args });
    const server = await serverAt(redis);
    const before = await prepare(server);
    const end = await begin(redis);
    await expectToFailWell(server, before, { saying });
    await end();
    await expectToRecover(server, before);
  });

  it('it is gone, and comes back with what it kept', async () => {
    const args = keeping(tempDir());
    const redis = await redisServer({ args });
    const server = await serverAt(redis);
    const before = await prepare(server);
    await redis.stop();
    await expectToFailWell(server, before, { saying: /no connection to Redis: .*ECONNREFUSED/ });
    await redisServer({ port: redis.port, args });
    await expectToRecover(server, before);
  });

  it('it takes long to load its data', async () => {
    const dir = tempDir();
    const args = ['--dir', dir, '--rdbcompression', 'no', '--loading-process-events-interval-bytes', '1024'];
    const redis = await redisServer({ args });
    const server = await serverAt(redis);
    const before = await prepare(server);
    // Enough to be loading until somebody says that it may go faster.
    await redisCli(redis, 'eval', "for i = 1, 300 do redis.call('SET', i, string.rep('x', 2000)) end", '0');
    await redisCli(redis, 'save');
    await redis.stop();
    const slowly = ['--key-load-delay', '100000'];
    const again = await redisServer({ port: redis.port, args: [...args, ...slowly], until: 'listening' });
    await expectToFailWell(server, before, { saying: /loading/ });
    expect(await redisCli(again, 'ping')).toMatch(/LOADING/);
    await redisCli(again, 'config', 'set', 'key-load-delay', '0');
    await expectToRecover(server, before);
  });
});

describe('a Redis server under load', () => {
  it('that is killed and started again loses nothing it kept: one message, five guesses, one proof', async () => {
    const args = keeping(tempDir());
    let redis = await redisServer({ args });
    const load = startLoad(await serverAt(redis));
    for (let nth = 0; nth < 3; nth += 1) {
      await traffic(load);
      await redis.stop();
      await refusal(load);
      redis = await redisServer({ port: redis.port, args });
    }
    await traffic(load);
    await load.stop();
  });

  it('that keeps nothing is served anew after it was killed', async () => {
    let redis = await redisServer();
    const server = await serverAt(redis);
    const load = startLoad(server, { mayForget: true });
    for (let nth = 0; nth < 3; nth += 1) {
      await traffic(load);
      await redis.stop();
      await refusal(load);
      redis = await redisServer({ port: redis.port });
    }
    await traffic(load);
    await load.stop();
    await expectWholeJourney(server);
  });

  it('that keeps nothing is given back the keys, so that proofs stay good and limits are found again', async () => {
    let redis = await redisServer();
    const store = { engine: 'redis', url: redis.url } as const;
    const server = await serverOn({ store });
    const proof = await server.proofFor(newPhone());
    const keyring = createKeyring([SECRET]);
    const kept = await loadKeptKeys(server.store, keyring);
    await redis.stop();
    redis = await redisServer({ port: redis.port });
    await until(async () => (await server.call('GET', '/readyz')).status === 200, 'the recovery');

    // What every server does each half minute.
    await server.keys.refresh();
    await kept.refresh(createLog('silent'));
    const another = await serverOn({ store });
    expect((await another.call('GET', '/.well-known/jwks.json')).body).toEqual(
      (await server.call('GET', '/.well-known/jwks.json')).body,
    );
    expect((await another.backend('POST', '/v1/proofs/redeem', { proof })).status).toBe(200);
    const again = await loadKeptKeys(another.store, keyring);
    for (const key of ['index', 'pairwise'] as const) {
      expect(again[key].mac('limit', 'x')).toEqual(kept[key].mac('limit', 'x'));
    }
  });

  it('that forgets its scripts again and again makes no request fail', async () => {
    const redis = await redisServer();
    const load = startLoad(await serverAt(redis));
    for (let nth = 0; nth < 10; nth += 1) {
      await traffic(load);
      await redisCli(redis, 'script', 'flush');
    }
    await load.stop();
    expect(load.refused()).toBe(0);
  });

  it('behind a partition of five seconds is found again when it is over', async () => {
    const proxy = await proxyTo(await redisServer());
    const load = startLoad(await serverAt(proxy));
    await traffic(load);
    proxy.stall();
    await delay(5_000);
    expect(load.refused()).toBeGreaterThan(0);
    proxy.resume();
    await traffic(load);
    await load.stop();
  });

  it('whose connections are reset and half-closed, over and over', async () => {
    const proxy = await proxyTo(await redisServer());
    const load = startLoad(await serverAt(proxy));
    for (let nth = 0; nth < 5; nth += 1) {
      await traffic(load);
      proxy.halfClose();
      await traffic(load);
      proxy.cut();
      proxy.resume();
    }
    await traffic(load);
    await load.stop();
  });
});

describe('between the server and Redis', () => {
  it('a partition is answered while it lasts', async () => {
    const proxy = await proxyTo(await redisServer());
    const server = await serverAt(proxy);
    const before = await prepare(server);
    proxy.stall();
    await expectToFailWell(server, before, { saying: /did not answer|no connection/ });
    proxy.resume();
    await expectToRecover(server, before);
  });

  it('answers that come too late are nobody’s', async () => {
    const proxy = await proxyTo(await redisServer());
    const server = await serverAt(proxy);
    const before = await prepare(server);
    proxy.delayAnswers(3_000);
    await expectToFailWell(server, before, { saying: /did not answer|no connection/ });
    proxy.resume();
    await expectToRecover(server, before);
  });

  it('answers that get lost leave everything to be done once', async () => {
    const proxy = await proxyTo(await redisServer());
    const server = await serverAt(proxy);
    const before = await prepare(server);
    proxy.withholdAnswers();
    await expectToFailWell(server, before, { saying: /did not answer|no connection/ });
    proxy.cut();
    proxy.resume();
    await expectToRecover(server, before);
  });
});
