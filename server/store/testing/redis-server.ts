/**
 * A redis-server of the test's own, on a free port, with nothing in it and nothing kept.
 *
 *     const redis = await startRedis();
 *     await openRedisStore({ url: redis.url });
 *     await redis.stop();
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../../scripts/free-port.ts';

export type RedisServer = {
  url: string;
  port: number;
  process: ChildProcess;
  /** Kills it, as a crash would. */
  stop(): Promise<void>;
};

export async function startRedis({
  port,
  args = [],
}: {
  port?: number;
  args?: string[];
} = {}): Promise<RedisServer> {
  const listenOn = port ?? (await freePort());
  const server = spawn(
    'redis-server',
    ['--port', String(listenOn), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...args],
    { stdio: 'ignore' },
  );
  await once(server, 'spawn');
  await untilAnswering(listenOn);
  return {
    url: `redis://127.0.0.1:${listenOn}`,
    port: listenOn,
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

async function untilAnswering(port: number): Promise<void> {
  const giveUpAt = Date.now() + LIMIT_MS;
  for (;;) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = createConnection({ port, host: '127.0.0.1' });
      socket.once('connect', () => socket.write('PING\r\n'));
      socket.once('data', (data) => {
        socket.destroy();
        resolve(String(data).startsWith('+PONG'));
      });
      socket.once('error', () => resolve(false));
    });
    if (isThere) return;
    if (Date.now() > giveUpAt) throw new Error(`redis-server does not answer on port ${port}`);
    await delay(50);
  }
}
