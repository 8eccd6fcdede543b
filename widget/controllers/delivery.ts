/**
 * Asks the server what has become of a message and of its verification, politely: soon at first, then
 * ever more seldom, never while nobody looks, and not at all once there is nothing to learn.
 *
 *     new DeliveryWatch(this, {
 *       watched: () => verification,                      // null: nothing to watch
 *       read: (verification, signal) => client.read(verification, signal),
 *       onSeen: (verification) => …,
 *       onGone: (id) => …,
 *     });
 */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Outcome } from '../client.ts';
import type { Verification } from '../flow.ts';

type Options = {
  watched: () => Verification | null;
  read: (verification: Verification, signal: AbortSignal) => Promise<Outcome<Verification>>;
  onSeen: (verification: Verification) => void;
  onGone: (id: string) => void;
};

const pausesMs = [2000, 3000, 5000];
const usualPauseMs = 10_000;
/** The message has arrived or never will; only an end from elsewhere could still be seen. */
const settledPauseMs = 30_000;

export class DeliveryWatch implements ReactiveController {
  readonly #options: Options;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading: AbortController | undefined;
  /** The message that is watched: a resend is a new one. */
  #subject: string | null = null;
  #looks = 0;
  #isConnected = false;

  constructor(host: ReactiveControllerHost, options: Options) {
    this.#options = options;
    host.addController(this);
  }

  hostConnected(): void {
    this.#isConnected = true;
    document.addEventListener('visibilitychange', this.#onReturn);
    window.addEventListener('pageshow', this.#onReturn);
    this.#schedule();
  }

  hostDisconnected(): void {
    this.#isConnected = false;
    document.removeEventListener('visibilitychange', this.#onReturn);
    window.removeEventListener('pageshow', this.#onReturn);
    this.#stop();
  }

  hostUpdated(): void {
    const verification = this.#options.watched();
    const subject = verification && `${verification.id} ${verification.resendsRemaining}`;
    if (subject === this.#subject) return;
    this.#stop();
    this.#subject = subject;
    this.#looks = 0;
    this.#schedule();
  }

  /** At once, for instance for what a reload has taken up. */
  look = async (): Promise<void> => {
    const verification = this.#options.watched();
    if (!verification) return;
    this.#stop();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    const outcome = await this.#options.read(verification, signal);
    if (signal.aborted) return;
    this.#looks++;
    if (outcome.kind === 'answered') this.#options.onSeen(outcome.value);
    if (outcome.kind === 'refused' && outcome.problem.code === 'verification-not-found') {
      this.#options.onGone(verification.id);
    }
    this.#schedule();
  };

  #onReturn = (): void => {
    if (document.hidden) this.#stop();
    else void this.look();
  };

  #schedule(): void {
    clearTimeout(this.#timer);
    const verification = this.#options.watched();
    if (!verification || !this.#isConnected || document.hidden) return;
    const isSettled = verification.delivery === 'delivered' || verification.delivery === 'failed';
    const pause = isSettled ? settledPauseMs : (pausesMs[this.#looks] ?? usualPauseMs);
    this.#timer = setTimeout(this.look, pause);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#reading?.abort();
  }
}
