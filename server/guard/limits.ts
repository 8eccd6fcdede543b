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

type Kind = 'phoneFromClient' | LimitScope;

/** The limits of one kind, in the form in which every message charges them. */
type Group = {
  scope: LimitScope;
  kind: Kind;
  rates: Charge['rates'];
  /** Tells these rates from others. */
  tag: string;
};

/** In `RateLimit` fields `phone-3600` is the limit of one number in an hour. */
const groupOf = (site: SiteConfig, kind: Kind, scope: LimitScope, prefix: string): Group => {
  const rates = site.limits[kind].map(({ limit, window }) => ({
    policy: `${prefix}-${window / 1_000}`,
    limit,
    windowMs: window,
  }));
  return { scope, kind, rates, tag: rates.map(({ limit, windowMs }) => `${limit}/${windowMs}`).join() };
};

/** A site's limits are the same for every request. */
const groups = new WeakMap<SiteConfig, Group[]>();

function groupsOf(site: SiteConfig): Group[] {
  const known = groups.get(site);
  if (known) return known;
  const made = [
    groupOf(site, 'phoneFromClient', 'phone', 'phone-client'),
    groupOf(site, 'phone', 'phone', 'phone'),
    groupOf(site, 'client', 'client', 'client'),
    groupOf(site, 'site', 'site', 'site'),
  ].filter(({ rates }) => rates.length > 0);
  groups.set(site, made);
  return made;
}

/** Every limit of a site, by name. */
export const ratesOf = (site: SiteConfig) => groupsOf(site).flatMap(({ rates }) => rates);

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
  return groupsOf(site).map(({ scope, kind, rates, tag }) => ({
    scope,
    subject: subjects[kind],
    // The two of one number stand side by side.
    key: `${site.id}|${subjects[kind]}|${kind === 'phoneFromClient' ? network : ''}|${tag}`,
    rates,
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
  let [least] = states;
  for (const state of states) if (least && state.remaining < least.remaining) least = state;
  return (
    least && {
      policy: least.policy,
      remaining: least.remaining,
      resetSeconds: secondsUntil(least.resetAt, now),
    }
  );
}

const secondsUntil = (at: number, now: number) => Math.max(1, Math.ceil((at - now) / 1_000));

/** Beyond that a person is told to come back later instead of counting seconds. */
const SHORT_WAIT_SECONDS = 3_600;

/** A refused charge (or a lock after failed guesses, which names no policy) as an answer. */
export function tooManyRequests(
  { scope, retryAt, policy }: { scope: LimitScope; retryAt: number; policy: string | null },
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
      rateLimit: { policy: policy ?? FAILED_GUESSES, remaining: 0, resetSeconds: seconds },
    },
  );
}
