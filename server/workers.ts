/**
 * Several server processes behind one port, and what an operator expects of them.
 *
 *     const server = await startWorkers({ config, count: 4 });
 *     server.port;
 *     await server.close();   // readyz fails, requests in flight finish, the workers end
 *
 * A worker (`worker.ts`) that dies is replaced. One that cannot start ends the whole at first, and is
 * tried again later on: its siblings go on serving.
 *
 * Each worker listens on the port for itself, and the kernel deals connections out evenly (`serve.ts`). With one socket for
 * all, whoever is awake takes nearly every one; with Node's round robin, a connection on its way to a worker that is
 * killed is neither answered nor closed. That is left for systems that cannot do better.
 */
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Config } from './config.ts';
import { createLog } from './log.ts';
import { WorkerNotStarted } from './mistakes.ts';
import { keepStore } from './store/open.ts';

/** What a worker is told. */
export type Order = { order: 'start'; config: Config } | { order: 'stop' } | { order: 'answer' };
/** What a worker says. */
export type Report =
  | { report: 'listening' }
  | { report: 'not-started'; why: string }
  | { report: 'draining' }
  | { report: 'alive' };

export type RunningWorkers = { port: number; close(): Promise<void> };

export const workerCount = (workers: Config['workers']): number =>
  workers === 'auto' ? availableParallelism() : workers;

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 30_000;
/** Who lived that long did not die of starting. */
const STEADY_MS = 30_000;

/** How often a worker is asked whether it still does anything. */
const ASK_INTERVAL_MS = 2_000;
/** After so many it counts as dead: nobody else takes the connections that wait for it. */
const UNANSWERED = 5;

/**
 * @throws WorkerNotStarted that says what the first worker that could not start said
 * @throws what listening throws, where somebody else has the port
 */
export async function startWorkers({
  config: asGiven,
  count,
}: {
  config: Config;
  count: number;
}): Promise<RunningWorkers> {
  const log = createLog(asGiven.logLevel, { write });
  // Who reads the log may go; the server stays.
  process.stdout.on('error', () => {});
  cluster.setupPrimary({
    exec: fileURLToPath(new URL(`./worker${extname(import.meta.filename)}`, import.meta.url)),
    args: [],
    // Lines of several processes meet here, whole; what a dying process says goes straight out.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const config = { ...asGiven, port: await claimPort(asGiven) };

  const workers = new Set<Worker>();
  const stopping = new AbortController();

  function launch(): Worker {
    const worker = launchWorker(config);
    workers.add(worker);
    worker.ended.then(() => workers.delete(worker));
    worker.listening.then(
      () => log.info({ event: 'worker.started', pid: worker.pid }),
      () => {}, // Told where its end is told.
    );
    return worker;
  }

  /** Keeps one place filled until the whole stops. */
  async function tend(first: Worker): Promise<void> {
    let worker = first;
    for (let deaths = 0; ; ) {
      const { why, livedMs } = await worker.ended;
      if (stopping.signal.aborted) {
        if (why !== undefined) log.error({ event: 'worker.died', pid: worker.pid, why });
        return;
      }
      deaths = livedMs > STEADY_MS ? 1 : deaths + 1;
      const replacedInMs = Math.min(FIRST_WAIT_MS * 2 ** (deaths - 1), LONGEST_WAIT_MS);
      log.error({ event: 'worker.died', pid: worker.pid, why: why ?? 'it was told to stop', replacedInMs });
      await delay(replacedInMs, undefined, stopping).catch(() => {});
      if (stopping.signal.aborted) return;
      worker = launch();
    }
  }

  const first = Array.from({ length: count }, launch);
  try {
    await Promise.all(first.map(({ listening }) => listening));
  } catch (error) {
    for (const worker of first) worker.kill();
    await Promise.all(first.map(({ ended }) => ended));
    throw error;
  }
  const keeper = keepStore(config);
  const tended = first.map(tend);
  const { port, publicUrl, delivery } = config;
  log.info({ event: 'server.started', port, publicUrl, provider: delivery.provider, workers: count });

  async function close(): Promise<void> {
    stopping.abort();
    for (const worker of workers) worker.stop();
    await Promise.all([...workers].map(({ draining }) => draining));
    log.info({ event: 'server.draining' });
    await Promise.all(tended);
    await keeper?.stop();
    log.info({ event: 'server.stopped' });
  }
  let closing: Promise<void> | undefined;
  return {
    port,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

type Worker = {
  pid: number | undefined;
  /** Fails with what the worker said. */
  listening: Promise<void>;
  /** Its readyz fails, or it is gone. */
  draining: Promise<void>;
  ended: Promise<End>;
  stop(): void;
  kill(): void;
};

type End = {
  /** Undefined when it ended in order. */
  why: string | undefined;
  livedMs: number;
};

function launchWorker(config: Config): Worker {
  const launchedAt = performance.now();
  const worker = cluster.fork();
  const child = worker.process;
  if (child.stdout) forwardLines(child.stdout);
  // What could not be started ends as well, and that is where it is told.
  worker.on('error', () => {});

  const listening = Promise.withResolvers<void>();
  const draining = Promise.withResolvers<void>();
  /** Why it had to end, where it was not by a signal or of itself. */
  let refusal: string | undefined;
  let unanswered = 0;
  let asking: NodeJS.Timeout | undefined;
  worker.on('message', (report: Report) => {
    switch (report.report) {
      case 'listening':
        asking = setInterval(ask, ASK_INTERVAL_MS);
        return listening.resolve();
      case 'alive':
        unanswered = 0;
        return;
      case 'draining':
        return draining.resolve();
      case 'not-started':
        refusal = report.why;
        return;
      default:
        return report satisfies never;
    }
  });
  const ended = new Promise<End>((resolve) => {
    child.once('close', (code, signal) => {
      clearInterval(asking);
      const how = signal ?? `exit code ${code}`;
      listening.reject(new WorkerNotStarted(refusal ?? `a worker ended while it was starting: ${how}`));
      draining.resolve();
      resolve({
        why: refusal ?? (code === 0 ? undefined : how),
        livedMs: performance.now() - launchedAt,
      });
    });
  });
  // Whoever is gone by now needs no order.
  const give = (order: Order) => void worker.send(order, () => {});
  function ask(): void {
    if (unanswered === UNANSWERED) {
      refusal = `it did nothing for ${(UNANSWERED * ASK_INTERVAL_MS) / 1_000} seconds`;
      child.kill('SIGKILL');
    }
    unanswered += 1;
    give({ order: 'answer' });
  }
  give({ order: 'start', config });

  return {
    pid: child.pid,
    listening: listening.promise,
    draining: draining.promise,
    ended,
    stop: () => give({ order: 'stop' }),
    kill: () => void child.kill('SIGKILL'),
  };
}

/**
 * Copies whole lines to standard output, so that those of several workers stay apart. Nothing piles up here: writing
 * to it is synchronous, so a slow reader slows this process, and this one the workers.
 */
function forwardLines(from: Readable): void {
  let begun = '';
  from.setEncoding('utf8');
  from.on('data', (chunk: string) => {
    const end = chunk.lastIndexOf('\n') + 1;
    if (end > 0) {
      write(begun + chunk.slice(0, end));
      begun = '';
    }
    begun += chunk.slice(end);
  });
}

const write = (lines: string) => void process.stdout.write(lines);

/**
 * The port for all workers, which cannot find out for themselves whether somebody else has it. With `port: 0` it is chosen
 * here, once: a worker that is replaced must find the same one.
 *
 * @throws what listening throws
 */
async function claimPort({ port, host }: Config): Promise<number> {
  const probe = createServer((socket) => socket.destroy());
  probe.listen({ port, host });
  await once(probe, 'listening');
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
