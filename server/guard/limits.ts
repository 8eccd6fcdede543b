/**
 * The site's limits as charges that a store step takes.
 *
 *     const charges = sendCharges(site, { phoneKey, network });
 *     const guesses = guessLimits(site, network);
 *
 * Keys hold keyed hashes only, and the rate itself: a changed rate starts afresh instead of reading an
 * old one's figures on a new scale.
 */
import type { SiteConfig } from '../config.ts';
import { Problem, type RateLimitState } from '../problem.ts';
import type { Charge, ChargeState, GuessLimits, LimitScope, Rate } from '../store/store.ts';

/** A limit of a site, by its name in RateLimit fields: `phone-3600` is that of one number in an hour. */
type Policy = Rate & { name: string; scope: LimitScope; kind: 'phoneFromClient' | LimitScope };

export function policiesOf({ limits }: SiteConfig): Policy[] {
  const policies = (kind: Policy['kind'], scope: LimitScope, prefix: string) =>
    limits[kind].map(({ limit, window }) => ({
      name: `${prefix}-${window / 1_000}`,
      scope,
      kind,
      limit,
      windowMs: window,
    }));
  return [
    ...policies('phoneFromClient', 'phone', 'phone-client'),
    ...policies('phone', 'phone', 'phone'),
    ...policies('client', 'client', 'client'),
    ...policies('site', 'site', 'site'),
  ];
}

/**
 * What one more message is charged to. `phoneKey` and `network` are keyed hashes.
 *
 * A number has a small share for each network and a larger one in all: a stranger who asks for codes to
 * somebody's number uses up the share of the stranger's own network.
 */
export function sendCharges(
  site: SiteConfig,
  { phoneKey, network }: { phoneKey: string; network: string },
): Charge[] {
  const subjects = { phoneFromClient: phoneKey, phone: phoneKey, client: network, site: site.id };
  return policiesOf(site).map(({ name, scope, kind, limit, windowMs }) => ({
    scope,
    policy: name,
    subject: subjects[kind],
    key: [site.id, subjects[kind], kind === 'phoneFromClient' ? network : '', name, limit].join('|'),
    limit,
    windowMs,
  }));
}

/** The name of the limit on wrong codes, whichever of its two counts is reached. */
export const FAILED_GUESSES = 'failed-guesses';

export function guessLimits(site: SiteConfig, network: string): GuessLimits {
  const { perNetwork, inARow } = site.limits.failedGuesses;
  return {
    network,
    perNetwork: { limit: perNetwork.limit, windowMs: perNetwork.window },
    inARow: { limit: inARow.limit, windowMs: inARow.window },
  };
}

/** The limit that has least left: one line for the client, and the others stay nobody's business. */
export function tightest(states: ChargeState[], now: number): RateLimitState | undefined {
  const [least] = states.toSorted((a, b) => a.remaining - b.remaining);
  return (
    least && {
      policy: least.charge.policy,
      remaining: least.remaining,
      resetSeconds: secondsUntil(least.resetAt, now),
    }
  );
}

const secondsUntil = (at: number, now: number) => Math.max(1, Math.ceil((at - now) / 1_000));

/** Beyond that a person is told to come back later instead of counting seconds. */
const SHORT_WAIT_SECONDS = 3_600;

/** A refused charge (or a lock after failed guesses, which has none) as an answer. */
export function tooManyRequests(
  { scope, retryAt, charge }: { scope: LimitScope; retryAt: number; charge: Charge | null },
  now: number,
): Problem {
  const seconds = secondsUntil(retryAt, now);
  const at = new Date(retryAt).toISOString();
  return new Problem(
    'too-many-requests',
    { retryAt: at, scope },
    {
      detail:
        seconds <= SHORT_WAIT_SECONDS
          ? `Wait ${seconds} seconds and try again.`
          : `No more today: the next try is possible after ${at}.`,
      retryAfterSeconds: seconds,
      rateLimit: { policy: charge?.policy ?? FAILED_GUESSES, remaining: 0, resetSeconds: seconds },
    },
  );
}
