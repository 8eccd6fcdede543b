/**
 * One of several server processes: a server like any other that takes its config and its end from
 * `workers.ts`, which starts this file.
 */
import cluster from 'node:cluster';
import { inspect } from 'node:util';
import type { Config } from './config.ts';
import { boundYoungGeneration } from './heap.ts';
import { sentenceOf } from './mistakes.ts';
import { type RunningServer, startServer } from './serve.ts';
import type { Order, Report } from './workers.ts';

const tell = (report: Report) => new Promise<void>((resolve) => process.send?.(report, () => resolve()));

const config = Promise.withResolvers<Config>();
const toldToStop = Promise.withResolvers<void>();
process.on('message', (order: Order) => {
  switch (order.order) {
    case 'start':
      return config.resolve(order.config);
    case 'stop':
      return toldToStop.resolve();
    case 'answer':
      return void tell({ report: 'alive' });
    default:
      return order satisfies never;
  }
});
// From a terminal or a supervisor they reach every process of the group, or one worker that is to be renewed.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => toldToStop.resolve());

async function start(): Promise<RunningServer> {
  boundYoungGeneration();
  try {
    return await startServer({ config: await config.promise, isWorker: true });
  } catch (error) {
    await tell({ report: 'not-started', why: sentenceOf(error) ?? inspect(error) });
    return process.exit(1);
  }
}

const server = await start();
await tell({ report: 'listening' });
await toldToStop.promise;
const closed = server.close();
await tell({ report: 'draining' });
await closed;
cluster.worker?.disconnect();
