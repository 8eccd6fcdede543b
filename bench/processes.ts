/**
 * Starts and stops what a benchmark needs, each in a process of its own, on loopback and free ports.
 *
 *     const ground = await makeGround(contestant);
 *     const server = await startContestant(contestant, ground);
 *     const { load, cpuMs } = await server.bear({ kind: 'saturated', … });
 *     await server.stop();
 *     await ground.clear();
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../scripts/free-port.ts';
import type { Contestant } from './contestants.ts';
import type { Job, Load, Report, Shape } from './load/generator.ts';
import { CLIENT_CORE, pinnedTo, SERVER_CORE, type Usage, usageOf } from './machine.ts';
import { oursConfig } from './servers/ours-config.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const NODE_FLAGS = ['-C', 'source', '--no-warnings'];
const START_TIMEOUT_MS = 20_000;

/** On the disk of the project: the system's temporary folder may be memory. */
function scratchDir(): string {
  mkdirSync(join(here, 'data'), { recursive: true });
  return mkdtempSync(join(here, 'data', 'run-'));
}

/** Whatever else happens, nothing is left behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** Ended, at the latest, with this process. */
export function track(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

// ── Redis ────────────────────────────────────────────────────────────────────────────────────────

type RedisServer = { url: string; usage(): Usage; stop(): Promise<void> };

const redisCommand = ['redis-server', 'valkey-server'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);

export const hasRedis = redisCommand !== undefined;

/** Without persistence, so that a disk's mood is not in the figures. */
async function startRedis(): Promise<RedisServer> {
  if (!redisCommand) throw new Error('there is no redis-server or valkey-server on the PATH');
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = track(spawn(...pinnedTo(CLIENT_CORE, redisCommand, args), { stdio: 'ignore' }));
  await listening(port);
  return { url: `redis://127.0.0.1:${port}`, usage: () => usageOf(child.pid ?? 0), stop: () => end(child) };
}

async function listening(port: number): Promise<void> {
  for (const until = Date.now() + START_TIMEOUT_MS; Date.now() < until; ) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nothing listens on port ${port}`);
}

// ── A server under test ──────────────────────────────────────────────────────────────────────────

/** CPU time of the server and, where it has one, of its Redis, over the measured part. */
export type Borne = { load: Load; cpuMs: number; redisCpuMs: number };

export type RunningContestant = {
  usage(): Usage;
  /** Puts load on it; `onProgress` is called a few times a second. */
  bear(shape: Shape, onProgress?: (flows: number) => void): Promise<Borne>;
  stop(): Promise<void>;
};

export type Ground = {
  /** Where its file and its log lie. */
  dir: string;
  redis: RedisServer | undefined;
  clear(): Promise<void>;
};

/** What a contestant stands on: an empty folder and, where it wants one, an empty Redis. */
export async function makeGround({ store }: Pick<Contestant, 'store'>): Promise<Ground> {
  const dir = scratchDir();
  const redis = store === 'redis' ? await startRedis() : undefined;
  return {
    dir,
    redis,
    clear: async () => {
      await redis?.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export async function startContestant(
  contestant: Contestant,
  { dir, redis }: Ground,
  { nodeFlags = [], firstFlow = 0 }: { nodeFlags?: string[]; firstFlow?: number } = {},
): Promise<RunningContestant> {
  if (contestant.role === 'ours') {
    const config = JSON.stringify(oursConfig({ dir, redis: redis?.url }));
    writeFileSync(join(dir, 'phone-proof.config.json'), config);
  }
  const script = join(here, 'servers', contestant.script);
  const args = [...NODE_FLAGS, ...nodeFlags, script, '--dir', dir, ...(redis ? ['--redis', redis.url] : [])];
  const log = openSync(join(dir, 'server.log'), 'a');
  const child = track(
    spawn(...pinnedTo(SERVER_CORE, process.execPath, args), {
      stdio: ['ignore', log, 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    }),
  );
  const port = await readyPort(child, contestant.name);
  const pid = child.pid ?? 0;
  let nextFlow = firstFlow;

  return {
    usage: () => usageOf(pid),
    async bear(shape, onProgress) {
      const borne = await generate(
        { port, flow: contestant.flow, firstFlow: nextFlow, shape },
        { server: () => usageOf(pid), redis: redis?.usage },
        onProgress,
      );
      nextFlow = borne.load.nextFlow;
      return borne;
    },
    stop: () => end(child),
  };
}

function readyPort(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', (message: { port: number }) => resolve(message.port));
    child.once('exit', () => reject(new Error(`${name} did not start`)));
    setTimeout(() => reject(new Error(`${name} did not start in time`)), START_TIMEOUT_MS).unref();
  });
}

/** Runs one job in a fresh process beside the server, and takes CPU times over its measured part. */
function generate(
  job: Job,
  { server, redis }: { server(): Usage; redis: (() => Usage) | undefined },
  onProgress?: (flows: number) => void,
): Promise<Borne> {
  const args = [...NODE_FLAGS, join(here, 'load', 'generator.ts')];
  const child = track(
    spawn(...pinnedTo(CLIENT_CORE, process.execPath, args), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  );
  return new Promise((resolve, reject) => {
    const usage = () => [server().cpuSeconds, redis?.().cpuSeconds ?? 0] as const;
    let before = usage();
    child.on('message', (report: Report) => {
      switch (report.kind) {
        case 'measuring':
          before = usage();
          return;
        case 'progress':
          onProgress?.(report.flows);
          return;
        case 'done': {
          const after = usage();
          resolve({
            load: report.load,
            cpuMs: (after[0] - before[0]) * 1_000,
            redisCpuMs: (after[1] - before[1]) * 1_000,
          });
          return;
        }
        case 'failed':
          reject(new Error(report.error));
      }
    });
    child.once('exit', () => reject(new Error('the load ended early')));
    child.send(job);
  });
}
