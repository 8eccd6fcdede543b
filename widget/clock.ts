/**
 * The server's clock, as far as the page can tell. All deadlines are the server's, and a page's own
 * clock may be hours off.
 *
 *     const clock = new ServerClock();
 *     clock.witness(verification.deliveryAt);   // the server said it is at least this late
 *     expiresAt - clock.now()                  // milliseconds left
 *
 * Whatever has already happened at the server (a message sent, an answer dated) cannot lie in its
 * future, so each such time is a lower bound for its clock, and the latest one is kept. The estimate
 * is behind the truth by less than a second and a round trip: a button never wakes too early, and a code
 * is never called expired while it lives. A sleeping machine's `Date.now()` goes on, so waking is no case.
 */
export class ServerClock {
  /** Server time minus the page's, in milliseconds. */
  offset: number;

  constructor(offset = Number.NEGATIVE_INFINITY) {
    this.offset = offset;
  }

  now(): number {
    return Date.now() + (Number.isFinite(this.offset) ? this.offset : 0);
  }

  /** Something happened at the server at `time` (ms since the epoch), and we know of it. */
  witness(time: number): void {
    this.offset = Math.max(this.offset, time - Date.now());
  }

  /** The server told its very time, by refusing for so many milliseconds until a known deadline. */
  set(time: number): void {
    this.offset = time - Date.now();
  }
}
