/**
 * Runs the flow: keeps its state, carries out what it asks for, feeds back what came of it, and
 * remembers it over a reload. The rules are `flow.ts`, the calls `client.ts`.
 *
 *     const verification = new VerificationController(this, clock);
 *     verification.begin({ client, memory, ready, startBody, resendBody });
 *     verification.dispatch({ type: 'send', key: crypto.randomUUID(), target: 'intent' });
 */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Client, Outcome, StartBody } from '../client.ts';
import type { ServerClock } from '../clock.ts';
import {
  type Effect,
  type Flow,
  type FlowEvent,
  initial,
  type Request,
  type Target,
  transition,
  type Verification,
} from '../flow.ts';
import type { Memory } from '../memory.ts';

export type Surroundings = {
  client: Client;
  memory: Memory;
  /** Resolves when what comes after the number can be shown. */
  ready: () => Promise<void>;
  /** What the site's tag says about a verification besides its number. */
  startBody: (target: Target) => StartBody;
  resendBody: () => { channel?: string };
};

export interface VerificationHost extends ReactiveControllerHost {
  /** After every change, and before any event: what events tell of must already be so. */
  flowChanged(next: Flow, previous: Flow): void;
  flowEmitted(effect: Effect & { type: 'emit' }, flow: Flow): void;
}

export class VerificationController implements ReactiveController {
  readonly #host: VerificationHost;
  readonly #clock: ServerClock;
  #surroundings: Surroundings | null = null;
  flow: Flow = initial;

  constructor(host: VerificationHost, clock: ServerClock) {
    this.#host = host;
    this.#clock = clock;
    host.addController(this);
  }

  hostConnected(): void {
    window.addEventListener('online', this.#onOnline);
  }

  hostDisconnected(): void {
    window.removeEventListener('online', this.#onOnline);
  }

  /** For a site key, purpose or intent: from what a reload left of it, or from the beginning. */
  begin(surroundings: Surroundings): void {
    this.#surroundings = null;
    this.#become(initial);
    this.#surroundings = surroundings;
    void this.#recall(surroundings);
  }

  async #recall(surroundings: Surroundings): Promise<void> {
    const recalled = surroundings.memory.recall();
    if (!recalled) return;
    try {
      await surroundings.ready();
    } catch {
      // Still kept; another reload may have more luck.
      return;
    }
    if (surroundings === this.#surroundings) this.dispatch({ type: 'restore', ...recalled });
  }

  dispatch(event: FlowEvent): void {
    const [next, effects] = transition(this.flow, event);
    this.#become(next);
    for (const effect of effects) this.#carryOut(effect, next);
  }

  #become(next: Flow): void {
    const previous = this.flow;
    if (next === previous) return;
    this.flow = next;
    this.#surroundings?.memory.keep(next);
    this.#host.flowChanged(next, previous);
    this.#host.requestUpdate();
  }

  #carryOut(effect: Effect, flow: Flow): void {
    switch (effect.type) {
      case 'request':
        void this.#request(effect);
        break;
      case 'cancel':
        // If this does not arrive, the code dies of old age.
        void this.#surroundings?.client.cancel(effect.verification);
        break;
      case 'emit':
        this.#host.flowEmitted(effect, flow);
    }
  }

  async #request({ request }: Effect & { type: 'request' }): Promise<void> {
    const surroundings = this.#surroundings;
    if (!surroundings) return;
    const outcome = await this.#ask(request, surroundings);
    // Meanwhile another site key or intent may have taken this one's place.
    if (surroundings !== this.#surroundings) return;
    const { key } = request;
    switch (outcome.kind) {
      case 'answered':
        return this.dispatch(outcome.value);
      case 'refused':
        return this.dispatch({ type: 'refused', key, problem: outcome.problem });
      case 'lost': {
        const { offline, retryAt } = outcome;
        return this.dispatch({ type: 'lost', key, offline, retryAt, now: this.#clock.now() });
      }
    }
  }

  async #ask(
    request: Request,
    { client, ready, startBody, resendBody }: Surroundings,
  ): Promise<Outcome<FlowEvent>> {
    const { kind, key } = request;
    if (kind === 'check') {
      const outcome = await client.check(request.verification, request.code, key);
      return whenAnswered(outcome, (approval) => ({ type: 'approved', key, ...approval }));
    }
    const outcome =
      kind === 'start'
        ? await client.start(startBody(request.target), key)
        : await client.resend(request.verification, resendBody(), key);
    // Sent, but with nothing to enter the code into: as good as unheard, and asked again by the same key.
    const isReady = await ready().then(
      () => true,
      () => false,
    );
    if (!isReady) return { kind: 'lost', offline: !navigator.onLine, retryAt: null };
    return whenAnswered(outcome, (verification) => ({ type: 'sent', key, verification }));
  }

  read = async (verification: Verification, signal: AbortSignal): Promise<Outcome<Verification>> =>
    (await this.#surroundings?.client.read(verification, signal)) ?? {
      kind: 'lost',
      offline: false,
      retryAt: null,
    };

  #onOnline = (): void => this.dispatch({ type: 'retry' });
}

const whenAnswered = <Answer>(
  outcome: Outcome<Answer>,
  eventOf: (answer: Answer) => FlowEvent,
): Outcome<FlowEvent> =>
  outcome.kind === 'answered' ? { kind: 'answered', value: eventOf(outcome.value) } : outcome;
