/** Every statement of the SQLite store, prepared once. */
import type { DatabaseSync } from 'node:sqlite';

const VERIFICATION_COLUMNS =
  'id, status, channel, attempts_remaining, resends_remaining, resend_at, resend_wait_ms, approved_at, facts';

export function prepareStatements(db: DatabaseSync) {
  const prepare = (sql: string) => db.prepare(sql);
  return {
    addVerification: prepare(
      `INSERT INTO verifications (${VERIFICATION_COLUMNS}, forget_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    findVerification: prepare(`SELECT ${VERIFICATION_COLUMNS} FROM verifications WHERE id = ?`),
    countGuess: prepare('UPDATE verifications SET attempts_remaining = ?, status = ? WHERE id = ?'),
    approve: prepare("UPDATE verifications SET status = 'approved', approved_at = ? WHERE id = ?"),
    cancel: prepare("UPDATE verifications SET status = 'canceled' WHERE id = ?"),
    countResend: prepare(
      'UPDATE verifications SET channel = ?, resends_remaining = ?, resend_at = ?, resend_wait_ms = ? WHERE id = ?',
    ),
    allowResendFrom: prepare('UPDATE verifications SET resend_at = min(resend_at, ?) WHERE id = ?'),

    addDelivery: prepare(
      `INSERT INTO deliveries (verification_id, id, channel, provider, status, provider_reference, reason, created_at, at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    findDeliveries: prepare('SELECT * FROM deliveries WHERE verification_id = ? ORDER BY rowid'),
    findDelivery: prepare('SELECT * FROM deliveries WHERE verification_id = ? AND id = ?'),
    settleDelivery: prepare(
      `UPDATE deliveries SET status = ?, provider_reference = coalesce(?, provider_reference), reason = ?, at = ?
       WHERE verification_id = ? AND id = ?`,
    ),

    addIntent: prepare('INSERT INTO intents (id, facts, expires_at, forget_at) VALUES (?, ?, ?, ?)'),
    findIntent: prepare('SELECT facts, expires_at, verification_id FROM intents WHERE id = ?'),
    useIntent: prepare('UPDATE intents SET verification_id = ? WHERE id = ?'),

    findLimit: prepare('SELECT tat FROM limits WHERE key = ?'),
    setLimit: prepare(
      'INSERT INTO limits (key, tat) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET tat = excluded.tat',
    ),

    findGuesses: prepare('SELECT count, expires_at FROM failed_guesses WHERE key = ? AND expires_at > ?'),
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

    findSigningKeys: prepare('SELECT * FROM signing_keys ORDER BY rowid'),
    addSigningKey: prepare(
      `INSERT INTO signing_keys (kid, algorithm, public_jwk, sealed_private_jwk, created_at, signs_from)
       VALUES (?, ?, ?, ?, ?, ?)`,
    ),
    removeSigningKey: prepare('DELETE FROM signing_keys WHERE kid = ?'),
    resealSigningKey: prepare('UPDATE signing_keys SET sealed_private_jwk = ? WHERE kid = ?'),

    keepSecret: prepare('INSERT INTO secrets (name, sealed) VALUES (?, ?) ON CONFLICT (name) DO NOTHING'),
    findSecret: prepare('SELECT sealed FROM secrets WHERE name = ?'),
    resealSecret: prepare('UPDATE secrets SET sealed = ? WHERE name = ?'),

    forgottenVerifications: prepare('SELECT id FROM verifications WHERE forget_at <= ? LIMIT ?'),
    removeVerification: prepare('DELETE FROM verifications WHERE id = ?'),
    removeDeliveries: prepare('DELETE FROM deliveries WHERE verification_id = ?'),
    removeIntents: prepare(
      'DELETE FROM intents WHERE id IN (SELECT id FROM intents WHERE forget_at <= ? LIMIT ?)',
    ),
    removeIdempotencyKeys: prepare(
      'DELETE FROM idempotency_keys WHERE key IN (SELECT key FROM idempotency_keys WHERE expires_at <= ? LIMIT ?)',
    ),
    removeRedemptions: prepare(
      'DELETE FROM redemptions WHERE jti IN (SELECT jti FROM redemptions WHERE forget_at <= ? LIMIT ?)',
    ),
    limitsAfter: prepare(
      'SELECT key, (tat + 999) / 1000 AS ends FROM limits WHERE key > ? ORDER BY key LIMIT ?',
    ),
    removeLimit: prepare('DELETE FROM limits WHERE key = ?'),
    guessesAfter: prepare(
      'SELECT key, expires_at AS ends FROM failed_guesses WHERE key > ? ORDER BY key LIMIT ?',
    ),

    ping: prepare('PRAGMA user_version'),
  };
}
