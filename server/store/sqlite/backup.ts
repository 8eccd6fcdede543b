/**
 * Copies the database while servers write to it.
 *
 *     const { bytes } = backUp({ database: 'data/phone-proof.sqlite', to: 'backup.sqlite' });
 *
 * `VACUUM INTO` reads one state of the database from beginning to end: what was committed before it began
 * is in the copy, whole, and nothing that came later. Writers go on (the log grows meanwhile, see
 * `checkpointer.ts`). SQLite's online backup, page by page, begins anew with every write of another
 * process, and would copy what was erased but not yet overwritten.
 */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** There is no backup: the message says why and what to do. */
export class BackupFailed extends Error {
  override readonly name = 'BackupFailed';
}

const OPEN_TIMEOUT_MS = 10_000;

/** @throws BackupFailed, and leaves nothing behind */
export function backUp({ database, to }: { database: string; to: string }): { bytes: number } {
  if (!existsSync(database)) throw new BackupFailed(`there is no database ${database} to back up yet`);
  refuseToOverwrite(to);
  // Until it is whole it has another name: who finds the file can rely on it.
  const part = `${to}.part`;
  reserve(part);
  try {
    copy(database, part);
    check(part);
    sync(part, 'r+');
    refuseToOverwrite(to);
    renameSync(part, to);
  } catch (error) {
    rmSync(part, { force: true });
    if (error instanceof BackupFailed) throw error;
    throw new BackupFailed(`the backup ${to} was not made: ${messageOf(error)}`, { cause: error });
  }
  try {
    sync(dirname(to), 'r');
  } catch {
    // Not every system opens a folder for this; the copy is there all the same.
  }
  return { bytes: statSync(to).size };
}

function refuseToOverwrite(to: string): void {
  if (existsSync(to))
    throw new BackupFailed(`${to} exists, and a backup overwrites nothing: name another file`);
}

/** Ours alone from the first byte: it holds every signing key, though sealed. */
function reserve(part: string): void {
  try {
    closeSync(openSync(part, 'wx', 0o600));
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    const why = isTaken
      ? `${part} exists: another backup is writing it, or one was cut short; if none runs, remove it`
      : `the backup cannot be written: ${messageOf(error)}`;
    throw new BackupFailed(why, { cause: error });
  }
}

function copy(database: string, part: string): void {
  const db = new DatabaseSync(database, { timeout: OPEN_TIMEOUT_MS });
  try {
    db.prepare('VACUUM INTO ?').run(part);
  } finally {
    db.close();
  }
}

function check(part: string): void {
  const db = new DatabaseSync(part, { readOnly: true });
  try {
    const found = db
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => String(row.integrity_check));
    if (found.join() !== 'ok') {
      throw new BackupFailed(`the copy is damaged, and the database may be: ${found.slice(0, 3).join('; ')}`);
    }
    if (db.prepare('PRAGMA user_version').get()?.user_version === 0) {
      throw new BackupFailed('the database is empty: no server has used it yet');
    }
  } finally {
    db.close();
  }
}

/** On the disk, and not only on its way there: SQLite does not see to that for a copy. */
function sync(path: string, flags: 'r' | 'r+'): void {
  const handle = openSync(path, flags);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
