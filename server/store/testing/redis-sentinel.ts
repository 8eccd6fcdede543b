/**
 * A primary, a replica and three sentinels of the test's own, on free ports.
 *
 *     const redis = await startRedisSentinel();
 *     await openRedisStore({ url: redis.url });
 *     await redis.primary().stop();     // within a second or two the sentinels promote the replica
 *     await redis.stop();
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../../scripts/free-port.ts';
import { launchRedis, type RedisServer, redisCli, startRedis, untilReplicating } from './redis-server.ts';

const NAME = 'test-primary';
const SENTINELS = 3;
const LIMIT_MS = 30_000;

export type RedisSentinel = {
  url: string;
  sentinels: RedisServer[];
  /** The primary as the sentinels see it. */
  primary(): Promise<RedisServer>;
  /** Starts a stopped one again; resolves when it is a replica that has everything. */
  restart(stopped: RedisServer): Promise<void>;
  stop(): Promise<void>;
};

export async function startRedisSentinel(): Promise<RedisSentinel> {
  const dir = await mkdtemp(join(tmpdir(), 'phone-proof-sentinel-'));
  const [first, second] = [await startRedis({ args: at(dir) }), await startRedis({ args: at(dir) })];
  await redisCli(second, 'replicaof', '127.0.0.1', String(first.port));
  await untilReplicating(first, second);
  const servers = [first, second];
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, () => startSentinel(dir, first.port)),
  );
  for (const sentinel of sentinels) await untilWatching(sentinel);

  const primary = async () => {
    const answer = await redisCli(sentinels.at(-1)!, 'sentinel', 'get-master-addr-by-name', NAME);
    return servers.find(({ port }) => answer.endsWith(`\n${port}`)) ?? first;
  };
  return {
    url: `redis-sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    sentinels,
    primary,
    restart: async (stopped) => {
      // The sentinels would make it a replica, too, after watching it for eight seconds.
      const current = await primary();
      const follow = ['--replicaof', '127.0.0.1', String(current.port)];
      const again = await startRedis({ port: stopped.port, args: [...at(dir), ...follow] });
      servers[servers.indexOf(stopped)] = again;
      await untilReplicating(current, again);
    },
    stop: async () => {
      await Promise.all([...sentinels, ...servers].map((one) => one.stop()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

let dumps = 0;
const at = (dir: string) => {
  dumps += 1;
  return ['--dir', dir, '--dbfilename', `${dumps}.rdb`, '--repl-diskless-sync-delay', '0'];
};

/** Sentinels keep what they learn in their configuration file, and so each needs one. */
async function startSentinel(dir: string, primary: number): Promise<RedisServer> {
  const port = await freePort();
  const file = join(dir, `sentinel-${port}.conf`);
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${primary} 2`,
    `sentinel down-after-milliseconds ${NAME} 500`,
    `sentinel failover-timeout ${NAME} 1000`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return launchRedis(port, [file, '--sentinel']);
}

/** Until it knows the replica and the other sentinels. */
async function untilWatching(sentinel: RedisServer): Promise<void> {
  const giveUpAt = Date.now() + LIMIT_MS;
  for (;;) {
    const info = await redisCli(sentinel, 'info', 'sentinel');
    if (info.includes(`status=ok`) && info.includes(`slaves=1,sentinels=${SENTINELS}`)) return;
    if (Date.now() > giveUpAt) throw new Error(`the sentinel does not see everything: ${info}`);
    await delay(50);
  }
}
