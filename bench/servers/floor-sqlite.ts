/** The floor over SQLite: one transaction a call, write-ahead log, `synchronous=NORMAL`. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { serve } from '@hono/node-server';
import { z } from 'zod';
import { createFloor, type FloorStore, GUESSES } from './floor.ts';
import { ready, serverArguments } from './harness.ts';

const row = z.object({
  phone: z.string(),
  purpose: z.string(),
  code_hash: z.string(),
  expires_at: z.number(),
  guesses: z.number(),
});

function openStore(file: string): FloorStore {
  const db = new DatabaseSync(file);
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE verifications (
      id TEXT PRIMARY KEY,
      phone TEXT NOT NULL,
      purpose TEXT NOT NULL,
      code_hash TEXT NOT NULL,
      expires_at INTEGER NOT NULL,
      guesses INTEGER NOT NULL
    ) STRICT;
  `);
  const insert = db.prepare('INSERT INTO verifications VALUES (?, ?, ?, ?, ?, ?)');
  const find = db.prepare('SELECT * FROM verifications WHERE id = ?');
  const spend = db.prepare('UPDATE verifications SET guesses = ? WHERE id = ?');

  return {
    async add({ id, phone, purpose, codeHash, expiresAt }) {
      insert.run(id, phone, purpose, codeHash, expiresAt, GUESSES);
    },
    async approve(id, codeHash, now) {
      db.exec('BEGIN IMMEDIATE');
      try {
        const found = find.get(id);
        const { phone, purpose, ...is } = row.parse(found);
        if (is.guesses === 0 || is.expires_at <= now) return undefined;
        const isRight = is.code_hash === codeHash;
        spend.run(isRight ? 0 : is.guesses - 1, id);
        return isRight ? { phone, purpose } : undefined;
      } finally {
        db.exec('COMMIT');
      }
    },
  };
}

const { dir } = serverArguments();
const { fetch } = await createFloor(openStore(join(dir, 'floor.sqlite')));
const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
  ready(port, () => server.close()),
);
