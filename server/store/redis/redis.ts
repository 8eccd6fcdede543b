/**
 * The store that a fleet shares: Redis or Valkey; one server, Sentinel or Cluster.
 *
 *     const store = await openRedisStore({ url: 'redis://localhost:6379' });
 *     await store.start(step);
 *     await store.close();
 *
 * Every step is one script. On a cluster a step whose limits lie in other slots reserves those first,
 * one call a slot, and gives them back when the last call refuses. Whatever is kept expires by itself
 * (the signing keys and the server's own secret excepted), so that there is nothing to sweep.
 */
import { Cluster } from 'ioredis';
import { z } from 'zod';
import { keptCheck, keptRedeem, keptSend, keptStart } from '../kept-answers.ts';
import { assertNeighbour, understood } from '../schema-version.ts';
import {
  type Charge,
  type ChargeState,
  type CheckOutcome,
  type CheckStep,
  type GuessLimits,
  type Idempotency,
  type Intent,
  type RedeemOutcome,
  type RedeemStep,
  type ResendOutcome,
  type ResendStep,
  type SigningKey,
  type StartOutcome,
  type StartStep,
  type Store,
  StoreUnavailable,
} from '../store.ts';
import { connectRedis } from './connect.ts';
import { keysOf } from './keys.ts';
import { deliveryFields, toDeliveries, toVerification, valuesOf, verificationFields } from './records.ts';
import { versions } from './schema.ts';
import { runScript, type Script, scripts } from './scripts.ts';

export type RedisStoreOptions = {
  /** See `connect.ts` for the forms. */
  url: string;
  /** Begins every key, so that several installations can share a server. */
  prefix?: string;
  /** What each version brought; their number is the one that this process knows. */
  schema?: readonly string[];
};

type Limited = Extract<StartOutcome, { kind: 'limited' }>;

/** `undo` is for who claimed the key and was refused: whoever only saw it leaves it to the other. */
type Claim = { kind: 'free' | 'seen' | 'reused'; undo(): Promise<void> };
const unclaimed: Claim = { kind: 'free', undo: async () => {} };

/** @throws StoreUnavailable when the server cannot be reached, or holds what only a newer release understands */
export async function openRedisStore({
  url,
  prefix = 'pp',
  schema = versions,
}: RedisStoreOptions): Promise<Store> {
  const { redis, explain } = await connectRedis(url);
  const isCluster = redis instanceof Cluster;
  const keys = keysOf(prefix);

  let isClosed = false;

  async function available<T>(call: () => Promise<T>): Promise<T> {
    try {
      if (isClosed) throw new Error('the store is closed');
      return await call();
    } catch (caught) {
      const error = reasonOf(caught);
      if (isOurMistake(error)) throw error;
      throw new StoreUnavailable(explain(error), { cause: error });
    }
  }

  const run = (script: Script, keyList: string[], args: (string | number)[]): Promise<Answer> =>
    available(() => runScript(redis, script, keyList, args)).then(answerOf);

  /** Runs a script whose answer says nothing. */
  const tell = async (script: Script, keyList: string[], args: (string | number)[]): Promise<void> => {
    await available(() => runScript(redis, script, keyList, args));
  };

  // ── What lies in other slots ───────────────────────────────────────────────────────────────────

  const idempotencyArgs = (idempotency: Idempotency | null, now: number): [string, number] =>
    idempotency ? [idempotency.fingerprint, Math.max(1, idempotency.expiresAt - now)] : ['', 1];

  /** The number of charges, then the rates of each as `limit/window limit/window`. */
  const chargeArgs = (charges: Charge[]) => [
    charges.length,
    ...charges.map(({ rates }) => writtenRates(rates)),
  ];

  /** On a cluster: the charges of a step that lie elsewhere, by slot. */
  const elsewhere = (charges: Charge[]): Charge[][] => [
    ...Map.groupBy(
      charges.filter(({ scope }) => scope !== 'phone'),
      ({ scope, subject }) => `${scope}|${subject}`,
    ).values(),
  ];

  /**
   * Reserves one slot after the other, then runs the step where its verification lies. Whatever refuses,
   * what was reserved is given back. A process that dies in between leaves a limit charged once too often.
   */
  async function withReservations(
    charges: Charge[],
    { id, now }: { id: string; now: number },
    step: () => Promise<Answer>,
    isDone: (answer: Answer) => boolean,
  ): Promise<{ answer: Answer; refused: Charge[]; taken: Taken[] }> {
    if (!isCluster) return { answer: await step(), refused: charges, taken: [] };
    const reserved: Charge[][] = [];
    const taken: Taken[] = [];
    const keysFor = (group: Charge[]) => group.map((charge) => keys.charge(charge, id));
    const giveBack = () =>
      Promise.all(
        reserved.map((group) => tell(scripts.release, keysFor(group), [now, ...chargeArgs(group)])),
      );
    try {
      for (const group of elsewhere(charges)) {
        const answer = await run(scripts.reserve, keysFor(group), [now, ...chargeArgs(group)]);
        if (answer.kind !== 'taken') {
          await giveBack();
          return { answer, refused: group, taken };
        }
        reserved.push(group);
        taken.push(...chargeStates(group, answer.rest[0]));
      }
      const answer = await step();
      if (!isDone(answer)) await giveBack();
      return { answer, refused: hereOf(charges), taken };
    } catch (error) {
      await giveBack().catch(() => {});
      throw error;
    }
  }

  /**
   * On a cluster the answers kept for an idempotency key lie with the verification or proof they are
   * about; this keeps the key itself, for the request that first came with it.
   */
  async function claim(idempotency: Idempotency | null, now: number): Promise<Claim> {
    if (!isCluster || !idempotency) return unclaimed;
    const key = keys.idempotency(idempotency.key);
    const { kind, rest } = await run(scripts.claim, [key], [now, ...idempotencyArgs(idempotency, now)]);
    if (kind === 'seen' || kind === 'reused') return { kind, undo: async () => {} };
    const before = String(rest[0] ?? '');
    return { kind: 'free', undo: () => tell(scripts.unclaim, [key], [idempotency.fingerprint, before]) };
  }

  /** Those that lie beside the verification: all of them unless this is a cluster. */
  const hereOf = (charges: Charge[]) =>
    isCluster ? charges.filter(({ scope }) => scope === 'phone') : charges;

  // ── Steps ──────────────────────────────────────────────────────────────────────────────────────

  async function start(step: StartStep): Promise<StartOutcome> {
    const { now, verification, delivery, intentId, idempotency } = step;
    const { id, attemptsRemaining, resendsRemaining, resendAt } = verification;
    const facts: z.infer<typeof keptStart> = {
      verificationId: id,
      deliveryId: delivery.id,
      channel: delivery.channel,
      attemptsRemaining,
      resendsRemaining,
      resendAt,
    };
    const verificationKey = keys.verification(id);
    // The same request is about the same number, and so about the same slot.
    const idempotencyKey =
      idempotency &&
      (isCluster ? keys.idempotencyAt(id, idempotency.key) : keys.idempotency(idempotency.key));
    const claimed = await claim(idempotency, now);
    if (claimed.kind === 'reused') return { kind: 'idempotency-key-reused' };
    if (claimed.kind === 'seen' && idempotency && idempotencyKey) {
      // Before any limit elsewhere is asked: a repeat costs none.
      const before = await recall(idempotencyKey, idempotency, now);
      const replayed = before === undefined ? undefined : await replay(before);
      if (replayed) return replayed;
    }

    const here = hereOf(step.charges);
    const { answer, refused, taken } = await withReservations(
      step.charges,
      { id, now },
      () =>
        run(
          scripts.start,
          [
            verificationKey,
            keys.guesses(verification.phoneKey),
            intentId === null ? verificationKey : keys.intent(intentId),
            idempotencyKey ?? verificationKey,
            ...here.map((charge) => keys.charge(charge, id)),
          ],
          [
            now,
            Math.max(1, step.forgetAt - now),
            ...guessArgs(step.guesses),
            ...idempotencyArgs(idempotency, now),
            JSON.stringify(facts),
            ...chargeArgs(here),
            ...verificationFields(verification),
            ...deliveryFields(delivery),
          ],
        ),
      ({ kind }) => kind === 'started',
    );
    if (answer.kind !== 'started' && answer.kind !== 'replayed') await claimed.undo();

    switch (answer.kind) {
      case 'started':
        return {
          kind: 'started',
          charges: inOrder(step.charges, [...taken, ...chargeStates(here, answer.rest[0])]),
        };
      case 'replayed': {
        const replayed = await replay(answer.rest[0]);
        if (replayed) return replayed;
        // What it was about is long forgotten: this request takes its place.
        if (idempotencyKey) await available(() => redis.del(idempotencyKey));
        return start(step);
      }
      case 'intent-missing':
      case 'intent-used':
        return { kind: answer.kind };
      case 'locked':
        return { kind: 'limited', scope: 'phone', retryAt: Number(answer.rest[0]), policy: null };
      case 'limited':
        return limited(refused, answer);
      case 'reused':
        return { kind: 'idempotency-key-reused' };
      default:
        throw unexpected(answer);
    }
  }

  /** What an idempotency key's first answer was made from, where it has one. */
  async function recall(key: string, { fingerprint }: Idempotency, now: number): Promise<unknown> {
    const kept = await available(() => redis.get(key));
    const [, before, expiresAt, facts] = /^(\S+) (\d+) (.*)$/s.exec(kept ?? '') ?? [];
    return before === fingerprint && Number(expiresAt) > now ? facts : undefined;
  }

  async function replay(json: unknown): Promise<StartOutcome | undefined> {
    const facts = answered(keptStart, json);
    const found = await find(facts.verificationId);
    return found && { kind: 'replayed', verification: found.verification, facts };
  }

  async function resend(step: ResendStep): Promise<ResendOutcome> {
    const { now, id, delivery, idempotency } = step;
    const here = hereOf(step.charges);
    const verificationKey = keys.verification(id);
    const { answer, refused, taken } = await withReservations(
      step.charges,
      { id, now },
      () =>
        run(
          scripts.resend,
          [
            verificationKey,
            idempotency ? keys.idempotencyAt(id, idempotency.key) : verificationKey,
            ...here.map((charge) => keys.charge(charge, id)),
          ],
          [
            now,
            ...idempotencyArgs(idempotency, now),
            delivery.id,
            delivery.channel,
            ...chargeArgs(here),
            ...deliveryFields(delivery),
          ],
        ),
      ({ kind }) => kind === 'resent',
    );

    switch (answer.kind) {
      case 'missing':
        return { kind: 'missing' };
      case 'reused':
        return { kind: 'idempotency-key-reused' };
      case 'limited':
        return limited(refused, answer);
      case 'resent': {
        const before = toVerification(id, answer.rest[0]);
        return {
          kind: 'resent',
          verification: {
            ...before,
            channel: delivery.channel,
            resendsRemaining: before.resendsRemaining - 1,
            resendAt: now + before.resendWaitMs,
            resendWaitMs: before.resendWaitMs * 2,
          },
          charges: inOrder(step.charges, [...taken, ...chargeStates(here, answer.rest[1])]),
        };
      }
      case 'replayed':
        return {
          kind: 'replayed',
          verification: toVerification(id, answer.rest[0]),
          facts: answered(keptSend, answer.rest[1]),
        };
      case 'expired':
      case 'closed':
      case 'exhausted':
      case 'too-early':
        return { kind: answer.kind, verification: toVerification(id, answer.rest[0]) };
      default:
        throw unexpected(answer);
    }
  }

  async function check(step: CheckStep): Promise<CheckOutcome> {
    const { now, id, isRight, guesses, idempotency } = step;
    const verificationKey = keys.verification(id);
    const answer = await run(
      scripts.check,
      [verificationKey, idempotency ? keys.idempotencyAt(id, idempotency.key) : verificationKey],
      [now, isRight ? 1 : 0, ...idempotencyArgs(idempotency, now), ...guessArgs(guesses)],
    );
    switch (answer.kind) {
      case 'missing':
        return { kind: 'missing' };
      case 'reused':
        return { kind: 'idempotency-key-reused' };
    }
    const before = toVerification(id, answer.rest[0]);
    switch (answer.kind) {
      case 'approved':
        return { kind: 'approved', verification: { ...before, status: 'approved', approvedAt: now } };
      case 'incorrect': {
        const attemptsRemaining = Number(answer.rest[1]);
        const status = attemptsRemaining > 0 ? 'pending' : 'failed';
        return {
          kind: 'incorrect',
          attemptsRemaining,
          status,
          verification: { ...before, attemptsRemaining, status },
        };
      }
      case 'replayed':
        return {
          kind: 'replayed',
          verification: before,
          facts: answered(keptCheck, answer.rest[1]),
        };
      case 'expired':
      case 'closed':
        return { kind: answer.kind, verification: before };
      case 'locked':
        return {
          kind: 'limited',
          scope: 'phone',
          retryAt: Number(answer.rest[1]),
          policy: null,
          verification: before,
        };
      default:
        throw unexpected(answer);
    }
  }

  async function redeem({ now, jti, expiresAt, idempotency, forgetAt }: RedeemStep): Promise<RedeemOutcome> {
    const mark = keys.redemption(jti);
    const idempotencyKey =
      idempotency &&
      (isCluster ? keys.idempotencyOf(jti, idempotency.key) : keys.idempotency(idempotency.key));
    const claimed = await claim(idempotency, now);
    if (claimed.kind === 'reused') return { kind: 'idempotency-key-reused' };
    const answer = await run(
      scripts.redeem,
      [mark, idempotencyKey ?? mark],
      [now, Math.max(1, forgetAt - now), ...idempotencyArgs(idempotency, now), expiresAt],
    );
    if (answer.kind !== 'redeemed' && answer.kind !== 'replayed') await claimed.undo();
    switch (answer.kind) {
      case 'redeemed':
      case 'already-redeemed':
        return { kind: answer.kind, redeemedAt: Number(answer.rest[0]) };
      case 'expired':
        return { kind: 'expired' };
      case 'replayed':
        return { kind: 'replayed', ...answered(keptRedeem, answer.rest[0]) };
      case 'reused':
        return { kind: 'idempotency-key-reused' };
      default:
        throw unexpected(answer);
    }
  }

  async function find(id: string) {
    const hash = await available(() => redis.hgetall(keys.verification(id)));
    if (hash.status === undefined) return undefined;
    return { verification: toVerification(id, valuesOf(hash)), deliveries: toDeliveries(id, hash) };
  }

  const signingKeys = async (): Promise<SigningKey[]> => {
    const kids = await available(() => redis.lrange(keys.signingKeyOrder, 0, -1));
    if (kids.length === 0) return [];
    const stored = await available(() => redis.hmget(keys.signingKeys, ...kids));
    return stored.flatMap((json) => (json === null ? [] : [signingKey.parse(JSON.parse(json))]));
  };

  const store: Store = {
    start,
    resend,
    check,
    redeem,
    find,
    signingKeys,

    cancel: async (id, now) => {
      const answer = await available(() => runScript(redis, scripts.cancel, [keys.verification(id)], [now]));
      if (answer === -1) throw newer();
      return answer === 1;
    },

    settleDelivery: async ({
      verificationId,
      deliveryId,
      status,
      at,
      providerReference,
      reason,
      resendAt,
    }) => {
      const args = [deliveryId, status, at, providerReference ?? '', reason ?? '', resendAt ?? ''];
      await available(() =>
        runScript(redis, scripts.settleDelivery, [keys.verification(verificationId)], args),
      );
    },

    takeDelivery: async ({ verificationId, deliveryId, by, at }) =>
      (await available(() =>
        runScript(redis, scripts.takeDelivery, [keys.verification(verificationId)], [deliveryId, by, at]),
      )) === 1,

    addIntent: async (intent, forgetAt) => {
      const key = keys.intent(intent.id);
      const livesMs = Math.max(1, forgetAt - intent.createdAt);
      await available(async () => {
        const written = await redis
          .multi()
          .hset(key, 'facts', JSON.stringify(intent), 'expires_at', intent.expiresAt)
          .pexpire(key, livesMs)
          .exec();
        for (const [error] of written ?? []) if (error) throw error;
      });
    },

    findIntent: async (id) => {
      const facts = await available(() => redis.hget(keys.intent(id), 'facts'));
      return facts === null ? undefined : (JSON.parse(facts) as Intent);
    },

    forgetGuesses: async (phoneKey) => {
      await available(() => redis.del(keys.guesses(phoneKey)));
    },

    addSigningKey: async (key, newestKid) =>
      (await available(() =>
        runScript(
          redis,
          scripts.addSigningKey,
          [keys.signingKeys, keys.signingKeyOrder],
          [newestKid ?? '', key.kid, JSON.stringify(key)],
        ),
      )) === 1,

    removeSigningKey: async (kid) => {
      await available(() =>
        redis.multi().hdel(keys.signingKeys, kid).lrem(keys.signingKeyOrder, 0, kid).exec(),
      );
    },

    resealSigningKey: async (kid, sealedPrivateJwk) => {
      const json = await available(() => redis.hget(keys.signingKeys, kid));
      if (json === null) return;
      // Members of a newer release stay.
      const key = z.looseObject({}).parse(JSON.parse(json));
      await available(() => redis.hset(keys.signingKeys, kid, JSON.stringify({ ...key, sealedPrivateJwk })));
    },

    keepSecret: async (name, sealed) => {
      await available(() => redis.setnx(keys.secret(name), sealed));
      return (await available(() => redis.get(keys.secret(name)))) ?? sealed;
    },

    resealSecret: async (name, sealed) => {
      await available(() => redis.set(keys.secret(name), sealed));
    },

    sweep: () => available(async () => 0),

    ping: async () => {
      // A write, because a replica or a full server still answers PING.
      const [, version] = await available(() =>
        Promise.all([redis.set(keys.ping, '1', 'PX', 10_000), redis.get(keys.schemaVersion)]),
      );
      assertNeighbour('the data in Redis', { version: Number(version), known: schema.length });
    },

    close: async () => {
      isClosed = true;
      redis.disconnect();
    },
  };

  try {
    const version = await available(() =>
      runScript(redis, scripts.raiseSchema, [keys.schemaVersion], [schema.length]),
    );
    assertNeighbour('the data in Redis', { version: Number(version), known: schema.length });
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

// ── Answers ──────────────────────────────────────────────────────────────────────────────────────

type Answer = { kind: string; rest: unknown[] };

/** Our own scripts answer: a list that begins with a word. */
function answerOf(answer: unknown): Answer {
  if (!Array.isArray(answer)) throw new TypeError('a script answered no list');
  const [kind, ...rest]: unknown[] = answer;
  if (kind === 'newer') throw newer();
  return { kind: String(kind), rest };
}

const newer = () => new StoreUnavailable('a verification is in a form that this release does not know');

const unexpected = ({ kind }: Answer) => new Error(`a script answered "${kind}"`);

/** The rates of a charge are the same for every message of a site. */
const ratesWritten = new WeakMap<Charge['rates'], string>();

function writtenRates(rates: Charge['rates']): string {
  let written = ratesWritten.get(rates);
  if (written === undefined) {
    written = rates.map(({ limit, windowMs }) => `${limit}/${windowMs}`).join(' ');
    ratesWritten.set(rates, written);
  }
  return written;
}

type Taken = { charge: Charge; states: ChargeState[] };

/** One state for each rate of each charge. */
function chargeStates(charges: Charge[], answer: unknown): Taken[] {
  if (!Array.isArray(answer)) throw new TypeError('a script answered no states');
  let nth = 0;
  return charges.map((charge) => ({
    charge,
    states: charge.rates.map(({ policy }) => {
      const [remaining, resetAt] = answer[nth];
      nth += 1;
      return { policy, remaining: Number(remaining), resetAt: Number(resetAt) };
    }),
  }));
}

/** As they were asked for, wherever each was taken. */
const inOrder = (charges: Charge[], taken: Taken[]): ChargeState[] =>
  charges.flatMap((charge) => taken.find((one) => one.charge === charge)?.states ?? []);

/** A script names the charge and the rate that refused, counted from 0. */
const limited = (charges: Charge[], { rest }: Answer): Limited => {
  const charge = charges[Number(rest[0])];
  const rate = charge?.rates[Number(rest[1])];
  if (!charge || !rate) throw new Error('a script refused a charge that was not asked for');
  return { kind: 'limited', scope: charge.scope, retryAt: Number(rest[2]), policy: rate.policy };
};

const guessArgs = ({ network, perNetwork, inARow }: GuessLimits) => [
  network,
  perNetwork.limit,
  perNetwork.windowMs,
  inARow.limit,
  inARow.windowMs,
];

const answered = <Schema extends z.ZodType>(schema: Schema, json: unknown) =>
  understood(schema, JSON.parse(String(json)), 'an earlier answer');

const signingKey = z.object({
  kid: z.string(),
  algorithm: z.string(),
  publicJwk: z.string(),
  sealedPrivateJwk: z.string(),
  createdAt: z.number(),
  signsFrom: z.number(),
}) satisfies z.ZodType<SigningKey>;

/** What a server says about its own condition; any other error reply is about what we sent. */
const CONDITIONS =
  /^(LOADING|READONLY|OOM|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF|BUSY|UNKILLABLE|NOAUTH|WRONGPASS|NOPERM|MOVED|ASK|ERR max number of clients)/;

/** A transaction that was discarded says only that: why stands in what its commands were answered. */
function reasonOf(error: unknown): unknown {
  if (!(error instanceof Error && 'previousErrors' in error)) return error;
  return Array.isArray(error.previousErrors) && error.previousErrors.length > 0
    ? error.previousErrors[0]
    : error;
}

const isOurMistake = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ReplyError' && !CONDITIONS.test(error.message);
