/**
 * The SQLite schema, step by step: entry n takes a file from `user_version` n to n + 1.
 * A step that has been released is never edited; a new one is appended.
 */
import type { DatabaseSync } from 'node:sqlite';

const migrations: string[] = [
  `
  CREATE TABLE verifications (
    id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    channel TEXT NOT NULL,
    attempts_remaining INTEGER NOT NULL,
    resends_remaining INTEGER NOT NULL,
    resend_at INTEGER NOT NULL,
    resend_wait_ms INTEGER NOT NULL,
    approved_at INTEGER,
    facts TEXT NOT NULL,
    forget_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX verifications_forget_at ON verifications (forget_at);

  CREATE TABLE deliveries (
    verification_id TEXT NOT NULL,
    id TEXT NOT NULL,
    channel TEXT NOT NULL,
    provider TEXT NOT NULL,
    status TEXT NOT NULL,
    provider_reference TEXT,
    reason TEXT,
    created_at INTEGER NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (verification_id, id)
  ) STRICT;

  CREATE TABLE intents (
    id TEXT PRIMARY KEY,
    verification_id TEXT,
    facts TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    forget_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX intents_forget_at ON intents (forget_at);

  CREATE TABLE limits (key TEXT PRIMARY KEY, tat INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE failed_guesses (
    key TEXT PRIMARY KEY, count INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    facts TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX idempotency_keys_expires_at ON idempotency_keys (expires_at);

  CREATE TABLE redemptions (
    jti TEXT PRIMARY KEY, redeemed_at INTEGER NOT NULL, forget_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX redemptions_forget_at ON redemptions (forget_at);

  CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    algorithm TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    sealed_private_jwk TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    signs_from INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE secrets (name TEXT PRIMARY KEY, sealed TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
];

/** Brings the file up to date; several processes may start at once. */
export function migrate(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
    if (version > migrations.length) {
      throw new Error(
        `the database has schema version ${version}, this release knows ${migrations.length}: run a newer release`,
      );
    }
    for (const step of migrations.slice(version)) db.exec(step);
    db.exec(`PRAGMA user_version = ${migrations.length}`);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}
