/**
 * Copies the write-ahead log back into the database file, in a thread of its own: a checkpoint waits
 * for the disk, and no request should wait with it.
 *
 *     const checkpointer = startCheckpointer('data/phone-proof.sqlite');
 *     await checkpointer.stop();
 */
import { extname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const INTERVAL_MS = 250;
/**
 * 8 MiB of 4 KiB pages. A passive checkpoint never catches up with a writer that does not pause, and the
 * log would grow without bound: beyond this the log is begun anew, for which writers wait a moment.
 */
const LONG_LOG_PAGES = 2_048;
const RESTART_TIMEOUT_MS = 1_000;

export function startCheckpointer(file: string): { stop(): Promise<void> } {
  const self = new URL(`./checkpointer${extname(import.meta.filename)}`, import.meta.url);
  const worker = new Worker(self, { workerData: { checkpoint: file }, execArgv: [] });
  worker.unref();
  // The log only grows without it; the store itself goes on, and says so itself when the disk is full.
  worker.on('error', () => {});
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  return {
    stop: () => {
      worker.ref();
      worker.postMessage('stop');
      return ended;
    },
  };
}

function checkpointForever(file: string): void {
  const db = new DatabaseSync(file, { timeout: RESTART_TIMEOUT_MS });
  const passive = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  const restart = db.prepare('PRAGMA wal_checkpoint(RESTART)');
  const timer = setInterval(() => {
    try {
      // The passive pass does nearly all of the copying, and nobody waits for it.
      const { log } = passive.get() ?? {};
      if (Number(log) > LONG_LOG_PAGES) restart.get();
    } catch {
      // Busy or out of space: the next turn tries again, and nothing is lost in between.
    }
  }, INTERVAL_MS);
  parentPort?.once('message', () => {
    clearInterval(timer);
    db.close();
  });
}

if (!isMainThread && typeof workerData?.checkpoint === 'string') checkpointForever(workerData.checkpoint);
