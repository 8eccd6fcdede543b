/**
 * Real processes on one store.
 *
 *     const processes = [startProcess(), startProcess()];
 *     await openAll(processes, opening);
 *     const answers = await race(processes, calls);   // calls[i] for the i-th process
 *     await endProcesses(processes);
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Call, Opening, Order, Report } from './store-process.ts';

const SCRIPT = fileURLToPath(new URL('./store-process.ts', import.meta.url));

/** Long enough for an order to reach every process before the first one begins. */
const HEAD_START_MS = 30;
/** The store that was open before is closed meanwhile. */
const OPENING_HEAD_START_MS = 150;

export type StoreProcess = {
  child: ChildProcess;
  give(order: Order): void;
  /** The next report that has not been taken yet; fails when the process ends without one. */
  next(): Promise<Report>;
  /** Reports that came so far and were not taken. */
  reports: Report[];
};

/** @param fileSizeLimitKiB no file of the process may grow beyond it: what a full disk looks like */
export function startProcess({ fileSizeLimitKiB }: { fileSizeLimitKiB?: number } = {}): StoreProcess {
  const child =
    fileSizeLimitKiB === undefined
      ? fork(SCRIPT, { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
      : // POSIX counts the limit in blocks of 512 bytes.
        spawn('sh', ['-c', `ulimit -f ${fileSizeLimitKiB * 2} && exec "$0" "$1"`, process.execPath, SCRIPT], {
          stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        });
  let complaints = '';
  child.stderr?.on('data', (text: Buffer) => {
    complaints += text;
  });
  const reports: Report[] = [];
  child.on('message', (report: Report) => {
    reports.push(report);
    child.emit('report');
  });
  child.on('exit', () => child.emit('report'));

  return {
    child,
    reports,
    give: (order) => void child.send(order),
    next: async () => {
      while (reports.length === 0) {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`the process ended (${child.exitCode ?? child.signalCode}): ${complaints}`);
        }
        await once(child, 'report');
      }
      return reports.shift()!;
    },
  };
}

/** Opens the store in each process, in turn. */
export async function openAll(processes: StoreProcess[], opening: Opening): Promise<void> {
  for (const one of processes) await openFrom([one], opening, 0);
}

/** Opens the store in all processes at the same moment. */
export async function openAtOnce(processes: StoreProcess[], opening: Opening): Promise<void> {
  await openFrom(processes, opening, Date.now() + OPENING_HEAD_START_MS);
}

async function openFrom(processes: StoreProcess[], opening: Opening, from: number): Promise<void> {
  for (const one of processes) one.give({ order: 'open', opening, from });
  const reports = await Promise.all(processes.map((one) => one.next()));
  for (const report of reports) {
    if (report.report !== 'opened') throw new Error(`not opened: ${JSON.stringify(report)}`);
  }
}

/** Gives each process its calls, to be made from one moment on; returns each one's answers in order. */
export async function race<Answer>(processes: StoreProcess[], calls: Call[][]): Promise<Answer[][]> {
  const from = Date.now() + HEAD_START_MS;
  for (const [nth, one] of processes.entries()) one.give({ order: 'calls', calls: calls[nth] ?? [], from });
  return Promise.all(
    processes.map(async (one) => {
      const report = await one.next();
      if (report.report !== 'answers') throw new Error(`no answers: ${JSON.stringify(report)}`);
      return report.answers as Answer[];
    }),
  );
}

export async function endProcesses(processes: StoreProcess[]): Promise<void> {
  await Promise.all(
    processes.map(async ({ child }) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }),
  );
}
