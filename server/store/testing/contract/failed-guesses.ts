/** Failed guesses, counted per number across verifications. */
import { describe, expect, it } from 'vitest';
import type { CheckOutcome } from '../../store.ts';
import {
  checkStep,
  DAY,
  guessesFrom,
  keyOf,
  MINUTE,
  resendStep,
  startStep,
  T0,
  verificationOf,
} from '../steps.ts';
import { type Fixture, tally } from './fixture.ts';

export function describeFailedGuesses(fixture: Fixture): void {
  const { store, started, verificationAfter, guessWrong, approve, failGuesses } = fixture;

  describe('failed guesses of a number', () => {
    const startFrom = (network: string, { now = T0, phone = 'alice' } = {}) =>
      store.start(startStep({ now, phone, network }));
    const locked = (retryAt: number) => ({ kind: 'limited', scope: 'phone', retryAt, policy: null });

    it('lock it for the network they came from, over all its verifications', async () => {
      await failGuesses(9);
      expect((await startFrom('home')).kind).toBe('started');
      await failGuesses(1, { now: T0 + MINUTE });
      expect(await startFrom('home', { now: T0 + MINUTE })).toEqual(locked(T0 + MINUTE + DAY));
    });

    it('leave it to other networks, and other numbers to that network', async () => {
      await failGuesses(10);
      expect((await startFrom('office')).kind).toBe('started');
      expect((await startFrom('home', { phone: 'bob' })).kind).toBe('started');
    });

    it('lock every open verification too: no code is looked at, right or wrong', async () => {
      const step = await started();
      await failGuesses(10);
      for (const isRight of [true, false]) {
        expect(await store.check(checkStep(step, { now: T0, isRight }))).toEqual({
          ...locked(T0 + DAY),
          verification: step.verification,
        });
      }
      expect(await verificationAfter(step)).toEqual(step.verification);
      await approve(step, { network: 'office' });
    });

    it('do not keep a verification that is over from saying so', async () => {
      const step = await started();
      await approve(step);
      await failGuesses(10);
      expect((await store.check(checkStep(step, { now: T0 }))).kind).toBe('closed');
    });

    it('lock it from anywhere after so many in a row', async () => {
      for (let nth = 0; nth < 12; nth += 1) await failGuesses(8, { network: `network ${nth}` });
      expect((await startFrom('home')).kind).toBe('started');
      await failGuesses(4, { network: 'the last' });
      for (const network of ['home', 'the last', 'one more']) {
        expect(await startFrom(network)).toEqual(locked(T0 + 30 * DAY));
      }
    });

    it('tell the later end when both counts are full', async () => {
      const guesses = guessesFrom('home', {
        perNetwork: { limit: 2, windowMs: 3 * DAY },
        inARow: { limit: 2, windowMs: DAY },
      });
      const step = await started();
      for (const now of [T0, T0]) await store.check(checkStep(step, { now, guesses }));
      expect(await store.start(startStep({ now: T0, guesses }))).toEqual(locked(T0 + 3 * DAY));
    });

    it('end after a window without one, at the very millisecond', async () => {
      await failGuesses(10);
      expect((await startFrom('home', { now: T0 + DAY - 1 })).kind).toBe('limited');
      expect((await startFrom('home', { now: T0 + DAY })).kind).toBe('started');
    });

    it('keep counting while the last one is not a window ago', async () => {
      for (let nth = 0; nth < 10; nth += 1) await failGuesses(1, { now: T0 + nth * (DAY - 1) });
      expect((await startFrom('home', { now: T0 + 9 * (DAY - 1) })).kind).toBe('limited');
    });

    it('begin anew after a window without one', async () => {
      await failGuesses(9);
      await failGuesses(1, { now: T0 + DAY });
      await failGuesses(8, { now: T0 + DAY });
      expect((await startFrom('home', { now: T0 + DAY })).kind).toBe('started');
      await failGuesses(1, { now: T0 + DAY });
      expect((await startFrom('home', { now: T0 + DAY })).kind).toBe('limited');
    });

    it('are forgiven by a right code: those of its network, and the row', async () => {
      const rate = { perNetwork: { limit: 3, windowMs: DAY }, inARow: { limit: 5, windowMs: DAY } };
      const from = (network: string) => guessesFrom(network, rate);
      const step = await started({ verification: verificationOf({ now: T0, attemptsRemaining: 10 }) });
      const check = (network: string, isRight = false) =>
        store.check(checkStep(step, { now: T0, isRight, guesses: from(network) }));
      for (const network of ['home', 'home', 'office', 'office']) await check(network);
      expect((await check('home', true)).kind).toBe('approved');

      const next = await started({ verification: verificationOf({ now: T0, attemptsRemaining: 10 }) });
      const guess = async (network: string) =>
        (await store.check(checkStep(next, { now: T0, guesses: from(network) }))).kind;
      // From home three new ones are allowed; the office, which guessed no right code, had two already.
      expect(await guess('home')).toBe('incorrect');
      expect(await guess('home')).toBe('incorrect');
      expect(await guess('home')).toBe('incorrect');
      expect(await guess('home')).toBe('limited');
      expect(await guess('office')).toBe('incorrect');
      expect(await guess('office')).toBe('limited');
      // The row began anew, too: four so far, one more is looked at.
      expect(await guess('elsewhere')).toBe('incorrect');
      expect(await guess('another')).toBe('limited');
    });

    it('cannot be reset by resends, new verifications or cancellations', async () => {
      for (let nth = 0; nth < 10; nth += 1) {
        const step = await started();
        await guessWrong(step);
        await store.resend(resendStep(step, { now: step.verification.resendAt }));
        await store.cancel(step.verification.id, T0);
      }
      expect((await startFrom('home')).kind).toBe('limited');
    });

    it('are set back to none on request, from every network, for this number alone', async () => {
      await failGuesses(10);
      await failGuesses(10, { network: 'office' });
      await failGuesses(10, { phone: 'bob' });
      await store.forgetGuesses(keyOf('alice'));
      await failGuesses(9);
      await failGuesses(9, { network: 'office' });
      expect((await startFrom('home')).kind).toBe('started');
      expect((await startFrom('office')).kind).toBe('started');
      expect((await startFrom('home', { phone: 'bob' })).kind).toBe('limited');
      await store.forgetGuesses(keyOf('nobody'));
    });

    it('are not mistaken between keys that begin alike', async () => {
      const guesses = guessesFrom('home', { perNetwork: { limit: 1, windowMs: DAY } });
      // Keys of one shard.
      const ab = keyOf('alice').slice(0, 2);
      for (const phoneKey of [`${ab}c`, `${ab}cd`, ab]) {
        const verification = verificationOf({ now: T0, phoneKey });
        await store.start(startStep({ now: T0, verification, guesses }));
        await store.check(checkStep({ verification }, { now: T0, guesses }));
      }
      await store.forgetGuesses(`${ab}c`);
      const outcomeOf = async (phoneKey: string) =>
        (
          await store.start(
            startStep({ now: T0, verification: verificationOf({ now: T0, phoneKey }), guesses }),
          )
        ).kind;
      expect([await outcomeOf(ab), await outcomeOf(`${ab}c`), await outcomeOf(`${ab}cd`)]).toEqual([
        'limited',
        'started',
        'limited',
      ]);
    });

    it('are counted right when they come at once', async () => {
      const steps20 = await Promise.all(Array.from({ length: 20 }, () => started()));
      const outcomes = await Promise.all(steps20.map((step) => store.check(checkStep(step, { now: T0 }))));
      expect(tally<CheckOutcome>(outcomes)).toEqual({ incorrect: 10, limited: 10 });
    });
  });
}
