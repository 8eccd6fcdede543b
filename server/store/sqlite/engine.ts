/**
 * SQLite as an engine: opening a file, transactions that are shared, and waiting for other processes
 * without keeping this one from its other work. What a step does stands in `sqlite.ts`.
 *
 *     const db = openDatabase('data/phone-proof.sqlite');
 *     const { atomically } = createTransactions(db, sameFile(file));
 *     const found = await atomically(() => statement.get(id));
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { StoreUnavailable } from '../store.ts';
import { migrate } from './migrations.ts';

/** How long opening waits for another process that opens the same file. Nothing is served yet. */
const OPEN_TIMEOUT_MS = 10_000;
const OPEN_RETRY_MS = 20;
/** How long a step waits for another process's write before it gives up. */
const BUSY_TIMEOUT_MS = 2_000;
const MAX_BUSY_WAIT_MS = 25;

/** @throws StoreUnavailable that names the file and what is wrong with it */
export function openDatabase(file: string, steps?: readonly string[]): DatabaseSync {
  const deadline = performance.now() + OPEN_TIMEOUT_MS;
  for (;;) {
    let db: DatabaseSync | undefined;
    try {
      if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
      db = new DatabaseSync(file, { timeout: OPEN_TIMEOUT_MS });
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;');
      migrate(db, steps);
      // From here on nothing waits inside SQLite: that would keep the whole process from answering.
      db.exec('PRAGMA busy_timeout = 0');
      return db;
    } catch (error) {
      if (db?.isOpen) db.close();
      // While another process switches a new file to write-ahead logging, SQLite refuses without waiting.
      if (resultCode(error) !== SQLITE_BUSY || performance.now() > deadline) {
        const why = error instanceof Error ? error.message : String(error);
        throw new StoreUnavailable(`the database ${file} cannot be used: ${why}`, { cause: error });
      }
      pause(OPEN_RETRY_MS);
    }
  }
}

/** Stops this thread: only for a process that serves nothing yet. */
const pause = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

type Waiting = { run(): void; committed(): void; failed(error: unknown): void };

/** @param assertUsable throws what stands in the way of any step */
export function createTransactions(
  db: DatabaseSync,
  assertUsable: () => void,
): { atomically<T>(step: () => T): Promise<T> } {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  /** Steps that wait for the transaction they will share. */
  let waiting: Waiting[] = [];

  /**
   * One atomic step. Steps that arrive together are committed together, because a commit costs more than a
   * step; each is answered after the commit and sees what those before it did.
   */
  function atomically<T>(step: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let result: T;
      waiting.push({
        run: () => {
          result = step();
        },
        committed: () => resolve(result),
        failed: reject,
      });
      if (waiting.length === 1) setImmediate(() => void commitWaiting());
    });
  }

  async function commitWaiting(): Promise<void> {
    const steps = waiting;
    waiting = [];
    try {
      await available(() =>
        inTransaction(() => {
          for (const step of steps) step.run();
        }),
      );
      for (const step of steps) step.committed();
    } catch (error) {
      // Nothing of it was written. Whose fault it was shows when each goes alone; a lock is nobody's, and all
      // have waited for it.
      if (steps.length === 1 || isBusy(error)) for (const step of steps) step.failed(error);
      else for (const step of steps) await commitAlone(step);
    }
  }

  async function commitAlone(step: Waiting): Promise<void> {
    try {
      await available(() => inTransaction(() => step.run()));
      step.committed();
    } catch (error) {
      step.failed(error);
    }
  }

  /** `IMMEDIATE` takes the write lock first, so that what is read stays true. */
  function inTransaction(run: () => void): void {
    assertUsable();
    begin.run();
    try {
      run();
      commit.run();
    } catch (error) {
      if (db.isTransaction) rollback.run();
      throw error;
    }
  }

  return { atomically };
}

const SQLITE_BUSY = 5;
/** A mistake of ours and not the engine's absence. */
const SQLITE_CONSTRAINT = 19;

/** SQLite's primary result code, where the error is SQLite's. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_SQLITE_ERROR') return undefined;
  return 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
}

const isBusy = (error: unknown): boolean =>
  error instanceof StoreUnavailable && resultCode(error.cause) === SQLITE_BUSY;

/** The engine's failures (full, locked, read-only, corrupt, closed) as `StoreUnavailable`. */
function orUnavailable<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    const code = resultCode(error);
    const isClosed = error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE';
    if (!isClosed && (code === undefined || code === SQLITE_CONSTRAINT)) throw error;
    throw new StoreUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/**
 * Runs against the engine. While another process writes, it is asked again and again, and this process
 * goes on with its other work meanwhile.
 */
export async function available<T>(run: () => T): Promise<T> {
  const deadline = performance.now() + BUSY_TIMEOUT_MS;
  for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, MAX_BUSY_WAIT_MS)) {
    try {
      return orUnavailable(run);
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
    }
    await delay(Math.random() * waitMs);
  }
}
