/**
 * A Redis Cluster of the test's own: three primaries on free ports, each with replicas if asked for.
 *
 *     const cluster = await startRedisCluster({ replicas: 1 });
 *     await openRedisStore({ url: cluster.url });
 *     const [one] = await cluster.primaries();
 *     await one.stop();                // within a second or two its replica takes its place
 *     await cluster.stop();
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../../scripts/free-port.ts';
import { type RedisServer, redisCli, startRedis, untilReplicating } from './redis-server.ts';

const run = promisify(execFile);

const PRIMARIES = 3;
const LIMIT_MS = 30_000;
/** How long the others wait for a node before they replace it. */
const NODE_TIMEOUT_MS = 1_000;

export type RedisCluster = {
  url: string;
  nodes: RedisServer[];
  /** Those that serve slots, as a living node sees it. */
  primaries(): Promise<RedisServer[]>;
  /** Resolves when all nodes agree and every replica has everything. */
  untilWhole(): Promise<void>;
  /** Starts stopped nodes again. */
  restart(stopped: RedisServer[]): Promise<void>;
  /** Moves so many slots from one primary to another, while they are in use. */
  reshard(slots: number, from: RedisServer, to: RedisServer): Promise<void>;
  stop(): Promise<void>;
};

/** @param args more for each node; files go into a folder of its own */
export async function startRedisCluster({
  replicas = 0,
  args = [],
}: {
  replicas?: number;
  args?: string[];
} = {}): Promise<RedisCluster> {
  const dirs: string[] = [];
  const start = async (port: number, dir: string) => {
    const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(NODE_TIMEOUT_MS)];
    return startRedis({
      port,
      args: [...cluster, '--dir', dir, '--repl-diskless-sync-delay', '0', ...args],
    });
  };
  const nodes: RedisServer[] = [];
  for (let nth = 0; nth < PRIMARIES * (1 + replicas); nth += 1) {
    const dir = await mkdtemp(join(tmpdir(), 'phone-proof-cluster-'));
    dirs.push(dir);
    nodes.push(await start(await portForCluster(), dir));
  }
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await run('redis-cli', [
    '--cluster',
    'create',
    ...addresses,
    '--cluster-replicas',
    String(replicas),
    '--cluster-yes',
  ]);

  type Member = { id: string; node: RedisServer; primary: string | undefined };
  /** Who follows whom; a line is `id ip:port@bus flags primary …`. */
  async function members(): Promise<Member[]> {
    // Of those that run one may hang: whichever answers first knows.
    const answers = nodes.filter(isRunning).map((node) => redisCli(node, 'cluster', 'nodes'));
    return (await Promise.any(answers)).split('\n').flatMap((line) => {
      const [id = '', address = '', flags = '', primary = ''] = line.split(' ');
      const node = nodes.find(({ port }) => address.includes(`:${port}@`));
      if (!node || /fail/.test(flags)) return [];
      return [{ id, node, primary: flags.includes('slave') ? primary : undefined }];
    });
  }
  const idOf = async (node: RedisServer) => redisCli(node, 'cluster', 'myid');

  async function untilWhole(): Promise<void> {
    for (const node of nodes) await untilOk(node);
    for (const node of nodes) await untilAgreed(node);
    const all = await members();
    for (const { node, primary } of all) {
      const followed = all.find(({ id }) => id === primary);
      if (followed) await untilReplicating(followed.node, node);
    }
  }
  await untilWhole();

  return {
    url: `redis-cluster://${addresses.join(',')}`,
    nodes,
    untilWhole,
    primaries: async () => (await members()).filter(({ primary }) => !primary).map(({ node }) => node),
    restart: async (stopped) => {
      for (const one of stopped) {
        const index = nodes.indexOf(one);
        nodes[index] = await start(one.port, dirs[index]!);
      }
    },
    reshard: async (slots, from, to) => {
      const [source, target] = [await idOf(from), await idOf(to)];
      const which = ['--cluster-from', source, '--cluster-to', target, '--cluster-slots', String(slots)];
      const args = ['--cluster', 'reshard', `127.0.0.1:${to.port}`, ...which, '--cluster-yes'];
      await run('redis-cli', args).catch(({ stdout }: { stdout: string }) => {
        throw new Error(`resharding failed: ${stdout.trim().split('\n').at(-1)}`);
      });
    },
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
      for (const dir of dirs) await rm(dir, { recursive: true, force: true });
    },
  };
}

const isRunning = ({ process }: RedisServer) => process.exitCode === null && process.signalCode === null;

/** The nodes talk to each other on the port 10,000 above, which must be one, too. */
export async function portForCluster(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port < 55_000) return port;
  }
}

/** Until all its nodes agree on who serves what. */
async function untilAgreed({ port }: RedisServer): Promise<void> {
  const giveUpAt = Date.now() + LIMIT_MS;
  for (;;) {
    try {
      await run('redis-cli', ['--cluster', 'check', `127.0.0.1:${port}`]);
      return;
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
    }
    await delay(50);
  }
}

async function untilOk(node: RedisServer): Promise<void> {
  const giveUpAt = Date.now() + LIMIT_MS;
  for (;;) {
    const info = await redisCli(node, 'cluster', 'info');
    if (info.includes('cluster_state:ok')) return;
    if (Date.now() > giveUpAt) throw new Error(`the cluster is not whole: ${info}`);
    await delay(50);
  }
}
