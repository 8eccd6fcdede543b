/**
 * What a store does, said as plainly as it can be: maps in memory, one call after the other.
 *
 *     const model = createModel();
 *     expect(await store.check(step)).toEqual(model.check(step));
 *
 * The random walk (`walk.ts`) holds a store to it. Limits follow `gcra.ts`, which has a test of its own.
 */
import { charge } from '../gcra.ts';
import {
  type Charge,
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
  type StartOutcome,
  type StartStep,
  type Store,
  statusAt,
  type Verification,
} from '../store.ts';

type Answer =
  | { from: 'send'; verificationId: string; facts: SendFacts }
  | { from: 'check'; facts: CheckFacts }
  | { from: 'redeem'; redeemedAt: number };

type Row = { verification: Verification; deliveries: Delivery[]; forgetAt: number };
type Count = { failed: number; endsAt: number };

export function createModel() {
  const rows = new Map<string, Row>();
  const intents = new Map<string, { intent: Intent; usedFor: string | null; forgetAt: number }>();
  /** By record, then by policy: as `gcra.ts` keeps them, and when each is whole again. */
  const limits = new Map<string, Map<string, { tat: number; resetAt: number }>>();
  /** By number, then by network; the row from anywhere stands under the empty name. */
  const failures = new Map<string, Map<string, Count>>();
  const answers = new Map<
    string,
    { fingerprint: string; expiresAt: number; answer: Answer; about: string | null }
  >();
  const redemptions = new Map<string, { redeemedAt: number; forgetAt: number }>();

  function earlierAnswer(idempotency: Idempotency | null, now: number): Answer | 'reused' | undefined {
    const earlier = idempotency && answers.get(idempotency.key);
    if (!earlier || now >= earlier.expiresAt) return undefined;
    return earlier.fingerprint === idempotency.fingerprint ? earlier.answer : 'reused';
  }

  /** @param about the verification that the request named */
  function remember(idempotency: Idempotency | null, answer: Answer, about: string | null = null): void {
    if (idempotency) answers.set(idempotency.key, { ...idempotency, answer, about });
  }

  const failuresOf = (phoneKey: string) => {
    const counts = failures.get(phoneKey) ?? new Map<string, Count>();
    failures.set(phoneKey, counts);
    return counts;
  };

  const watched = ({ network, perNetwork, inARow }: GuessLimits) => [
    { name: network, rate: perNetwork },
    { name: '', rate: inARow },
  ];

  function lock(phoneKey: string, guesses: GuessLimits, now: number) {
    const ends = watched(guesses).flatMap(({ name, rate }) => {
      const count = failuresOf(phoneKey).get(name);
      return count && now < count.endsAt && count.failed >= rate.limit ? [count.endsAt] : [];
    });
    return ends.length === 0
      ? undefined
      : { kind: 'limited' as const, scope: 'phone' as const, retryAt: Math.max(...ends), policy: null };
  }

  function take(charges: Charge[], now: number) {
    const charged = charges.flatMap(({ key, scope, rates }) =>
      rates.map((rate) => {
        const { policy } = rate;
        return { key, scope, policy, result: charge(limits.get(key)?.get(policy)?.tat, rate, now) };
      }),
    );
    const refused = charged
      .flatMap(({ scope, policy, result }) =>
        result.isAllowed ? [] : [{ scope, policy, retryAt: result.retryAt }],
      )
      .toSorted((a, b) => b.retryAt - a.retryAt)[0];
    if (refused) return { kind: 'limited' as const, ...refused };
    const states = charged.flatMap(({ key, policy, result }) => {
      if (!result.isAllowed) return [];
      const record = limits.get(key) ?? new Map<string, { tat: number; resetAt: number }>();
      limits.set(key, record.set(policy, result));
      return [{ policy, remaining: result.remaining, resetAt: result.resetAt }];
    });
    return { kind: 'taken' as const, states };
  }

  const sendFacts = (
    { attemptsRemaining, resendsRemaining, resendAt }: Verification,
    { id, channel }: Delivery,
  ): SendFacts => ({ deliveryId: id, channel, attemptsRemaining, resendsRemaining, resendAt });

  function start(step: StartStep): StartOutcome {
    const { now, verification, delivery, intentId, idempotency } = step;
    const earlier = earlierAnswer(idempotency, now);
    if (earlier === 'reused') return { kind: 'idempotency-key-reused' };
    const first = earlier?.from === 'send' ? rows.get(earlier.verificationId) : undefined;
    if (first && earlier?.from === 'send') {
      return { kind: 'replayed', verification: first.verification, facts: earlier.facts };
    }

    const used = intentId === null ? undefined : intents.get(intentId);
    if (intentId !== null && (!used || now >= used.intent.expiresAt)) return { kind: 'intent-missing' };
    if (used && used.usedFor !== null) {
      const before = rows.get(used.usedFor);
      const end = before && statusAt(before.verification, now);
      if (end !== 'expired' && end !== 'canceled') return { kind: 'intent-used' };
    }
    const locked = lock(verification.phoneKey, step.guesses, now);
    if (locked) return locked;
    const taken = take(step.charges, now);
    if (taken.kind === 'limited') return taken;

    rows.set(verification.id, { verification, deliveries: [delivery], forgetAt: step.forgetAt });
    if (used) used.usedFor = verification.id;
    const facts = sendFacts(verification, delivery);
    remember(idempotency, { from: 'send', verificationId: verification.id, facts });
    return { kind: 'started', charges: taken.states };
  }

  function resend(step: ResendStep): ResendOutcome {
    const { now, id, delivery, idempotency } = step;
    const row = rows.get(id);
    if (!row) return { kind: 'missing' };
    const { verification } = row;
    const earlier = earlierAnswer(idempotency, now);
    if (earlier === 'reused') return { kind: 'idempotency-key-reused' };
    if (earlier?.from === 'send') return { kind: 'replayed', verification, facts: earlier.facts };

    const status = statusAt(verification, now);
    if (status === 'expired') return { kind: 'expired', verification };
    if (status !== 'pending') return { kind: 'closed', verification };
    if (verification.resendsRemaining === 0) return { kind: 'exhausted', verification };
    if (now < verification.resendAt) return { kind: 'too-early', verification };
    const taken = take(step.charges, now);
    if (taken.kind === 'limited') return taken;

    row.verification = {
      ...verification,
      channel: delivery.channel,
      resendsRemaining: verification.resendsRemaining - 1,
      resendAt: now + verification.resendWaitMs,
      resendWaitMs: verification.resendWaitMs * 2,
    };
    row.deliveries = [...row.deliveries, delivery];
    const facts = sendFacts(row.verification, delivery);
    remember(idempotency, { from: 'send', verificationId: id, facts }, id);
    return { kind: 'resent', verification: row.verification, charges: taken.states };
  }

  function check(step: CheckStep): CheckOutcome {
    const { now, id, isRight, guesses, idempotency } = step;
    const row = rows.get(id);
    if (!row) return { kind: 'missing' };
    const { verification } = row;
    const earlier = earlierAnswer(idempotency, now);
    if (earlier === 'reused') return { kind: 'idempotency-key-reused' };
    if (earlier?.from === 'check') return { kind: 'replayed', verification, facts: earlier.facts };

    const status = statusAt(verification, now);
    if (status === 'expired') return { kind: 'expired', verification };
    if (status !== 'pending') return { kind: 'closed', verification };
    const locked = lock(verification.phoneKey, guesses, now);
    if (locked) return { ...locked, verification };

    const counts = failuresOf(verification.phoneKey);
    if (isRight) {
      row.verification = { ...verification, status: 'approved', approvedAt: now };
      for (const { name } of watched(guesses)) counts.delete(name);
      remember(idempotency, { from: 'check', facts: { kind: 'approved' } }, id);
      return { kind: 'approved', verification: row.verification };
    }
    for (const { name, rate } of watched(guesses)) {
      const count = counts.get(name);
      const failed = count && now < count.endsAt ? count.failed + 1 : 1;
      counts.set(name, { failed, endsAt: now + rate.windowMs });
    }
    const attemptsRemaining = verification.attemptsRemaining - 1;
    const after = attemptsRemaining === 0 ? ('failed' as const) : ('pending' as const);
    row.verification = { ...verification, attemptsRemaining, status: after };
    const facts = { kind: 'incorrect' as const, attemptsRemaining, status: after };
    remember(idempotency, { from: 'check', facts }, id);
    return { ...facts, verification: row.verification };
  }

  function redeem(step: RedeemStep): RedeemOutcome {
    const { now, jti, idempotency, expiresAt, forgetAt } = step;
    const earlier = earlierAnswer(idempotency, now);
    if (earlier === 'reused') return { kind: 'idempotency-key-reused' };
    if (earlier?.from === 'redeem') return { kind: 'replayed', redeemedAt: earlier.redeemedAt };
    const before = redemptions.get(jti);
    if (before) return { kind: 'already-redeemed', redeemedAt: before.redeemedAt };
    if (now >= expiresAt) return { kind: 'expired' };
    redemptions.set(jti, { redeemedAt: now, forgetAt });
    remember(idempotency, { from: 'redeem', redeemedAt: now });
    return { kind: 'redeemed', redeemedAt: now };
  }

  function settleDelivery(settled: Parameters<Store['settleDelivery']>[0]): void {
    const row = rows.get(settled.verificationId);
    const index = row?.deliveries.findIndex(({ id }) => id === settled.deliveryId) ?? -1;
    const delivery = row?.deliveries[index];
    if (!row || !delivery || rank[settled.status] <= rank[delivery.status]) return;
    row.deliveries = row.deliveries.with(index, {
      ...delivery,
      status: settled.status,
      providerReference: settled.providerReference ?? delivery.providerReference,
      reason: settled.reason,
      at: settled.at,
    });
    const resendAt = Math.min(row.verification.resendAt, settled.resendAt ?? Number.POSITIVE_INFINITY);
    row.verification = { ...row.verification, resendAt };
  }

  function takeDelivery({
    verificationId,
    deliveryId,
    by,
    at,
  }: Parameters<Store['takeDelivery']>[0]): boolean {
    const row = rows.get(verificationId);
    const index = row?.deliveries.findIndex(({ id }) => id === deliveryId) ?? -1;
    const delivery = row?.deliveries[index];
    if (!row || delivery?.status !== 'queued' || (delivery.reason ?? by) !== by) return false;
    row.deliveries = row.deliveries.with(index, { ...delivery, reason: by, at });
    return true;
  }

  return {
    start,
    resend,
    check,
    redeem,
    settleDelivery,
    takeDelivery,

    cancel(id: string, now: number): boolean {
      const row = rows.get(id);
      if (!row) return false;
      if (statusAt(row.verification, now) === 'pending') {
        row.verification = { ...row.verification, status: 'canceled' };
      }
      return true;
    },

    find(id: string) {
      const row = rows.get(id);
      return row && { verification: row.verification, deliveries: row.deliveries };
    },

    addIntent(intent: Intent, forgetAt: number): void {
      intents.set(intent.id, { intent, usedFor: null, forgetAt });
    },
    findIntent: (id: string): Intent | undefined => intents.get(id)?.intent,
    forgetGuesses: (phoneKey: string): void => void failures.delete(phoneKey),

    sweep(now: number): void {
      const isOver = ({ forgetAt }: { forgetAt: number }) => forgetAt <= now;
      for (const kept of [rows, intents, redemptions] as Map<string, { forgetAt: number }>[]) {
        for (const [key, value] of kept) if (isOver(value)) kept.delete(key);
      }
      // What was answered about a verification goes with it.
      for (const [key, { expiresAt, about }] of answers) {
        if (about === null ? expiresAt <= now : !rows.has(about)) answers.delete(key);
      }
      for (const [key, record] of limits) {
        if ([...record.values()].every(({ resetAt }) => resetAt <= now)) limits.delete(key);
      }
      for (const counts of failures.values()) {
        for (const [name, { endsAt }] of counts) if (endsAt <= now) counts.delete(name);
      }
    },

    /** Every moment at which something changes by itself: where a clock is worth stopping. */
    moments(): number[] {
      return [
        ...[...rows.values()].flatMap(({ verification, forgetAt }) => [
          verification.expiresAt,
          verification.resendAt,
          forgetAt,
        ]),
        ...[...intents.values()].flatMap(({ intent, forgetAt }) => [intent.expiresAt, forgetAt]),
        ...[...limits.values()].flatMap((record) => [...record.values()].map(({ resetAt }) => resetAt)),
        ...[...failures.values()].flatMap((counts) => [...counts.values()].map(({ endsAt }) => endsAt)),
        ...[...answers.values()].map(({ expiresAt }) => expiresAt),
        ...[...redemptions.values()].map(({ forgetAt }) => forgetAt),
      ];
    },
  };
}

/** A receipt of success may overtake one of failure, and outweighs it. */
const rank = { queued: 0, sent: 1, failed: 2, delivered: 3 } as const;

export type Model = ReturnType<typeof createModel>;
