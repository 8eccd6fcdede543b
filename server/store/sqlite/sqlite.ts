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
import type { z } from 'zod';
import { deliveryStatus } from '../../contract.ts';
import { chargeRecord } from '../gcra.ts';
import { keptCheck, keptRedeem, keptSend, keptStart } from '../kept-answers.ts';
import { assertNeighbour, understood } from '../schema-version.ts';
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
import { migrations } from './migrations.ts';
import {
  type FoundVerification,
  parseAnswers,
  parseDeliveries,
  parseFacts,
  rowOf,
  rowsOf,
  type SigningKeyRow,
  type StoredDelivery,
  toDeliveries,
  toSigningKey,
  toVerification,
  verificationFacts,
  withDelivery,
} from './rows.ts';
import { sameFile } from './same-file.ts';
import { prepareStatements } from './statements.ts';

/** How many rows of each table one sweep deletes: a few milliseconds' work. */
const SWEEP_BATCH = 100;
/** How many it looks at where no index says which are over. */
const SWEEP_LOOKS_AT = 2_000;

const deliveryRank = { queued: 0, sent: 1, failed: 2, delivered: 3 } as const;

export type SqliteStoreOptions = {
  /** Path of the database, made with its folder when missing; `:memory:` keeps nothing. */
  file: string;
  /** Another process of ours copies the write-ahead log back (`checkpointer.ts`). */
  isCheckpointed?: boolean;
  /** The steps that make it; their number is the version that this process knows. */
  schema?: readonly string[];
};

/** @throws StoreUnavailable that names the file and what is wrong with it */
export function openSqliteStore({
  file,
  isCheckpointed = file === ':memory:',
  schema = migrations,
}: SqliteStoreOptions): Store {
  const db = openDatabase(file, schema);
  const sql = prepareStatements(db);
  const assertSameFile = sameFile(file);
  const { atomically } = createTransactions(db, assertSameFile);
  const checkpointer = isCheckpointed ? undefined : startCheckpointer(file);
  /** Where the sweep of the tables without a time index goes on. */
  const sweptUpTo = { limits: '', guesses: '' };

  const findRow = (id: string) => rowOf<FoundVerification>(sql.findVerification, id);

  const findVerification = (id: string): Verification | undefined => {
    const row = findRow(id);
    return row && toVerification(row);
  };

  /** What was answered before under this key, or `reused` when the key came with another request. */
  function recall<Schema extends z.ZodType>(
    schema: Schema,
    idempotency: Idempotency | null,
    now: number,
  ): z.output<Schema> | 'reused' | undefined {
    if (!idempotency) return undefined;
    const row = rowOf<{ fingerprint: string; facts: string }>(sql.findIdempotencyKey, idempotency.key, now);
    if (!row) return undefined;
    if (row.fingerprint !== idempotency.fingerprint) return 'reused';
    return understood(schema, JSON.parse(row.facts), 'an earlier answer');
  }

  function remember(idempotency: Idempotency | null, facts: SendFacts | { redeemedAt: number }): void {
    if (!idempotency) return;
    const { key, fingerprint, expiresAt } = idempotency;
    sql.setIdempotencyKey.run(key, fingerprint, JSON.stringify(facts), expiresAt);
  }

  /** The same, for a request about a verification: what it was answered lies in the verification's own row. */
  function recallAt<Schema extends z.ZodType>(
    schema: Schema,
    { answers }: FoundVerification,
    idempotency: Idempotency | null,
    now: number,
  ): z.output<Schema> | 'reused' | undefined {
    const before = idempotency && parseAnswers(answers)[idempotency.key];
    if (!before || before.expiresAt <= now) return undefined;
    if (before.fingerprint !== idempotency.fingerprint) return 'reused';
    return understood(schema, before.facts, 'an earlier answer');
  }

  function withAnswer(
    { answers }: FoundVerification,
    idempotency: Idempotency | null,
    facts: CheckFacts | SendFacts,
  ): string {
    if (!idempotency) return answers;
    const { key, fingerprint, expiresAt } = idempotency;
    return JSON.stringify({ ...parseAnswers(answers), [key]: { fingerprint, expiresAt, facts } });
  }

  /** Takes all charges or none; on refusal names the one that keeps the caller waiting longest. */
  function take(
    charges: Charge[],
    now: number,
  ): { kind: 'taken'; charges: ChargeState[] } | Extract<StartOutcome, { kind: 'limited' }> {
    const states: ChargeState[] = [];
    const records: { key: string; tats: string; endsAt: number }[] = [];
    let refused: Extract<StartOutcome, { kind: 'limited' }> | undefined;
    for (const one of charges) {
      const row = rowOf<{ tats: string }>(sql.findLimit, one.key);
      const charged = chargeRecord(row ? row.tats.split(' ').map(Number) : [], one, now);
      if (charged.isAllowed) {
        records.push({ key: one.key, tats: charged.tats.join(' '), endsAt: charged.endsAt });
        states.push(...charged.states);
      } else if (!refused || charged.retryAt > refused.retryAt) {
        refused = { kind: 'limited', scope: one.scope, retryAt: charged.retryAt, policy: charged.policy };
      }
    }
    if (refused) return refused;
    for (const { key, tats, endsAt } of records) sql.setLimit.run(key, tats, endsAt);
    return { kind: 'taken', charges: states };
  }

  type GuessRow = { key: string; count: number; expires_at: number };

  const counts = (phoneKey: string, { network, perNetwork, inARow }: GuessLimits) => [
    { key: `${phoneKey}|${network}`, ...perNetwork },
    { key: `${phoneKey}|`, ...inARow },
  ];

  /** The failed guesses of a number that still count: from this network and from anywhere. */
  const failedGuesses = (phoneKey: string, { network }: GuessLimits, now: number) =>
    rowsOf<GuessRow>(sql.findGuesses, `${phoneKey}|${network}`, `${phoneKey}|`, now);

  /** Until when a number with too many failed guesses is left alone. */
  function lockedUntil(failed: GuessRow[], phoneKey: string, guesses: GuessLimits): number | undefined {
    let until: number | undefined;
    for (const { key, count, expires_at } of failed) {
      const { limit } = key === `${phoneKey}|` ? guesses.inARow : guesses.perNetwork;
      if (count >= limit) until = Math.max(until ?? 0, expires_at);
    }
    return until;
  }

  function countFailedGuess(failed: GuessRow[], phoneKey: string, guesses: GuessLimits, now: number): void {
    for (const { key, windowMs } of counts(phoneKey, guesses)) {
      const count = (failed.find((row) => row.key === key)?.count ?? 0) + 1;
      sql.setGuesses.run(key, count, now + windowMs);
    }
  }

  function start(step: StartStep): StartOutcome {
    const { now, verification, idempotency } = step;
    const before = recall(keptStart, idempotency, now);
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

    const { phoneKey } = verification;
    const lockedTill = lockedUntil(failedGuesses(phoneKey, step.guesses, now), phoneKey, step.guesses);
    if (lockedTill !== undefined)
      return { kind: 'limited', scope: 'phone', retryAt: lockedTill, policy: null };
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
      withDelivery(step.delivery),
      step.forgetAt,
    );
    if (step.intentId !== null) sql.useIntent.run(id, step.intentId);
    remember(idempotency, sendFacts(verification, step.delivery));
    return { kind: 'started', charges: taken.charges };
  }

  function resend(step: ResendStep): ResendOutcome {
    const { now, id, delivery, idempotency } = step;
    const row = findRow(id);
    if (!row) return { kind: 'missing' };
    const verification = toVerification(row);
    const before = recallAt(keptSend, row, idempotency, now);
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
    const { channel, resendsRemaining, resendAt, resendWaitMs } = after;
    const deliveries = withDelivery(delivery, row.deliveries);
    const answers = withAnswer(row, idempotency, sendFacts(after, delivery));
    sql.countResend.run(channel, resendsRemaining, resendAt, resendWaitMs, deliveries, answers, row.row);
    return { kind: 'resent', verification: after, charges: taken.charges };
  }

  function check(step: CheckStep): CheckOutcome {
    const { now, id, guesses, idempotency } = step;
    const row = findRow(id);
    if (!row) return { kind: 'missing' };
    const verification = toVerification(row);
    const before = recallAt(keptCheck, row, idempotency, now);
    if (before === 'reused') return { kind: 'idempotency-key-reused' };
    if (before) return { kind: 'replayed', verification, facts: before };

    const statusBefore = statusAt(verification, now);
    if (statusBefore !== 'pending') {
      return { kind: statusBefore === 'expired' ? 'expired' : 'closed', verification };
    }
    const { phoneKey } = verification;
    const failed = failedGuesses(phoneKey, guesses, now);
    const lockedTill = lockedUntil(failed, phoneKey, guesses);
    if (lockedTill !== undefined) {
      return { kind: 'limited', scope: 'phone', retryAt: lockedTill, policy: null, verification };
    }

    if (step.isRight) {
      sql.approve.run(now, withAnswer(row, idempotency, { kind: 'approved' }), row.row);
      for (const { key } of failed) sql.removeGuesses.run(key);
      return { kind: 'approved', verification: { ...verification, status: 'approved', approvedAt: now } };
    }

    const attemptsRemaining = verification.attemptsRemaining - 1;
    const status = attemptsRemaining > 0 ? 'pending' : 'failed';
    const answers = withAnswer(row, idempotency, { kind: 'incorrect', attemptsRemaining, status });
    sql.countGuess.run(attemptsRemaining, status, answers, row.row);
    countFailedGuess(failed, phoneKey, guesses, now);
    return {
      kind: 'incorrect',
      attemptsRemaining,
      status,
      verification: { ...verification, attemptsRemaining, status },
    };
  }

  function redeem({ now, jti, idempotency, expiresAt, forgetAt }: RedeemStep): RedeemOutcome {
    const before = recall(keptRedeem, idempotency, now);
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
    changeDelivery(verificationId, deliveryId, resendAt, (delivery) => {
      // A status of a newer release is further than any that this one knows.
      const before = deliveryStatus.safeParse(delivery.status);
      if (!before.success || deliveryRank[status] <= deliveryRank[before.data]) return undefined;
      return {
        ...delivery,
        status,
        providerReference: providerReference ?? delivery.providerReference,
        reason,
        at,
      };
    });
  }

  function takeDelivery(taken: Parameters<Store['takeDelivery']>[0]): boolean {
    const { verificationId, deliveryId, by, at } = taken;
    return changeDelivery(verificationId, deliveryId, undefined, (delivery) => {
      const isFree = delivery.status === 'queued' && (delivery.reason ?? by) === by;
      return isFree ? { ...delivery, reason: by, at } : undefined;
    });
  }

  /** False when there is no such delivery, or nothing to change about it. */
  function changeDelivery(
    verificationId: string,
    deliveryId: string,
    resendAt: number | undefined,
    change: (delivery: StoredDelivery) => StoredDelivery | undefined,
  ): boolean {
    const row = rowOf<{ row: number; deliveries: string }>(sql.findDeliveries, verificationId);
    const deliveries = row ? parseDeliveries(row.deliveries) : [];
    const at = deliveries.findIndex(({ id }) => id === deliveryId);
    const before = deliveries[at];
    const after = before && change(before);
    if (!row || !after) return false;
    deliveries[at] = after;
    sql.setDeliveries.run(JSON.stringify(deliveries), resendAt ?? Number.MAX_SAFE_INTEGER, row.row);
    return true;
  }

  function sweep(now: number): number {
    let gone = 0;
    for (const remove of [
      sql.removeVerifications,
      sql.removeIntents,
      sql.removeIdempotencyKeys,
      sql.removeRedemptions,
    ]) {
      gone += Number(remove.run(now, SWEEP_BATCH).changes);
    }
    for (const table of ['limits', 'guesses'] as const) {
      const [after, remove] =
        table === 'limits' ? [sql.limitsAfter, sql.removeLimit] : [sql.guessesAfter, sql.removeGuesses];
      const rows = rowsOf<{ key: string; ends: number }>(after, sweptUpTo[table], SWEEP_LOOKS_AT);
      const over = rows.filter(({ ends }) => ends <= now).slice(0, SWEEP_BATCH);
      for (const { key } of over) remove.run(key);
      gone += over.length;
      // From the last one on that was looked at and, where there was too much to delete, from the last that went.
      const last = over.length === SWEEP_BATCH ? over.at(-1) : rows.at(-1);
      const isWhole = rows.length < SWEEP_LOOKS_AT && over.length < SWEEP_BATCH;
      sweptUpTo[table] = isWhole ? '' : (last?.key ?? '');
    }
    return gone;
  }

  return {
    start: (step) => atomically(() => start(step)),
    resend: (step) => atomically(() => resend(step)),
    check: (step) => atomically(() => check(step)),
    redeem: (step) => atomically(() => redeem(step)),
    settleDelivery: (settled) => atomically(() => settleDelivery(settled)),
    takeDelivery: (taken) => atomically(() => takeDelivery(taken)),

    cancel: (id, now) =>
      atomically(() => {
        const verification = findVerification(id);
        if (!verification) return false;
        if (statusAt(verification, now) === 'pending') sql.cancel.run(id);
        return true;
      }),

    find: (id) =>
      available(() => {
        const row = findRow(id);
        if (!row) return undefined;
        return { verification: toVerification(row), deliveries: toDeliveries(id, row.deliveries) };
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
        assertSameFile();
        const version = rowOf<{ user_version: number }>(sql.ping)?.user_version ?? 0;
        assertNeighbour('the database', { version, known: schema.length });
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
