/**
 * The store's promises under contention: four processes, one store, the same calls at the same moment.
 *
 * `prepare` says how to open an empty store, each time another one:
 *
 *     describeRaces('the SQLite store', async () => ({
 *       module: import.meta.resolve('./sqlite.ts'), open: 'openSqliteStore', options: { file },
 *     }));
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type {
  CheckOutcome,
  RedeemOutcome,
  ResendOutcome,
  SigningKey,
  StartOutcome,
  StartStep,
  Store,
} from '../store.ts';
import { endProcesses, openAll, race, type StoreProcess, startProcess } from './processes.ts';
import {
  chargeOf,
  checkStep,
  DAY,
  guessesFrom,
  HOUR,
  idempotencyOf,
  intentOf,
  redeemStep,
  resendStep,
  signingKeyOf,
  startStep,
  T0,
  verificationOf,
} from './steps.ts';
import type { Call, Opening } from './store-process.ts';

const PROCESSES = 4;
/** Verifications, proofs and so on that each race is run for. */
const CONTESTED = 60;

export function describeRaces(name: string, prepare: () => Promise<Opening>): void {
  describe(`${name}, raced for by ${PROCESSES} processes`, () => {
    let processes: StoreProcess[];
    beforeAll(() => {
      processes = everyone(() => startProcess());
    });
    afterAll(() => endProcesses(processes));
    beforeEach(async () => {
      const [first, ...others] = processes;
      const opening = await prepare();
      // One makes it, the others join: opening at once has a test of its own.
      await openAll([first!], opening);
      await openAll(others, opening);
    });

    const everyone = <T>(make: (nth: number) => T): T[] =>
      Array.from({ length: PROCESSES }, (_, nth) => make(nth));
    const contested = <T>(make: (nth: number) => T): T[] =>
      Array.from({ length: CONTESTED }, (_, nth) => make(nth));

    /** The same calls for everyone; answers by contested thing, those of all processes together. */
    async function contend<Outcome>(calls: (process: number) => Call[]): Promise<Outcome[][]> {
      const all = everyone(calls);
      const perThing = (all[0]?.length ?? 0) / CONTESTED;
      const answers = await race<Outcome>(processes, all);
      return contested((thing) =>
        answers.flatMap((mine) => mine.slice(thing * perThing, (thing + 1) * perThing)),
      );
    }

    /** Made by the first process, before the race. */
    async function started(steps: StartStep[]): Promise<StartStep[]> {
      await race(processes.slice(0, 1), [steps.map((step): Call => ({ call: 'start', with: [step] }))]);
      return steps;
    }

    const find = async (ids: string[]) => {
      const calls = ids.map((id): Call => ({ call: 'find', with: [id] }));
      const [answers] = await race<Awaited<ReturnType<Store['find']>>>(processes.slice(1, 2), [calls]);
      return answers!;
    };

    const kinds = (outcomes: { kind: string }[]) => outcomes.map(({ kind }) => kind).toSorted();
    const times = (count: number, kind: string): string[] => Array.from({ length: count }, () => kind);

    it('approves each verification exactly once', async () => {
      const steps = await started(contested((nth) => startStep({ now: T0, phone: `phone ${nth}` })));
      const outcomes = await contend<CheckOutcome>(() =>
        steps.flatMap((step) =>
          times(5, '').map(
            (): Call => ({ call: 'check', with: [checkStep(step, { now: T0, isRight: true })] }),
          ),
        ),
      );
      for (const one of outcomes) expect(kinds(one)).toEqual(['approved', ...times(19, 'closed')]);
    });

    it('never looks at more than five guesses of one', async () => {
      const steps = await started(contested((nth) => startStep({ now: T0, phone: `phone ${nth}` })));
      const outcomes = await contend<CheckOutcome>((process) =>
        steps.flatMap((step) =>
          times(5, '').map(
            (): Call => ({ call: 'check', with: [checkStep(step, { now: T0, network: `${process}` })] }),
          ),
        ),
      );
      for (const one of outcomes) {
        expect(kinds(one)).toEqual([...times(15, 'closed'), ...times(5, 'incorrect')]);
        const left = one.flatMap((outcome) =>
          outcome.kind === 'incorrect' ? [outcome.attemptsRemaining] : [],
        );
        expect(left.toSorted()).toEqual([0, 1, 2, 3, 4]);
      }
      const after = await find(steps.map(({ verification }) => verification.id));
      for (const hit of after) {
        expect(hit?.verification).toMatchObject({ status: 'failed', attemptsRemaining: 0, approvedAt: null });
      }
    });

    it('lets right and wrong codes, cancellations and resends meet without a second end', async () => {
      const verifications = contested((nth) =>
        verificationOf({ now: T0, phone: `phone ${nth}`, resendAt: T0 }),
      );
      const steps = await started(verifications.map((verification) => startStep({ now: T0, verification })));
      const outcomes = await contend<CheckOutcome | ResendOutcome | boolean>((process) =>
        steps.flatMap((step, nth): Call[] => [
          { call: 'check', with: [checkStep(step, { now: T0, network: `${process}` })] },
          { call: 'resend', with: [resendStep(step, { now: T0 })] },
          nth % 3 === process
            ? { call: 'cancel', with: [step.verification.id, T0] }
            : { call: 'check', with: [checkStep(step, { now: T0, isRight: true })] },
        ]),
      );
      const after = await find(steps.map(({ verification }) => verification.id));
      for (const [nth, one] of outcomes.entries()) {
        const got = one.flatMap((outcome) => (typeof outcome === 'object' ? [outcome.kind as string] : []));
        const { verification, deliveries } = after[nth]!;
        const count = (kind: string) => got.filter((one) => one === kind).length;
        expect(count('approved')).toBe(verification.status === 'approved' ? 1 : 0);
        expect(['approved', 'canceled']).toContain(verification.status);
        expect(verification.attemptsRemaining).toBe(5 - count('incorrect'));
        expect(count('resent')).toBeLessThanOrEqual(1);
        expect(deliveries).toHaveLength(1 + count('resent'));
        expect(count('unavailable') + count('broken')).toBe(0);
      }
    });

    it('redeems each proof exactly once', async () => {
      const outcomes = await contend<RedeemOutcome>(() =>
        contested((nth): Call => ({ call: 'redeem', with: [redeemStep({ now: T0, jti: `proof ${nth}` })] })),
      );
      for (const one of outcomes) expect(kinds(one)).toEqual([...times(3, 'already-redeemed'), 'redeemed']);
    });

    it('starts once for one idempotency key, and answers everyone with that one', async () => {
      const outcomes = await contend<StartOutcome>(() =>
        contested((nth): Call => {
          const idempotency = idempotencyOf(`key ${nth}`, { now: T0 });
          return { call: 'start', with: [startStep({ now: T0, phone: `person ${nth}`, idempotency })] };
        }),
      );
      for (const one of outcomes) {
        expect(kinds(one)).toEqual([...times(3, 'replayed'), 'started']);
        const ids = one.flatMap((outcome) => (outcome.kind === 'replayed' ? [outcome.verification.id] : []));
        expect(new Set(ids).size).toBe(1);
      }
    });

    it('starts once from one intent', async () => {
      const intents = contested(() => intentOf({ now: T0 }));
      await race(processes.slice(0, 1), [
        intents.map((intent): Call => ({ call: 'addIntent', with: [intent, T0 + DAY] })),
      ]);
      const outcomes = await contend<StartOutcome>(() =>
        intents.map(
          ({ id }): Call => ({
            call: 'start',
            with: [startStep({ now: T0, phone: 'alice', intentId: id })],
          }),
        ),
      );
      for (const one of outcomes) expect(kinds(one)).toEqual([...times(3, 'intent-used'), 'started']);
    });

    it('hands out no more than a limit has', async () => {
      const charge = chargeOf('site', 'shop', { limit: 50, windowMs: HOUR });
      const outcomes = await contend<StartOutcome>((process) =>
        contested(
          (nth): Call => ({
            call: 'start',
            with: [startStep({ now: T0, phone: `${process} ${nth}`, charges: [charge] })],
          }),
        ),
      );
      const all = kinds(outcomes.flat());
      expect(all).toEqual([...times(PROCESSES * CONTESTED - 50, 'limited'), ...times(50, 'started')]);
    });

    it('counts every failed guess of a number, whoever counts', async () => {
      const guesses = guessesFrom('home', { perNetwork: { limit: 100, windowMs: DAY } });
      const steps = await started(contested(() => startStep({ now: T0, guesses })));
      const outcomes = await contend<CheckOutcome>(() =>
        steps.map((step): Call => ({ call: 'check', with: [checkStep(step, { now: T0, guesses })] })),
      );
      const all = kinds(outcomes.flat());
      expect(all).toEqual([...times(100, 'incorrect'), ...times(PROCESSES * CONTESTED - 100, 'limited')]);
    });

    it('agrees on one first signing key, and on one successor each time', async () => {
      let newest: string | null = null;
      for (let round = 0; round < 10; round += 1) {
        const keyOf = (process: number) =>
          signingKeyOf({ kid: `${round} of ${process}`, createdAt: T0 + round });
        const won = await race<boolean>(
          processes,
          everyone((process): Call[] => [{ call: 'addSigningKey', with: [keyOf(process), newest] }]),
        );
        const winners = won.flatMap(([hasWon], process) => (hasWon ? [keyOf(process).kid] : []));
        expect(winners).toHaveLength(1);
        newest = winners[0] ?? null;
        const seen = await race<SigningKey[]>(
          processes,
          everyone((): Call[] => [{ call: 'signingKeys', with: [] }]),
        );
        for (const [keys] of seen) {
          expect(keys).toHaveLength(round + 1);
          expect(keys?.at(-1)?.kid).toBe(newest);
        }
      }
    });

    it('keeps one secret, whoever writes first', async () => {
      const kept = await contend<string>((process) =>
        contested((nth): Call => ({ call: 'keepSecret', with: [`name ${nth}`, `by ${process}`] })),
      );
      for (const one of kept) expect(new Set(one).size).toBe(1);
    });
  });
}
