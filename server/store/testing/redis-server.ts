/**
 * A redis-server of the test's own, on a free port, with nothing in it and nothing kept.
 *
 *     const redis = await startRedis();
 *     await openRedisStore({ url: redis.url });
 *     await redis.stop();
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../../scripts/free-port.ts';

export type RedisServer = {
  url: string;
  port: number;
  process: ChildProcess;
  /** Kills it, as a crash would. */
  stop(): Promise<void>;
};

/** @param until `listening` does not wait for the data to be loaded */
export async function startRedis({
  port,
  args = [],
  until = 'answering',
}: {
  port?: number;
  args?: string[];
  until?: 'listening' | 'answering';
} = {}): Promise<RedisServer> {
  const listenOn = port ?? (await freePort());
  const own = ['--port', String(listenOn), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  return launchRedis(listenOn, [...own, ...args], until);
}

/** @param args all of them: what listens on `port` may be a sentinel */
export async function launchRedis(
  port: number,
  args: string[],
  until: 'listening' | 'answering' = 'answering',
): Promise<RedisServer> {
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  await once(server, 'spawn');
  await untilAnswering(port, until === 'answering' ? '+PONG' : '');
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    process: server,
    stop: async () => {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const exited = once(server, 'exit');
      server.kill('SIGKILL');
      await exited;
    },
  };
}

const LIMIT_MS = 20_000;

const run = promisify(execFile);

/** What redis-cli prints. */
export async function redisCli({ port }: { port: number }, ...words: string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-p', String(port), ...words]);
  return stdout.trim();
}

/** Until a replica has everything that its primary has, and is being sent whatever comes. */
export async function untilReplicating(primary: { port: number }, replica: { port: number }): Promise<void> {
  // Before a new replica's first acknowledgement of a write its primary keeps back what comes after.
  for (let nth = 0; (await redisCli(primary, 'set', `replicated:${nth}`, '1', 'px', '1')) !== 'OK'; nth += 1);
  const giveUpAt = Date.now() + LIMIT_MS;
  const followed = new RegExp(`port=${replica.port},state=online,offset=(\\d+)`);
  for (let written = 0; ; ) {
    const info = await redisCli(primary, 'info', 'replication');
    written ||= Number(/master_repl_offset:(\d+)/.exec(info)?.[1]);
    if (Number(followed.exec(info)?.[1]) >= written) return;
    if (Date.now() > giveUpAt) throw new Error(`the replica on port ${replica.port} lags behind: ${info}`);
    await delay(50);
  }
}

async function untilAnswering(port: number, answer: string): Promise<void> {
  const giveUpAt = Date.now() + LIMIT_MS;
  for (;;) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = createConnection({ port, host: '127.0.0.1' });
      socket.once('connect', () => socket.write('PING\r\n'));
      socket.once('data', (data) => {
        socket.destroy();
        resolve(String(data).startsWith(answer));
      });
      socket.once('error', () => resolve(false));
    });
    if (isThere) return;
    if (Date.now() > giveUpAt) throw new Error(`redis-server does not answer on port ${port}`);
    await delay(50);
  }
}
