/**
 * Copies the write-ahead log back into the database file, in a thread of its own: a checkpoint waits
 * for the disk, and no request should wait with it.
 *
 *     const checkpointer = startCheckpointer('data/phone-proof.sqlite');
 *     await checkpointer.stop();
 */
import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { extname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const INTERVAL_MS = 250;
/**
 * 64 MiB of 4 KiB pages. A passive checkpoint never catches up with a writer that does not pause, and the
 * log would grow without bound: beyond this the log is begun anew, for which writers wait a moment.
 */
const LONG_LOG_PAGES = 16_384;
/** How long the last part of it may wait for a writer, and keep the next one waiting. */
const FULL_TIMEOUT_MS = 250;
/** What writers may be made to wait for: copied within a few milliseconds. */
const FEW_PAGES = 256;
const MAX_PASSES = 4;

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

/** Requests come first where there is but one core: on Linux a thread has a priority of its own. */
function stepBack(): void {
  try {
    const [, thread] = /task\/(\d+)$/.exec(readlinkSync('/proc/thread-self')) ?? [];
    if (thread !== undefined) setPriority(Number(thread), constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Elsewhere, or not allowed: it works all the same.
  }
}

function checkpointForever(file: string): void {
  stepBack();
  const db = new DatabaseSync(file, { timeout: FULL_TIMEOUT_MS });
  const passive = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  // Copies the rest while writers wait; the next of them begins the log anew.
  const full = db.prepare('PRAGMA wal_checkpoint(FULL)');
  /** Copies what nobody reads any more; tells how long the log is and how much of it has been copied. */
  const look = () => {
    const { log, checkpointed } = passive.get() ?? {};
    return { pages: Number(log), copied: Number(checkpointed) };
  };
  let timer: NodeJS.Timeout;
  function copyBack(): void {
    try {
      // Passive passes do nearly all of the copying, and nobody waits for them. What was written during a long one
      // is left for a shorter one.
      let { pages, copied } = look();
      for (let pass = 0; pass < MAX_PASSES && pages - copied > FEW_PAGES; pass += 1) {
        const before = copied;
        ({ pages, copied } = look());
        // Whoever reads an old state keeps it from going on, and writers would wait for that reader: the log grows
        // instead, until it is gone.
        if (copied === before) break;
      }
      if (pages > LONG_LOG_PAGES && pages - copied <= FEW_PAGES) full.get();
    } catch {
      // Busy or out of space: the next turn tries again, and nothing is lost in between.
    }
    // Counted from here: writers get their turn in between, however long it took.
    timer = setTimeout(copyBack, INTERVAL_MS);
  }
  timer = setTimeout(copyBack, INTERVAL_MS);
  parentPort?.once('message', () => {
    clearTimeout(timer);
    db.close();
  });
}

if (!isMainThread && typeof workerData?.checkpoint === 'string') checkpointForever(workerData.checkpoint);
