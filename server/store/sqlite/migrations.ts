/**
 * The SQLite schema, step by step: entry n takes a file from `user_version` n to n + 1.
 *
 *     migrate(db);   // several processes may start at once, and older ones go on working
 *
 * A step that has been released is never edited; a new one is appended, at most one a release. Servers are
 * updated one after the other, so that the release before works on the file at the same time, on what this
 * one wrote, and the other way round. Hence the rule:
 *
 * 1. Expand now. A step adds tables, indexes, and columns that are nullable or have a default. It changes
 *    nothing that is there: no type, no constraint, no trigger, no unique index on a table that has rows.
 * 2. Statements name their columns, those of an INSERT and those of a SELECT.
 * 3. What is written can be read by the release before: a new value of `status`, `channel` or the like is
 *    read in one release and written in the next. A member of `facts` may be added; who reads it does
 *    without it where it is missing.
 * 4. Contract later. What nobody uses any more is dropped one version after the last that named it.
 *
 * `migrations.test.ts` holds every step to it, with what each version looked like and asked for, as kept in
 * `versions/`.
 */
import type { DatabaseSync } from 'node:sqlite';
import { assertNeighbour } from '../schema-version.ts';

export const migrations: readonly string[] = [
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
    deliveries TEXT NOT NULL,
    answers TEXT NOT NULL DEFAULT '{}',
    forget_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX verifications_forget_at ON verifications (forget_at);

  CREATE TABLE intents (
    id TEXT PRIMARY KEY,
    verification_id TEXT,
    facts TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    forget_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX intents_forget_at ON intents (forget_at);

  CREATE TABLE limits (
    key TEXT PRIMARY KEY, tats TEXT NOT NULL, ends_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

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

/**
 * Brings the file up to date. One that a release with the next version has migrated is left as it is.
 *
 * @throws StoreUnavailable when it is of a version beyond that
 */
export function migrate(db: DatabaseSync, steps = migrations): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
    assertNeighbour('the database', { version, known: steps.length });
    for (const step of steps.slice(version)) db.exec(step);
    if (version < steps.length) db.exec(`PRAGMA user_version = ${steps.length}`);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}
