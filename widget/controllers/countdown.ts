/**
 * Ticks while something is waited for: once a second for what is shown counting down, and at the very
 * moment for what merely ends. It owns the timer; what a deadline means is the host's business.
 *
 *     new Countdown(this, clock, () => [{ at: expiresAt, shown: false }], (now) => this.#tick(now));
 *
 * Nothing is counted: each tick asks the clock anew, so a tab that slept, or was kept in the
 * back/forward cache, is right again at once.
 */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { ServerClock } from '../clock.ts';

export type Deadline = { at: number; shown: boolean };

/** The longest delay that `setTimeout` takes as it is said. */
const longestDelayMs = 2 ** 31 - 1;

export class Countdown implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #clock: ServerClock;
  readonly #deadlines: () => readonly Deadline[];
  readonly #onTick: (now: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    host: ReactiveControllerHost,
    clock: ServerClock,
    deadlines: () => readonly Deadline[],
    onTick: (now: number) => void,
  ) {
    this.#host = host;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#onTick = onTick;
    host.addController(this);
  }

  hostConnected(): void {
    document.addEventListener('visibilitychange', this.#tick);
    window.addEventListener('pageshow', this.#tick);
    this.#schedule();
  }

  hostDisconnected(): void {
    document.removeEventListener('visibilitychange', this.#tick);
    window.removeEventListener('pageshow', this.#tick);
    clearTimeout(this.#timer);
  }

  hostUpdated(): void {
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const now = this.#clock.now();
    const delays = this.#deadlines()
      .filter(({ at }) => at > now)
      // What is shown changes whenever its whole seconds do.
      .map(({ at, shown }) => (shown && !document.hidden ? (at - now) % 1000 || 1000 : at - now));
    if (delays.length > 0) this.#timer = setTimeout(this.#tick, Math.min(...delays, longestDelayMs));
  }

  #tick = (): void => {
    this.#onTick(this.#clock.now());
    this.#host.requestUpdate();
  };
}
