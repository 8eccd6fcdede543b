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
import type { Charge, ChargeState, GuessLimits, LimitScope } from '../store/store.ts';

/** What one more message is charged to. `phoneKey` and `network` are keyed hashes. */
export function sendCharges(
  site: SiteConfig,
  { phoneKey, network }: { phoneKey: string; network: string },
): Charge[] {
  const subjects: Record<LimitScope, string> = { phone: phoneKey, client: network, site: site.id };
  return (['phone', 'client', 'site'] as const).flatMap((scope) =>
    site.limits[scope].map(({ limit, window }) => ({
      scope,
      key: `${scope}|${site.id}|${subjects[scope]}|${limit}/${window}`,
      limit,
      windowMs: window,
    })),
  );
}

export function guessLimits(site: SiteConfig, network: string): GuessLimits {
  const { perNetwork, inARow } = site.limits.failedGuesses;
  return {
    network,
    perNetwork: { limit: perNetwork.limit, windowMs: perNetwork.window },
    inARow: { limit: inARow.limit, windowMs: inARow.window },
  };
}

/** Names a limit in RateLimit fields: `phone-3600` is the one per number and hour. */
export const policyName = (scope: LimitScope, windowMs: number): string => `${scope}-${windowMs / 1_000}`;

/** The limit that has least left: one line for the client, and the others stay nobody's business. */
export function tightest(states: ChargeState[], now: number): RateLimitState | undefined {
  const [least] = states.toSorted((a, b) => a.remaining - b.remaining);
  return (
    least && {
      policy: policyName(least.charge.scope, least.charge.windowMs),
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
      ...(charge && {
        rateLimit: { policy: policyName(scope, charge.windowMs), remaining: 0, resetSeconds: seconds },
      }),
    },
  );
}
