/** Every statement of the SQLite store, prepared once. */
import type { DatabaseSync } from 'node:sqlite';

const SIGNING_KEY_COLUMNS = 'kid, algorithm, public_jwk, sealed_private_jwk, created_at, signs_from';
const VERIFICATION_COLUMNS =
  'id, status, channel, attempts_remaining, resends_remaining, resend_at, resend_wait_ms, approved_at, facts, deliveries';

export function prepareStatements(db: DatabaseSync) {
  const prepare = (sql: string) => db.prepare(sql);
  return {
    addVerification: prepare(
      `INSERT INTO verifications (${VERIFICATION_COLUMNS}, forget_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    // By its row it is found again without a second look into the index.
    findVerification: prepare(
      `SELECT rowid AS row, answers, ${VERIFICATION_COLUMNS} FROM verifications WHERE id = ?`,
    ),
    countGuess: prepare(
      'UPDATE verifications SET attempts_remaining = ?, status = ?, answers = ? WHERE rowid = ?',
    ),
    approve: prepare(
      "UPDATE verifications SET status = 'approved', approved_at = ?, answers = ? WHERE rowid = ?",
    ),
    cancel: prepare("UPDATE verifications SET status = 'canceled' WHERE id = ?"),
    countResend: prepare(
      `UPDATE verifications SET channel = ?, resends_remaining = ?, resend_at = ?, resend_wait_ms = ?,
         deliveries = ?, answers = ? WHERE rowid = ?`,
    ),

    findDeliveries: prepare('SELECT rowid AS row, deliveries FROM verifications WHERE id = ?'),
    setDeliveries: prepare(
      'UPDATE verifications SET deliveries = ?, resend_at = min(resend_at, ?) WHERE rowid = ?',
    ),

    addIntent: prepare('INSERT INTO intents (id, facts, expires_at, forget_at) VALUES (?, ?, ?, ?)'),
    findIntent: prepare('SELECT facts, expires_at, verification_id FROM intents WHERE id = ?'),
    useIntent: prepare('UPDATE intents SET verification_id = ? WHERE id = ?'),

    findLimit: prepare('SELECT tats FROM limits WHERE key = ?'),
    setLimit: prepare('INSERT OR REPLACE INTO limits (key, tats, ends_at) VALUES (?, ?, ?)'),

    findGuesses: prepare(
      'SELECT key, count, expires_at FROM failed_guesses WHERE key IN (?, ?) AND expires_at > ?',
    ),
    setGuesses: prepare(
      `INSERT INTO failed_guesses (key, count, expires_at) VALUES (?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET count = excluded.count, expires_at = excluded.expires_at`,
    ),
    removeGuesses: prepare('DELETE FROM failed_guesses WHERE key = ?'),
    forgetGuesses: prepare('DELETE FROM failed_guesses WHERE key >= ? AND key < ?'),

    findIdempotencyKey: prepare(
      'SELECT fingerprint, facts FROM idempotency_keys WHERE key = ? AND expires_at > ?',
    ),
    setIdempotencyKey: prepare(
      'INSERT OR REPLACE INTO idempotency_keys (key, fingerprint, facts, expires_at) VALUES (?, ?, ?, ?)',
    ),

    findRedemption: prepare('SELECT redeemed_at FROM redemptions WHERE jti = ?'),
    addRedemption: prepare('INSERT INTO redemptions (jti, redeemed_at, forget_at) VALUES (?, ?, ?)'),

    findSigningKeys: prepare(`SELECT ${SIGNING_KEY_COLUMNS} FROM signing_keys ORDER BY rowid`),
    addSigningKey: prepare(`INSERT INTO signing_keys (${SIGNING_KEY_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`),
    removeSigningKey: prepare('DELETE FROM signing_keys WHERE kid = ?'),
    resealSigningKey: prepare('UPDATE signing_keys SET sealed_private_jwk = ? WHERE kid = ?'),

    keepSecret: prepare('INSERT INTO secrets (name, sealed) VALUES (?, ?) ON CONFLICT (name) DO NOTHING'),
    findSecret: prepare('SELECT sealed FROM secrets WHERE name = ?'),
    resealSecret: prepare('UPDATE secrets SET sealed = ? WHERE name = ?'),

    removeVerifications: prepare(
      'DELETE FROM verifications WHERE rowid IN (SELECT rowid FROM verifications WHERE forget_at <= ? LIMIT ?)',
    ),
    removeIntents: prepare(
      'DELETE FROM intents WHERE id IN (SELECT id FROM intents WHERE forget_at <= ? LIMIT ?)',
    ),
    removeIdempotencyKeys: prepare(
      'DELETE FROM idempotency_keys WHERE key IN (SELECT key FROM idempotency_keys WHERE expires_at <= ? LIMIT ?)',
    ),
    removeRedemptions: prepare(
      'DELETE FROM redemptions WHERE jti IN (SELECT jti FROM redemptions WHERE forget_at <= ? LIMIT ?)',
    ),
    limitsAfter: prepare('SELECT key, ends_at AS ends FROM limits WHERE key > ? ORDER BY key LIMIT ?'),
    removeLimit: prepare('DELETE FROM limits WHERE key = ?'),
    guessesAfter: prepare(
      'SELECT key, expires_at AS ends FROM failed_guesses WHERE key > ? ORDER BY key LIMIT ?',
    ),

    ping: prepare('PRAGMA user_version'),
  };
}
