/**
 * The embedded store: one SQLite file through `node:sqlite`, nothing else to install or run.
 *
 *     const store = openSqliteStore({ file: 'data/phone-proof.sqlite' });
 *     await store.start(step);
 *     await store.close();
 *
 * Write-ahead logging with `synchronous=NORMAL`: an answered step survives a killed process, and
 * several processes may share the file. Checkpoints run in a thread of their own (`checkpointer.ts`),
 * because the automatic one stalls a writer for hundreds of milliseconds.
 */
import { charge } from '../gcra.ts';
import {
  type Charge,
  type ChargeState,
  type CheckFacts,
  type CheckOutcome,
  type CheckStep,
  type Delivery,
  type GuessLimits,
  type Idempotency,
  type Intent,
  type RedeemOutcome,
  type RedeemStep,
  type ResendOutcome,
  type ResendStep,
  type SendFacts,
  type SigningKey,
  type StartOutcome,
  type StartStep,
  type Store,
  statusAt,
  type Verification,
} from '../store.ts';
import { startCheckpointer } from './checkpointer.ts';
import { available, createTransactions, openDatabase } from './engine.ts';
import {
  type DeliveryRow,
  parseFacts,
  rowOf,
  rowsOf,
  type SigningKeyRow,
  toDelivery,
  toSigningKey,
  toVerification,
  type VerificationRow,
  verificationFacts,
} from './rows.ts';
import { prepareStatements } from './statements.ts';

/** How many rows of each table one sweep looks at. */
const SWEEP_BATCH = 500;

const deliveryRank = { queued: 0, sent: 1, failed: 2, delivered: 3 } as const;

/**
 * @param file path of the database, made with its folder when missing; `:memory:` keeps nothing
 * @throws StoreUnavailable that names the file and what is wrong with it
 */
export function openSqliteStore({ file }: { file: string }): Store {
  const db = openDatabase(file);
  const sql = prepareStatements(db);
  const { atomically } = createTransactions(db);
  const checkpointer = file === ':memory:' ? undefined : startCheckpointer(file);
  /** Where the sweep of the tables without a time index goes on. */
  const sweptUpTo = { limits: '', guesses: '' };

  const findVerification = (id: string): Verification | undefined => {
    const row = rowOf<VerificationRow>(sql.findVerification, id);
    return row && toVerification(row);
  };

  function addDelivery(delivery: Delivery): void {
    const { verificationId, id, channel, provider, status, providerReference, reason, createdAt, at } =
      delivery;
    sql.addDelivery.run(
      verificationId,
      id,
      channel,
      provider,
      status,
      providerReference,
      reason,
      createdAt,
      at,
    );
  }

  /** What was answered before under this key, or `reused` when the key came with another request. */
  function recall<Facts>(idempotency: Idempotency | null, now: number): Facts | 'reused' | undefined {
    if (!idempotency) return undefined;
    const row = rowOf<{ fingerprint: string; facts: string }>(sql.findIdempotencyKey, idempotency.key, now);
    if (!row) return undefined;
    return row.fingerprint === idempotency.fingerprint ? parseFacts<Facts>(row.facts) : 'reused';
  }

  function remember(
    idempotency: Idempotency | null,
    facts: CheckFacts | SendFacts | { redeemedAt: number },
  ): void {
    if (!idempotency) return;
    sql.setIdempotencyKey.run(
      idempotency.key,
      idempotency.fingerprint,
      JSON.stringify(facts),
      idempotency.expiresAt,
    );
  }

  /** Takes all charges or none; on refusal names the one that keeps the caller waiting longest. */
  function take(
    charges: Charge[],
    now: number,
  ): { kind: 'taken'; charges: ChargeState[] } | Extract<StartOutcome, { kind: 'limited' }> {
    const states: ChargeState[] = [];
    const tats: [string, number][] = [];
    let refused: Extract<StartOutcome, { kind: 'limited' }> | undefined;
    for (const one of charges) {
      const charged = charge(rowOf<{ tat: number }>(sql.findLimit, one.key)?.tat, one, now);
      if (charged.isAllowed) {
        tats.push([one.key, charged.tat]);
        states.push({ charge: one, remaining: charged.remaining, resetAt: charged.resetAt });
      } else if (!refused || charged.retryAt > refused.retryAt) {
        refused = { kind: 'limited', scope: one.scope, retryAt: charged.retryAt, charge: one };
      }
    }
    if (refused) return refused;
    for (const [key, tat] of tats) sql.setLimit.run(key, tat);
    return { kind: 'taken', charges: states };
  }

  type GuessRow = { count: number; expires_at: number };

  const counts = (phoneKey: string, { network, perNetwork, inARow }: GuessLimits) => [
    { key: `${phoneKey}|${network}`, ...perNetwork },
    { key: `${phoneKey}|`, ...inARow },
  ];

  /** Until when a number with too many failed guesses is left alone. */
  function lockedUntil(phoneKey: string, guesses: GuessLimits, now: number): number | undefined {
    let until: number | undefined;
    for (const { key, limit } of counts(phoneKey, guesses)) {
      const row = rowOf<GuessRow>(sql.findGuesses, key, now);
      if (row && row.count >= limit) until = Math.max(until ?? 0, row.expires_at);
    }
    return until;
  }

  function countFailedGuess(phoneKey: string, guesses: GuessLimits, now: number): void {
    for (const { key, windowMs } of counts(phoneKey, guesses)) {
      const count = (rowOf<GuessRow>(sql.findGuesses, key, now)?.count ?? 0) + 1;
      sql.setGuesses.run(key, count, now + windowMs);
    }
  }

  function start(step: StartStep): StartOutcome {
    const { now, verification, idempotency } = step;
    const before = recall<SendFacts & { verificationId: string }>(idempotency, now);
    if (before === 'reused') return { kind: 'idempotency-key-reused' };
    if (before) {
      const replayed = findVerification(before.verificationId);
      if (replayed) return { kind: 'replayed', verification: replayed, facts: before };
    }

    if (step.intentId !== null) {
      const intent = rowOf<{ verification_id: string | null; expires_at: number }>(
        sql.findIntent,
        step.intentId,
      );
      if (!intent || intent.expires_at <= now) return { kind: 'intent-missing' };
      const earlier = intent.verification_id === null ? undefined : findVerification(intent.verification_id);
      const isFree = intent.verification_id === null || (earlier && canStartAgain(earlier, now));
      if (!isFree) return { kind: 'intent-used' };
    }

    const lockedTill = lockedUntil(verification.phoneKey, step.guesses, now);
    if (lockedTill !== undefined)
      return { kind: 'limited', scope: 'phone', retryAt: lockedTill, charge: null };
    const taken = take(step.charges, now);
    if (taken.kind === 'limited') return taken;

    const { id, status, channel, attemptsRemaining, resendsRemaining, resendAt, resendWaitMs, approvedAt } =
      verification;
    sql.addVerification.run(
      id,
      status,
      channel,
      attemptsRemaining,
      resendsRemaining,
      resendAt,
      resendWaitMs,
      approvedAt,
      verificationFacts(verification),
      step.forgetAt,
    );
    addDelivery(step.delivery);
    if (step.intentId !== null) sql.useIntent.run(id, step.intentId);
    remember(idempotency, sendFacts(verification, step.delivery));
    return { kind: 'started', charges: taken.charges };
  }

  function resend(step: ResendStep): ResendOutcome {
    const { now, id, delivery, idempotency } = step;
    const verification = findVerification(id);
    if (!verification) return { kind: 'missing' };
    const before = recall<SendFacts>(idempotency, now);
    if (before === 'reused') return { kind: 'idempotency-key-reused' };
    if (before) return { kind: 'replayed', verification, facts: before };

    const status = statusAt(verification, now);
    if (status !== 'pending') return { kind: status === 'expired' ? 'expired' : 'closed', verification };
    if (verification.resendsRemaining === 0) return { kind: 'exhausted', verification };
    if (now < verification.resendAt) return { kind: 'too-early', verification };
    const taken = take(step.charges, now);
    if (taken.kind === 'limited') return taken;

    const after: Verification = {
      ...verification,
      channel: delivery.channel,
      resendsRemaining: verification.resendsRemaining - 1,
      resendAt: now + verification.resendWaitMs,
      resendWaitMs: verification.resendWaitMs * 2,
    };
    sql.countResend.run(after.channel, after.resendsRemaining, after.resendAt, after.resendWaitMs, id);
    addDelivery(delivery);
    remember(idempotency, sendFacts(after, delivery));
    return { kind: 'resent', verification: after, charges: taken.charges };
  }

  function check(step: CheckStep): CheckOutcome {
    const { now, id, guesses, idempotency } = step;
    const verification = findVerification(id);
    if (!verification) return { kind: 'missing' };
    const before = recall<CheckFacts>(idempotency, now);
    if (before === 'reused') return { kind: 'idempotency-key-reused' };
    if (before) return { kind: 'replayed', verification, facts: before };

    const statusBefore = statusAt(verification, now);
    if (statusBefore !== 'pending') {
      return { kind: statusBefore === 'expired' ? 'expired' : 'closed', verification };
    }
    const lockedTill = lockedUntil(verification.phoneKey, guesses, now);
    if (lockedTill !== undefined) {
      return { kind: 'limited', scope: 'phone', retryAt: lockedTill, charge: null, verification };
    }

    if (step.isRight) {
      sql.approve.run(now, id);
      for (const { key } of counts(verification.phoneKey, guesses)) sql.removeGuesses.run(key);
      remember(idempotency, { kind: 'approved' });
      return { kind: 'approved', verification: { ...verification, status: 'approved', approvedAt: now } };
    }

    const attemptsRemaining = verification.attemptsRemaining - 1;
    const status = attemptsRemaining > 0 ? 'pending' : 'failed';
    sql.countGuess.run(attemptsRemaining, status, id);
    countFailedGuess(verification.phoneKey, guesses, now);
    remember(idempotency, { kind: 'incorrect', attemptsRemaining, status });
    return {
      kind: 'incorrect',
      attemptsRemaining,
      status,
      verification: { ...verification, attemptsRemaining, status },
    };
  }

  function redeem({ now, jti, idempotency, expiresAt, forgetAt }: RedeemStep): RedeemOutcome {
    const before = recall<{ redeemedAt: number }>(idempotency, now);
    if (before === 'reused') return { kind: 'idempotency-key-reused' };
    if (before) return { kind: 'replayed', redeemedAt: before.redeemedAt };
    const earlier = rowOf<{ redeemed_at: number }>(sql.findRedemption, jti);
    if (earlier) return { kind: 'already-redeemed', redeemedAt: earlier.redeemed_at };
    if (now >= expiresAt) return { kind: 'expired' };
    sql.addRedemption.run(jti, now, forgetAt);
    remember(idempotency, { redeemedAt: now });
    return { kind: 'redeemed', redeemedAt: now };
  }

  function settleDelivery(settled: Parameters<Store['settleDelivery']>[0]): void {
    const { verificationId, deliveryId, status, providerReference, reason, at, resendAt } = settled;
    const row = rowOf<DeliveryRow>(sql.findDelivery, verificationId, deliveryId);
    if (!row || deliveryRank[status] <= deliveryRank[row.status]) return;
    sql.settleDelivery.run(status, providerReference, reason, at, verificationId, deliveryId);
    if (resendAt !== undefined) sql.allowResendFrom.run(resendAt, verificationId);
  }

  function sweep(now: number): number {
    let gone = 0;
    for (const { id } of rowsOf<{ id: string }>(sql.forgottenVerifications, now, SWEEP_BATCH)) {
      sql.removeDeliveries.run(id);
      sql.removeVerification.run(id);
      gone += 1;
    }
    for (const remove of [sql.removeIntents, sql.removeIdempotencyKeys, sql.removeRedemptions]) {
      gone += Number(remove.run(now, SWEEP_BATCH).changes);
    }
    for (const table of ['limits', 'guesses'] as const) {
      const [after, remove] =
        table === 'limits' ? [sql.limitsAfter, sql.removeLimit] : [sql.guessesAfter, sql.removeGuesses];
      const rows = rowsOf<{ key: string; ends: number }>(after, sweptUpTo[table], SWEEP_BATCH);
      for (const { key, ends } of rows) {
        if (ends > now) continue;
        remove.run(key);
        gone += 1;
      }
      sweptUpTo[table] = rows.length < SWEEP_BATCH ? '' : (rows.at(-1)?.key ?? '');
    }
    return gone;
  }

  return {
    start: (step) => atomically(() => start(step)),
    resend: (step) => atomically(() => resend(step)),
    check: (step) => atomically(() => check(step)),
    redeem: (step) => atomically(() => redeem(step)),
    settleDelivery: (settled) => atomically(() => settleDelivery(settled)),

    cancel: (id, now) =>
      atomically(() => {
        const verification = findVerification(id);
        if (!verification) return false;
        if (statusAt(verification, now) === 'pending') sql.cancel.run(id);
        return true;
      }),

    find: (id) =>
      available(() => {
        const verification = findVerification(id);
        if (!verification) return undefined;
        return { verification, deliveries: rowsOf<DeliveryRow>(sql.findDeliveries, id).map(toDelivery) };
      }),

    addIntent: (intent, forgetAt) =>
      atomically(() => {
        sql.addIntent.run(intent.id, JSON.stringify(intent), intent.expiresAt, forgetAt);
      }),

    findIntent: (id) =>
      available(() => {
        const row = rowOf<{ facts: string }>(sql.findIntent, id);
        return row && parseFacts<Intent>(row.facts);
      }),

    forgetGuesses: (phoneKey) =>
      atomically(() => {
        // '|' separates the number from the network and '}' is the next character in byte order.
        sql.forgetGuesses.run(`${phoneKey}|`, `${phoneKey}}`);
      }),

    signingKeys: () => available(() => rowsOf<SigningKeyRow>(sql.findSigningKeys).map(toSigningKey)),

    addSigningKey: (key: SigningKey, newestKid) =>
      atomically(() => {
        const newest = rowsOf<SigningKeyRow>(sql.findSigningKeys).at(-1);
        if ((newest?.kid ?? null) !== newestKid) return false;
        const { kid, algorithm, publicJwk, sealedPrivateJwk, createdAt, signsFrom } = key;
        sql.addSigningKey.run(kid, algorithm, publicJwk, sealedPrivateJwk, createdAt, signsFrom);
        return true;
      }),

    removeSigningKey: (kid) =>
      atomically(() => {
        sql.removeSigningKey.run(kid);
      }),

    resealSigningKey: (kid, sealed) =>
      atomically(() => {
        sql.resealSigningKey.run(sealed, kid);
      }),

    keepSecret: (name, sealed) =>
      atomically(() => {
        sql.keepSecret.run(name, sealed);
        return rowOf<{ sealed: string }>(sql.findSecret, name)?.sealed ?? sealed;
      }),

    resealSecret: (name, sealed) =>
      atomically(() => {
        sql.resealSecret.run(sealed, name);
      }),

    sweep: (now) => atomically(() => sweep(now)),
    ping: () =>
      available(() => {
        sql.ping.get();
      }),
    close: async () => {
      await checkpointer?.stop();
      if (db.isOpen) db.close();
    },
  };
}

/** An intent whose verification ended without a decision may try again: an expired code is no dead end. */
const canStartAgain = (earlier: Verification, now: number) =>
  ['expired', 'canceled'].includes(statusAt(earlier, now));

function sendFacts(
  { id, attemptsRemaining, resendsRemaining, resendAt }: Verification,
  delivery: Delivery,
): SendFacts & { verificationId: string } {
  return {
    verificationId: id,
    deliveryId: delivery.id,
    channel: delivery.channel,
    attemptsRemaining,
    resendsRemaining,
    resendAt,
  };
}
