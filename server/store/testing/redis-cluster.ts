/**
 * A Redis Cluster of the test's own: three primaries on free ports.
 *
 *     const cluster = await startRedisCluster();
 *     await openRedisStore({ url: cluster.url });
 *     await cluster.stop();
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../../scripts/free-port.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

const run = promisify(execFile);

const PRIMARIES = 3;
const LIMIT_MS = 30_000;

export type RedisCluster = { url: string; nodes: RedisServer[]; stop(): Promise<void> };

export async function startRedisCluster(): Promise<RedisCluster> {
  const dir = await mkdtemp(join(tmpdir(), 'phone-proof-cluster-'));
  const nodes: RedisServer[] = [];
  for (let nth = 0; nth < PRIMARIES; nth += 1) {
    const port = await portForCluster();
    nodes.push(
      await startRedis({
        port,
        args: ['--cluster-enabled', 'yes', '--cluster-config-file', `nodes-${port}.conf`, '--dir', dir],
      }),
    );
  }
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes']);
  for (const { port } of nodes) await untilWhole(port);
  return {
    url: `redis-cluster://${addresses.join(',')}`,
    nodes,
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The nodes talk to each other on the port 10,000 above, which must be one, too. */
async function portForCluster(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port < 55_000) return port;
  }
}

async function untilWhole(port: number): Promise<void> {
  const giveUpAt = Date.now() + LIMIT_MS;
  for (;;) {
    const { stdout } = await run('redis-cli', ['-p', String(port), 'cluster', 'info']);
    if (stdout.includes('cluster_state:ok')) return;
    if (Date.now() > giveUpAt) throw new Error(`the cluster is not whole: ${stdout}`);
    await delay(50);
  }
}
