/**
 * A phone for development: every message arrives at once, in an inbox that one can read.
 *
 *     const simulator = createSimulator({ file: 'data/simulator.db', clock: Date.now });
 *     await simulator.send(message);
 *     simulator.messages({ to: '+31612345678' })[0]?.code;   // the newest first
 *
 * A DEVELOPMENT TOOL: it keeps numbers and codes in clear for whoever opens its file or its page, and sends nothing
 * to anybody. The server refuses to start with it in production.
 *
 * The inbox has an SQLite file of its own, so that restarts and several processes share it and nothing of it lies in
 * the store.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { type Clock, toTimestamp } from '../../clock.ts';
import { channel } from '../../contract.ts';
import type { OutgoingMessage, Provider } from '../provider.ts';

const simulatorMessage = z.object({
  id: z.string(),
  to: z.string(),
  channel,
  body: z.string(),
  code: z.string(),
  provider: z.literal('simulator'),
  at: z.iso.datetime(),
  status: z.literal('delivered'),
});
export type SimulatorMessage = z.infer<typeof simulatorMessage>;

export type Simulator = Provider & {
  /** Newest first; at most `limit` (default 100). */
  messages(filter: { to?: string; limit?: number }): SimulatorMessage[];
};

/** An inbox is for looking at, not for keeping: beyond this the oldest go. */
const MAX_MESSAGES = 10_000;

const OPEN_TIMEOUT_MS = 5_000;
const OPEN_RETRY_MS = 20;
const SQLITE_BUSY = 5;

/** Throws when `file` cannot be opened. Without one the inbox lives in memory, and dies with the process. */
export function createSimulator({ file = ':memory:', clock }: { file?: string; clock: Clock }): Simulator {
  const db = openInbox(file);
  const insert = db.prepare(
    'INSERT INTO message (id, recipient, channel, body, code, at, status) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const trim = db.prepare('DELETE FROM message WHERE sequence <= ?');
  const columns = `id, recipient AS "to", channel, body, code, 'simulator' AS provider, at, status`;
  const newest = db.prepare(`SELECT ${columns} FROM message ORDER BY sequence DESC LIMIT ?`);
  const newestTo = db.prepare(
    `SELECT ${columns} FROM message WHERE recipient = ? ORDER BY sequence DESC LIMIT ?`,
  );

  function deliver(message: OutgoingMessage): string {
    const id = `sim_${randomUUID()}`;
    const at = toTimestamp(clock());
    const { to, channel, body, code } = message;
    const { lastInsertRowid } = insert.run(id, to, channel, body, code, at, 'delivered');
    trim.run(Number(lastInsertRowid) - MAX_MESSAGES);
    return id;
  }

  return {
    name: 'simulator',
    channels: ['sms'],
    async send(message) {
      if (!db.isOpen) return { kind: 'refused', reason: 'provider-closed' };
      try {
        return { kind: 'accepted', providerReference: deliver(message) };
      } catch {
        // A full disk, a file taken away, a lock held too long.
        return { kind: 'refused', reason: 'inbox-not-writable' };
      }
    },
    messages({ to, limit = 100 }) {
      const rows = to === undefined ? newest.all(limit) : newestTo.all(to, limit);
      return z.array(simulatorMessage).parse(rows);
    },
    close() {
      if (db.isOpen) db.close();
    },
  };
}

/** Another process may be making the same inbox right now, and SQLite does not wait for all that takes. */
function openInbox(file: string): DatabaseSync {
  // Where the store is no file, nobody else has made the folder.
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
  const db = new DatabaseSync(file, { timeout: OPEN_TIMEOUT_MS });
  for (const giveUpAt = performance.now() + OPEN_TIMEOUT_MS; ; ) {
    try {
      // What a crash of the machine loses here, nobody misses.
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
      db.exec(`
        CREATE TABLE IF NOT EXISTS message (
          sequence INTEGER PRIMARY KEY AUTOINCREMENT,
          id TEXT NOT NULL,
          recipient TEXT NOT NULL,
          channel TEXT NOT NULL,
          body TEXT NOT NULL,
          code TEXT NOT NULL,
          at TEXT NOT NULL,
          status TEXT NOT NULL
        ) STRICT;
        CREATE INDEX IF NOT EXISTS message_by_recipient ON message (recipient, sequence);
      `);
      return db;
    } catch (error) {
      const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
      if (code !== SQLITE_BUSY || performance.now() > giveUpAt) {
        db.close();
        throw error;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPEN_RETRY_MS);
    }
  }
}
