/**
 * A process of its own that opens a store and does what it is told over IPC; started by `processes.ts`.
 *
 * Before the store is opened the process can give up root, which a read-only file would not stop.
 */
import { setTimeout as until } from 'node:timers/promises';
import { type Store, StoreUnavailable } from '../store.ts';
import { DAY, startStep } from './steps.ts';

/** How a store is opened: a module, the function it exports, and that function's argument. */
export type Opening = { module: string; open: string; options: unknown };

/** One call of a store's method, as data. */
export type Call = {
  [Method in keyof Store]: { call: Method; with: Parameters<Store[Method]> };
}[keyof Store];

export type Order =
  | { order: 'open'; opening: Opening; from: number; asNobody?: boolean }
  /** Every call at once. `from` (milliseconds since the epoch) is the moment at which all processes begin. */
  | { order: 'calls'; calls: Call[]; from: number }
  /** Start one verification after the other until the store refuses or the process is killed. */
  | { order: 'fill' };

export type Report =
  | { report: 'opened' | 'failed'; error?: string; isUnavailable?: boolean }
  | { report: 'answers'; answers: unknown[] }
  | { report: 'started'; id: string };

const NOBODY = 65_534;

let store: Store | undefined;

const tell = (report: Report) => process.send?.(report);

const moment = (at: number) => until(Math.max(0, at - Date.now()));

const failed = (error: unknown): Report => ({
  report: 'failed',
  error: String(error),
  isUnavailable: error instanceof StoreUnavailable,
});

async function open({ opening, from, asNobody }: Extract<Order, { order: 'open' }>): Promise<void> {
  const { module, open: name, options } = opening;
  await store?.close();
  const loaded: Record<string, (options: unknown) => Store | Promise<Store>> = await import(module);
  if (asNobody && process.getuid?.() === 0) {
    process.setgid?.(NOBODY);
    process.setuid?.(NOBODY);
  }
  await moment(from);
  store = await loaded[name]!(options);
  tell({ report: 'opened' });
}

async function answer({ call, with: given }: Call): Promise<unknown> {
  const method = store![call] as (...given: unknown[]) => Promise<unknown>;
  try {
    return await method.apply(store, given);
  } catch (error) {
    return { kind: error instanceof StoreUnavailable ? 'unavailable' : 'broken', error: String(error) };
  }
}

async function fill(): Promise<void> {
  for (let nth = 0; ; nth += 1) {
    const now = Date.now();
    const step = startStep({ now, phone: `${process.pid} ${nth}`, forgetAt: now + DAY });
    await store!.start(step);
    tell({ report: 'started', id: step.verification.id });
    // Once in a while the channel gets its turn, or nothing would leave the process.
    if (nth % 10 === 0) await until(0);
  }
}

process.on('message', (order: Order) => {
  switch (order.order) {
    case 'open':
      open(order).catch((error: unknown) => tell(failed(error)));
      break;
    case 'calls':
      moment(order.from)
        .then(() => Promise.all(order.calls.map(answer)))
        .then((answers) => tell({ report: 'answers', answers }));
      break;
    case 'fill':
      fill().catch((error: unknown) => tell(failed(error)));
      break;
    default:
      order satisfies never;
  }
});
process.on('disconnect', () => process.exit());
