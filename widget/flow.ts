/**
 * The steps of a verification as a pure state machine: no DOM, no network, no clock of its own.
 *
 *     const [flow, effects] = transition(initial, { type: 'send', key, target });
 *     // flow.activity is now 'busy'; effects ask for the request, whose outcome is the next event
 *
 * Three steps (phone, code, verified). In the first two at most one thing is going on: a request, the
 * wait to repeat one, or an error to be read. Every request has the idempotency key it was born with;
 * an outcome with another key than the current one is old news and changes nothing.
 * All times are the server's, in ms since the epoch, and come in with events.
 */
import type { CodeShape, DeliveryStatus, Transaction, VerificationStatus } from '../server/contract.ts';

/** A verification as the page keeps it. */
export type Verification = {
  id: string;
  clientSecret: string;
  status: VerificationStatus;
  /** E.164; null when the page may not know it (intent, or restored and not yet read again). */
  phone: string | null;
  phoneMasked: string;
  code: CodeShape;
  attemptsRemaining: number;
  expiresAt: number;
  delivery: DeliveryStatus;
  deliveryAt: number;
  resendAt: number;
  resendsRemaining: number;
  transaction: Transaction | null;
};

/** Whom the code goes to: a number as it was typed, or whoever the site's backend prepared. */
export type Target = { phone: string; country: string | null } | 'intent';

/** What makes a check the same check: repeated, it gets the same answer. */
export type Guess = { key: string; code: string };

export type Request =
  | { kind: 'start'; key: string; target: Target }
  | { kind: 'resend'; key: string; verification: Verification }
  | { kind: 'check'; key: string; code: string; verification: Verification };

/** An error as it is shown. `code` is the server's word or one of the page's own. */
export type Trouble = {
  code: string;
  /** When trying again makes sense; the error goes away by itself then. */
  until: number | null;
};

export type Activity =
  | { kind: 'idle' }
  | { kind: 'busy'; request: Request; tries: number }
  /** Not answered: the same request goes out again, at `retryAt` or when the network is back. */
  | {
      kind: 'waiting';
      request: Request;
      tries: number;
      reason: 'offline' | 'unavailable';
      retryAt: number | null;
    }
  | { kind: 'error'; trouble: Trouble };

export type PhoneStep = { step: 'phone'; activity: Activity };

export type CodeStep = {
  step: 'code';
  verification: Verification;
  /** Why no code can be entered any more; a new one can be asked for in place. */
  over: null | 'expired' | 'failed' | 'closed';
  activity: Activity;
  /** Taken up after a reload, and not yet confirmed by the server. */
  restored: boolean;
};

export type VerifiedStep = {
  step: 'verified';
  verification: Verification;
  /** What was accepted: repeated after a reload, it yields the same proof. */
  guess: Guess;
  proof: string;
  expiresAt: number;
};

export type Flow = PhoneStep | CodeStep | VerifiedStep;

/** A refusal by the server, as far as the flow is concerned. */
export type Problem = {
  code: string;
  detail: string;
  retryAt: number | null;
  attemptsRemaining: number | null;
  resend: { at: number; remaining: number } | null;
  verification: Verification | null;
};

export type FlowEvent =
  // from the person
  | { type: 'send'; key: string; target: Target }
  | { type: 'check'; key: string; code: string }
  | { type: 'resend'; key: string }
  | { type: 'retry' }
  | { type: 'change' }
  | { type: 'edit' }
  | { type: 'mistake'; code: string }
  // from the server
  | { type: 'sent'; key: string; verification: Verification }
  | { type: 'approved'; key: string; proof: string; expiresAt: number }
  | { type: 'refused'; key: string; problem: Problem }
  | { type: 'lost'; key: string; offline: boolean; now: number; retryAt: number | null }
  | { type: 'seen'; verification: Verification }
  | { type: 'gone'; id: string }
  // from the page
  | { type: 'tick'; now: number }
  | { type: 'misconfigured'; code: string }
  | { type: 'restore'; verification: Verification; guess: Guess | null }
  | { type: 'reset' };

export type Effect =
  | { type: 'request'; request: Request }
  | { type: 'cancel'; verification: Verification }
  | { type: 'emit'; event: 'code-sent' | 'verified' }
  | { type: 'emit'; event: 'expired'; what: 'code' | 'proof' }
  | { type: 'emit'; event: 'failed'; code: string; detail: string };

export const idle: Activity = { kind: 'idle' };
export const initial: Flow = { step: 'phone', activity: idle };

/** Answers are kept by the server for ten minutes; long before that, a person should decide. */
const triesByItself = 6;

export function transition(flow: Flow, event: FlowEvent): [Flow, Effect[]] {
  switch (event.type) {
    case 'send':
      // While a code can be entered, there is nothing to begin.
      if (flow.step === 'verified' || isBusy(flow) || isLive(flow)) return [flow, []];
      return begin(flow, { kind: 'start', key: event.key, target: event.target });
    case 'check':
      if (!acceptsCode(flow)) return [flow, []];
      return begin(flow, {
        kind: 'check',
        key: event.key,
        code: event.code,
        verification: flow.verification,
      });
    case 'resend':
      if (!acceptsCode(flow) || flow.verification.resendsRemaining < 1) return [flow, []];
      return begin(flow, { kind: 'resend', key: event.key, verification: flow.verification });
    case 'retry':
      return repeat(flow);
    case 'change':
    case 'reset':
      return [initial, isLive(flow) ? [{ type: 'cancel', verification: flow.verification }] : []];
    case 'edit':
      if (flow.step === 'verified' || isBusy(flow) || flow.activity.kind === 'idle') return [flow, []];
      return [{ ...flow, activity: idle }, []];
    case 'mistake':
    case 'misconfigured':
      if (flow.step === 'verified' || isBusy(flow)) return [flow, []];
      return [withError(flow, event.code), []];
    case 'sent':
      if (!isCurrent(flow, event.key)) return [flow, []];
      return [codeStep(event.verification), [{ type: 'emit', event: 'code-sent' }]];
    case 'approved':
      return approve(flow, event);
    case 'refused':
      return isCurrent(flow, event.key) ? refuse(flow, event.problem) : [flow, []];
    case 'lost':
      return wait(flow, event);
    case 'seen':
      return see(flow, event.verification);
    case 'gone':
      return flow.step === 'code' && flow.verification.id === event.id ? [initial, []] : [flow, []];
    case 'tick':
      return tick(flow, event.now);
    case 'restore':
      return restore(flow, event.verification, event.guess);
  }
}

// ── What a state is ──────────────────────────────────────────────────────────────────────────────

type Active = PhoneStep | CodeStep;

export const isBusy = (flow: Flow): boolean => flow.step !== 'verified' && flow.activity.kind === 'busy';

/** A code can still be entered. */
const isLive = (flow: Flow): flow is CodeStep => flow.step === 'code' && flow.over === null;
const acceptsCode = (flow: Flow): flow is CodeStep => isLive(flow) && !isBusy(flow);

const hasTrouble = (flow: Flow, code: string): boolean =>
  flow.step === 'code' && flow.activity.kind === 'error' && flow.activity.trouble.code === code;

export const isWrongCode = (flow: Flow): boolean => hasTrouble(flow, 'incorrect-code');

const isCurrent = (flow: Flow, key: string): flow is Active =>
  flow.step !== 'verified' && flow.activity.kind === 'busy' && flow.activity.request.key === key;

// ── What happens ─────────────────────────────────────────────────────────────────────────────────

const codeStep = (verification: Verification): CodeStep => ({
  step: 'code',
  verification,
  over: null,
  activity: idle,
  restored: false,
});

const withError = <Step extends Active>(flow: Step, code: string, until: number | null = null): Step => ({
  ...flow,
  activity: { kind: 'error', trouble: { code, until } },
});

/**
 * A request that still waits for its answer is repeated rather than replaced when the person asks for
 * the same thing again, so that pressing the button once more can never send or spend twice.
 */
function begin(flow: Active, request: Request): [Flow, Effect[]] {
  if (flow.activity.kind === 'waiting' && isSame(flow.activity.request, request)) return repeat(flow);
  return run(flow, request, 0);
}

function isSame(a: Request, b: Request): boolean {
  if (a.kind === 'start') return b.kind === 'start' && JSON.stringify(a.target) === JSON.stringify(b.target);
  return a.kind === b.kind && (a.kind !== 'check' || b.kind !== 'check' || a.code === b.code);
}

function repeat(flow: Flow): [Flow, Effect[]] {
  if (flow.step === 'verified' || flow.activity.kind !== 'waiting') return [flow, []];
  return run(flow, flow.activity.request, flow.activity.tries);
}

function run(flow: Active, request: Request, tries: number): [Flow, Effect[]] {
  return [{ ...flow, activity: { kind: 'busy', request, tries } }, [{ type: 'request', request }]];
}

function wait(flow: Flow, event: FlowEvent & { type: 'lost' }): [Flow, Effect[]] {
  if (!isCurrent(flow, event.key) || flow.activity.kind !== 'busy') return [flow, []];
  const { request, tries } = flow.activity;
  const retryAt =
    event.offline || tries >= triesByItself ? null : (event.retryAt ?? event.now + 2000 * 2 ** tries);
  const reason = event.offline ? 'offline' : 'unavailable';
  return [{ ...flow, activity: { kind: 'waiting', request, tries: tries + 1, reason, retryAt } }, []];
}

function approve(flow: Flow, event: FlowEvent & { type: 'approved' }): [Flow, Effect[]] {
  if (flow.step !== 'code' || flow.activity.kind !== 'busy') return [flow, []];
  const { request } = flow.activity;
  if (request.kind !== 'check' || request.key !== event.key) return [flow, []];
  const { verification } = flow;
  const guess = { key: request.key, code: request.code };
  return [
    { step: 'verified', verification, guess, proof: event.proof, expiresAt: event.expiresAt },
    [{ type: 'emit', event: 'verified' }],
  ];
}

function refuse(flow: Active, problem: Problem): [Flow, Effect[]] {
  const failed: Effect = { type: 'emit', event: 'failed', code: problem.code, detail: problem.detail };

  if (problem.verification) {
    // Not sent by any provider, but begun: it can be sent again from where one would enter the code.
    return [withError(codeStep(problem.verification), problem.code), [failed]];
  }
  if (flow.step === 'phone') return [withError(flow, problem.code, problem.retryAt), [failed]];

  // What a reload took up was already over: begin anew, without a word.
  if (flow.restored && problem.code !== 'incorrect-code') return [initial, []];

  switch (problem.code) {
    case 'incorrect-code': {
      const attemptsRemaining = problem.attemptsRemaining ?? flow.verification.attemptsRemaining - 1;
      const next = withError(
        { ...flow, verification: { ...flow.verification, attemptsRemaining } },
        problem.code,
      );
      return [attemptsRemaining > 0 ? next : finish(next, 'failed'), [failed]];
    }
    case 'resend-too-early':
    case 'resends-exhausted': {
      const { at: resendAt, remaining } = problem.resend ?? { at: flow.verification.resendAt, remaining: 0 };
      const verification = { ...flow.verification, resendAt, resendsRemaining: remaining };
      return [withError({ ...flow, verification }, problem.code, remaining > 0 ? resendAt : null), [failed]];
    }
    case 'verification-expired':
      return [finish(flow, 'expired'), [{ type: 'emit', event: 'expired', what: 'code' }]];
    case 'verification-closed':
    case 'verification-not-found':
      return [finish(flow, 'closed'), [failed]];
    default:
      return [withError(flow, problem.code, problem.retryAt), [failed]];
  }
}

const finish = (flow: CodeStep, over: CodeStep['over']): CodeStep => ({ ...flow, over, activity: idle });

/** The verification as the server has it now: its delivery, and whether it ended elsewhere. */
function see(flow: Flow, seen: Verification): [Flow, Effect[]] {
  if (flow.step !== 'code' || flow.verification.id !== seen.id || flow.over) return [flow, []];
  const next: CodeStep = { ...flow, verification: seen, restored: false };
  // It was sent after all, or again.
  if (hasTrouble(flow, 'delivery-failed') && seen.delivery !== 'failed') next.activity = idle;
  // The answer to a request that is on its way tells more than this one does.
  if (isBusy(flow) || seen.status === 'pending') return [next, []];
  // Approved, but the answer was lost: asking again with the same key brings the proof.
  if (seen.status === 'approved' && flow.activity.kind === 'waiting') return repeat(next);
  if (flow.restored) return [initial, []];
  if (seen.status === 'expired')
    return [finish(next, 'expired'), [{ type: 'emit', event: 'expired', what: 'code' }]];
  return [finish(next, seen.status === 'failed' ? 'failed' : 'closed'), []];
}

function tick(flow: Flow, now: number): [Flow, Effect[]] {
  if (flow.step === 'verified') {
    if (now < flow.expiresAt) return [flow, []];
    return [
      withError({ step: 'phone', activity: idle }, 'proof-expired'),
      [{ type: 'emit', event: 'expired', what: 'proof' }],
    ];
  }
  // A code sent off in time is for the server to judge.
  if (flow.activity.kind === 'busy') return [flow, []];
  if (flow.activity.kind === 'waiting' && flow.activity.retryAt !== null && now >= flow.activity.retryAt) {
    return repeat(flow);
  }
  if (isLive(flow) && flow.activity.kind !== 'waiting' && now >= flow.verification.expiresAt) {
    return [finish(flow, 'expired'), [{ type: 'emit', event: 'expired', what: 'code' }]];
  }
  if (
    flow.activity.kind === 'error' &&
    flow.activity.trouble.until !== null &&
    now >= flow.activity.trouble.until
  ) {
    return [{ ...flow, activity: idle }, []];
  }
  return [flow, []];
}

function restore(flow: Flow, verification: Verification, guess: Guess | null): [Flow, Effect[]] {
  if (flow !== initial) return [flow, []];
  const next: CodeStep = { ...codeStep(verification), restored: true };
  return guess ? run(next, { kind: 'check', ...guess, verification }, 0) : [next, []];
}
