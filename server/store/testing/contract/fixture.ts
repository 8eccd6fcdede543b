/**
 * What the parts of the contract share: the store of the current test, and the ways to bring it somewhere.
 *
 *     const { store, started, approve } = createFixture(() => current);
 *     await approve(await started());
 */
import { expect } from 'vitest';
import type { StartStep, Store } from '../../store.ts';
import { checkStep, startStep, T0, verificationOf } from '../steps.ts';

export type Fixture = ReturnType<typeof createFixture>;

export function createFixture(current: () => Store) {
  /** Each test has a store of its own; this one stands for whichever it is. */
  const store = new Proxy({} as Store, {
    get: (_, method) => Reflect.get(current(), method).bind(current()),
  });

  /** A verification that has been started, as the step that started it. */
  async function started(overrides: Partial<Parameters<typeof startStep>[0]> = {}): Promise<StartStep> {
    const step = startStep({ now: T0, ...overrides });
    expect((await store.start(step)).kind).toBe('started');
    return step;
  }

  async function found(id: string) {
    const hit = await store.find(id);
    if (!hit) throw new Error(`there is no ${id}`);
    return hit;
  }

  const verificationAfter = async ({ verification }: StartStep) =>
    (await found(verification.id)).verification;

  async function guessWrong(
    step: StartStep,
    { now = T0, network = 'home', times = 1 }: { now?: number; network?: string; times?: number } = {},
  ): Promise<void> {
    for (let nth = 0; nth < times; nth += 1) {
      expect((await store.check(checkStep(step, { now, network }))).kind).toBe('incorrect');
    }
  }

  const approve = async (step: StartStep, { now = T0, network = 'home' } = {}) =>
    expect((await store.check(checkStep(step, { now, network, isRight: true }))).kind).toBe('approved');

  /** Fails guesses of a number, on a verification with as many as it takes. */
  async function failGuesses(
    times: number,
    { now = T0, phone = 'alice', network = 'home' }: { now?: number; phone?: string; network?: string } = {},
  ): Promise<void> {
    const verification = verificationOf({ now, phone, attemptsRemaining: times + 1 });
    // From a network of its own, so that a lock on the other does not refuse the start.
    const step = await started({ now, phone, network: 'elsewhere', verification });
    await guessWrong(step, { now, network, times });
  }

  return { store, started, found, verificationAfter, guessWrong, approve, failGuesses };
}

/** How often each kind of outcome came: `{ approved: 1, closed: 499 }`. */
export function tally<Outcome extends { kind: string }>(outcomes: Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of outcomes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
