/**
 * What a state waits for in time, and what is worth saying aloud about it.
 *
 *     deadlinesOf(flow)          // [{ at: 1764000000000, shown: true }, …]
 *     spokenTimes(flow, now)     // ['resendReady']
 */
import type { Deadline } from './controllers/countdown.ts';
import type { Flow } from './flow.ts';

const lastCallMs = 60_000;

export function deadlinesOf(flow: Flow): Deadline[] {
  if (flow.step === 'verified') return [{ at: flow.expiresAt, shown: false }];
  const deadlines: Deadline[] = [];
  const { activity } = flow;
  if (activity.kind === 'waiting' && activity.retryAt !== null) {
    deadlines.push({ at: activity.retryAt, shown: true });
  }
  if (activity.kind === 'error' && activity.trouble.until !== null) {
    deadlines.push({ at: activity.trouble.until, shown: true });
  }
  if (flow.step === 'code' && !flow.over) {
    const { resendAt, expiresAt } = flow.verification;
    deadlines.push(
      { at: resendAt, shown: true },
      { at: expiresAt - lastCallMs, shown: false },
      { at: expiresAt, shown: false },
    );
  }
  return deadlines;
}

/** A timer that speaks is a nuisance: these two, once each, and the end (which is an error) are all. */
export function spokenTimes(flow: Flow, now: number): ('resendReady' | 'expiresSoon')[] {
  if (flow.step !== 'code' || flow.over) return [];
  const { resendAt, resendsRemaining, expiresAt } = flow.verification;
  if (now >= expiresAt - lastCallMs) return ['expiresSoon'];
  return now >= resendAt && resendsRemaining > 0 ? ['resendReady'] : [];
}
