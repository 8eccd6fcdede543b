/**
 * A random walk: the same steps are taken by a store and by the model, and every answer must agree.
 *
 *     await walk(open, { steps: 10_000, forgets: 'when swept' });
 *
 * A few numbers, networks, intents and keys that are used again and again, small limits, and a clock that
 * likes to stop right before, at and right after each moment at which something changes by itself, and
 * at times runs backwards. On a divergence fast-check names the shortest walk that shows it.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Idempotency, Store } from '../store.ts';
import { createModel, type Model } from './model.ts';
import {
  chargeOf,
  checkStep,
  deliveryOf,
  guessesFrom,
  HOUR,
  idempotencyOf,
  idOf,
  intentOf,
  keyOf,
  MINUTE,
  redeemStep,
  resendStep,
  SECOND,
  startStep,
  T0,
  verificationOf,
} from './steps.ts';

const PHONES = ['alice', 'bob'];
const NETWORKS = ['home', 'office'];
/** A verification outlives the intent it came from, as it does in the server with its default retention. */
const RETENTION = 30 * MINUTE;

/** Which of the verifications so far, the newest first; null for one that never was. */
const which = fc.option(fc.nat(2), { freq: 20 });
const phone = fc.constantFrom(...PHONES);
const network = fc.constantFrom(...NETWORKS);
const idempotency = fc.option(
  fc.record({ key: fc.nat(1), body: fc.constantFrom('a', 'a', 'a', 'b'), ttl: fc.constantFrom(1, 10) }),
  { freq: 2 },
);
type Key = { key: number; body: string; ttl: number } | null;

const clockMove = fc.oneof(
  { weight: 12, arbitrary: fc.record({ by: fc.integer({ min: 1, max: 20 * SECOND }) }) },
  {
    weight: 12,
    arbitrary: fc.record({ moment: fc.nat(7), offset: fc.constantFrom(-1, 0, 0, 1) }),
  },
  { weight: 1, arbitrary: fc.record({ by: fc.integer({ min: -2 * MINUTE, max: -1 }) }) },
  { weight: 1, arbitrary: fc.record({ by: fc.constantFrom(3 * MINUTE, 20 * MINUTE, HOUR) }) },
);

const move = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      to: fc.constant('start' as const),
      phone,
      network,
      intent: fc.option(fc.nat(3), { freq: 2 }),
      key: idempotency,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ to: fc.constant('resend' as const), which, network, key: idempotency }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      to: fc.constant('check' as const),
      which,
      isRight: fc.constantFrom(false, false, false, false, true),
      network,
      key: idempotency,
    }),
  },
  { weight: 1, arbitrary: fc.record({ to: fc.constant('cancel' as const), which }) },
  {
    weight: 4,
    arbitrary: fc.record({
      to: fc.constant('settle' as const),
      which,
      delivery: fc.nat(2),
      status: fc.constantFrom('queued' as const, 'sent' as const, 'delivered' as const, 'failed' as const),
      reference: fc.option(fc.constantFrom('r-1', 'r-2')),
      isResendFreed: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      to: fc.constant('take' as const),
      which,
      delivery: fc.nat(2),
      by: fc.constantFrom('one', 'other'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      to: fc.constant('redeem' as const),
      jti: fc.nat(5),
      isLate: fc.constantFrom(false, false, false, true),
      key: idempotency,
    }),
  },
  { weight: 2, arbitrary: fc.record({ to: fc.constant('add-intent' as const) }) },
  { weight: 1, arbitrary: fc.record({ to: fc.constant('forget-guesses' as const), phone }) },
  { weight: 1, arbitrary: fc.record({ to: fc.constant('sweep' as const) }) },
  { weight: 9, arbitrary: clockMove.map((jump) => ({ to: 'another-time' as const, jump })) },
);

type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

const moves = fc.array(move, { maxLength: 200, size: 'max' });

/** Every answer that a walk of thousands of steps must have met, or it went nowhere. */
const ANSWERS = [
  ...['started', 'replayed', 'intent-missing', 'intent-used', 'limited', 'idempotency-key-reused'].map(
    (kind) => `start ${kind}`,
  ),
  ...['resent', 'replayed', 'too-early', 'exhausted', 'limited', 'expired', 'closed', 'missing'].map(
    (kind) => `resend ${kind}`,
  ),
  ...['approved', 'incorrect', 'replayed', 'limited', 'expired', 'closed', 'missing'].map(
    (kind) => `check ${kind}`,
  ),
  ...['redeemed', 'replayed', 'already-redeemed', 'expired', 'idempotency-key-reused'].map(
    (kind) => `redeem ${kind}`,
  ),
];

export type Forgets = 'when swept' | 'by itself';
/** `slot by slot`: of several limits in several places, the first that refuses answers. */
export type Decides = 'at once' | 'slot by slot';

export async function walk(
  open: () => Promise<Store>,
  { steps, forgets, decides }: { steps: number; forgets: Forgets; decides: Decides },
): Promise<void> {
  const met = new Set<string>();
  let taken = 0;
  while (taken < steps) {
    await fc.assert(
      fc.asyncProperty(moves, async (path) => {
        const store = await open();
        try {
          await follow(path, store, { met, forgets, decides });
          taken += path.length;
        } finally {
          await store.close();
        }
      }),
      { numRuns: 20 },
    );
  }
  if (steps >= 10_000) expect([...met]).toEqual(expect.arrayContaining(ANSWERS));
}

async function follow(
  path: readonly Move[],
  store: Store,
  { met, forgets, decides }: { met: Set<string>; forgets: Forgets; decides: Decides },
): Promise<void> {
  const model = createModel();
  const ids: string[] = [];
  const intents: string[] = [];
  let now = T0;

  const chosen = (index: number | null) => {
    const id = index === null ? undefined : newest(ids, index);
    const hit = id === undefined ? undefined : model.find(id);
    return hit?.verification ?? verificationOf({ now, id: 'vrf_neverwas' });
  };
  /** Where limits in several places refuse, the model cannot say which of them is asked first. */
  const chargesFor = (phoneName: string, networkName: string) =>
    smallCharges(phoneName, networkName).filter(({ scope }) => decides === 'at once' || scope === 'phone');
  const keyFor = (scope: string, key: Key): Idempotency | null =>
    key && idempotencyOf(`${scope} ${key.key}`, { now, body: key.body, ttlMs: key.ttl * MINUTE });

  for (const [index, { to, ...taken }] of path.entries()) {
    const at = `step ${index}, ${to}, at +${now - T0} ms`;
    const agree = (answer: unknown, expected: unknown) => expect(comparable(answer), at).toEqual(expected);
    const note = ({ kind }: { kind: string }) => met.add(`${to} ${kind}`);
    const one = { to, ...taken } as Move;
    switch (one.to) {
      case 'start': {
        const intentId = one.intent === null ? null : (newest(intents, one.intent) ?? idOf('int', 'alice'));
        // An intent is about one number, and so is a request that comes again under its key.
        const phone = one.intent === null ? one.phone : 'alice';
        const key = one.key && { ...one.key, body: `${one.key.body} from ${phone}` };
        const step = startStep({
          now,
          phone,
          network: one.network,
          verification: verificationOf({
            now,
            phone,
            expiresAt: now + 2 * MINUTE,
            attemptsRemaining: 3,
            resendsRemaining: phone === 'alice' ? 1 : 2,
            resendAt: now + 5 * SECOND,
            resendWaitMs: 10 * SECOND,
          }),
          intentId,
          charges: chargesFor(phone, one.network),
          guesses: smallGuesses(one.network),
          idempotency: keyFor('start', key),
          forgetAt: now + RETENTION,
        });
        const expected = model.start(step);
        agree(await store.start(step), expected);
        if (expected.kind === 'started') ids.push(step.verification.id);
        note(expected);
        break;
      }
      case 'resend': {
        const verification = chosen(one.which);
        const step = resendStep(
          { verification },
          {
            now,
            charges: chargesFor(
              PHONES.find((name) => keyOf(name) === verification.phoneKey) ?? '',
              one.network,
            ),
            idempotency: keyFor(`resend ${verification.id}`, one.key),
            delivery: deliveryOf(verification, { now }),
          },
        );
        const expected = model.resend(step);
        agree(await store.resend(step), expected);
        note(expected);
        break;
      }
      case 'check': {
        const verification = chosen(one.which);
        const step = checkStep(
          { verification },
          {
            now,
            isRight: one.isRight,
            guesses: smallGuesses(one.network),
            idempotency: keyFor(`check ${verification.id}`, one.key),
          },
        );
        const expected = model.check(step);
        agree(await store.check(step), expected);
        note(expected);
        break;
      }
      case 'cancel': {
        const { id } = chosen(one.which);
        agree(await store.cancel(id, now), model.cancel(id, now));
        break;
      }
      case 'settle': {
        const { id } = chosen(one.which);
        const settled = {
          verificationId: id,
          deliveryId: model.find(id)?.deliveries[one.delivery]?.id ?? 'dlv_neverwas',
          status: one.status,
          providerReference: one.reference,
          reason: one.status === 'failed' ? 'refused' : null,
          at: now,
          ...(one.isResendFreed && { resendAt: now }),
        };
        model.settleDelivery(settled);
        await store.settleDelivery(settled);
        break;
      }
      case 'take': {
        const { id } = chosen(one.which);
        const taken = {
          verificationId: id,
          deliveryId: model.find(id)?.deliveries[one.delivery]?.id ?? 'dlv_neverwas',
          by: one.by,
          at: now,
        };
        agree(await store.takeDelivery(taken), model.takeDelivery(taken));
        break;
      }
      case 'redeem': {
        const step = redeemStep({
          now,
          jti: `prf_${one.jti}`,
          expiresAt: one.isLate ? now : now + 1,
          idempotency: keyFor('redeem', one.key && { ...one.key, body: `${one.key.body} of ${one.jti}` }),
          forgetAt: now + 20 * MINUTE,
        });
        const expected = model.redeem(step);
        agree(await store.redeem(step), expected);
        note(expected);
        break;
      }
      case 'add-intent': {
        const intent = intentOf({ now, expiresAt: now + 5 * MINUTE });
        intents.push(intent.id);
        model.addIntent(intent, now + RETENTION);
        await store.addIntent(intent, now + RETENTION);
        break;
      }
      case 'forget-guesses':
        model.forgetGuesses(keyOf(one.phone));
        await store.forgetGuesses(keyOf(one.phone));
        break;
      case 'sweep':
        // Where an engine drops what has expired by itself, it does so by the real clock and not by ours.
        if (forgets === 'by itself') break;
        model.sweep(now);
        await store.sweep(now);
        break;
      case 'another-time':
        now = timeAfter(model, now, one.jump);
        break;
      default:
        one satisfies never;
    }
    const last = ids.at(-1);
    if (last !== undefined) agree(await store.find(last), model.find(last));
  }

  for (const id of ids) expect(await store.find(id), 'in the end').toEqual(model.find(id));
  for (const id of intents) expect(await store.findIntent(id), 'in the end').toEqual(model.findIntent(id));
}

type Jump = Extract<Move, { to: 'another-time' }>['jump'];

function timeAfter(model: Model, now: number, jump: Jump): number {
  if ('by' in jump) return now + jump.by;
  const ahead = [...new Set(model.moments())].filter((moment) => moment > now).toSorted((a, b) => a - b);
  const moment = ahead[jump.moment % Math.max(1, ahead.length)];
  return moment === undefined ? now : moment + jump.offset;
}

const smallCharges = (phoneName: string, networkName: string) => [
  chargeOf('phone', phoneName, { limit: 4, windowMs: MINUTE }, { limit: 6, windowMs: 10 * MINUTE }),
  chargeOf('client', networkName, { limit: 6, windowMs: 2 * MINUTE }),
  chargeOf('site', 'shop', { limit: 8, windowMs: MINUTE }),
];

const smallGuesses = (networkName: string) =>
  guessesFrom(networkName, {
    perNetwork: { limit: 3, windowMs: 10 * MINUTE },
    inARow: { limit: 4, windowMs: 20 * MINUTE },
  });

/** Counted from the end, round and round. */
const newest = (ids: string[], index: number): string | undefined =>
  ids.at(-1 - (index % Math.max(1, ids.length)));

/** A store may keep more beside the facts than the interface promises. */
function comparable(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('facts' in answer)) return answer;
  const { verificationId: _, ...facts } = { verificationId: undefined, ...(answer.facts as object) };
  return { ...answer, facts };
}
