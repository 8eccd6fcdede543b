/**
 * What survives a reload, in this tab only (`sessionStorage`).
 *
 *     const memory = new Memory('pk_demo registration phone_proof', clock);
 *     memory.keep(flow);                 // after every change
 *     memory.recall();                   // { verification, guess } or null
 *
 * The number in clear and the proof are never written: the number is read again from the server, and the
 * proof is had again by repeating the check that was accepted, whose code is worth nothing any more.
 */
import { readVerification } from './answers.ts';
import type { ServerClock } from './clock.ts';
import type { CodeStep, Flow, Guess, Verification } from './flow.ts';
import { number, object, optional, text } from './guards.ts';

/** The server repeats an answer for ten minutes. */
const replayMs = 600_000;

export class Memory {
  readonly #name: string;
  readonly #clock: ServerClock;

  constructor(subject: string, clock: ServerClock) {
    this.#name = `phone-proof:${subject}`;
    this.#clock = clock;
  }

  keep(flow: Flow): void {
    if (flow.step === 'phone' || (flow.step === 'code' && flow.over)) {
      this.forget();
      return;
    }
    const { verification } = flow;
    const guess = flow.step === 'verified' ? flow.guess : guessUnderWay(flow);
    const record = {
      // As on the wire, so that there is one way to read a verification.
      verification: {
        ...verification,
        phone: null,
        expiresAt: new Date(verification.expiresAt).toISOString(),
        delivery: { status: verification.delivery, at: new Date(verification.deliveryAt).toISOString() },
        resend: {
          at: new Date(verification.resendAt).toISOString(),
          remaining: verification.resendsRemaining,
        },
      },
      guess,
      clockOffset: this.#clock.offset,
      until: flow.step === 'verified' ? this.#clock.now() + replayMs : verification.expiresAt,
    };
    attempt((storage) => storage.setItem(this.#name, JSON.stringify(record)));
  }

  recall(): { verification: Verification; guess: Guess | null } | null {
    const record = attempt((storage) => readRecord(JSON.parse(storage.getItem(this.#name) ?? '')));
    if (!record) return null;
    const { verification, guess, clockOffset, until } = record;
    if (clockOffset !== null) this.#clock.offset = clockOffset;
    return this.#clock.now() < until ? { verification, guess } : null;
  }

  forget(): void {
    attempt((storage) => storage.removeItem(this.#name));
  }
}

/** Sent, and the answer perhaps lost with the page. */
function guessUnderWay({ activity }: CodeStep): Guess | null {
  if (activity.kind !== 'busy' && activity.kind !== 'waiting') return null;
  const { request } = activity;
  return request.kind === 'check' ? { key: request.key, code: request.code } : null;
}

function readRecord(value: unknown) {
  const { verification, guess, clockOffset, until } = object(value);
  return {
    verification: readVerification(verification),
    guess: optional(guess, (value): Guess => {
      const { key, code } = object(value);
      return { key: text(key), code: text(code) };
    }),
    clockOffset: optional(clockOffset, number),
    until: number(until),
  };
}

/** Storage may be full, forbidden or hold somebody else's text: a reload then just begins anew. */
function attempt<Value>(use: (storage: Storage) => Value): Value | undefined {
  try {
    return use(sessionStorage);
  } catch {
    return undefined;
  }
}
