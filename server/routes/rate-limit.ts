/**
 * RateLimit and RateLimit-Policy, as draft-ietf-httpapi-ratelimit-headers writes them.
 *
 *     RateLimit-Policy: "phone-3600";q=15;w=3600, "client-600";q=20;w=600
 *     RateLimit: "phone-3600";r=14;t=240
 */
import type { SiteConfig } from '../config.ts';
import { FAILED_GUESSES, ratesOf } from '../guard/limits.ts';
import type { RateLimitState } from '../problem.ts';

export const rateLimitField = ({ policy, remaining, resetSeconds }: RateLimitState): string =>
  `"${policy}";r=${remaining};t=${resetSeconds}`;

export function rateLimitPolicyField(site: SiteConfig): string {
  let field = policyFields.get(site);
  if (field === undefined) {
    field = ratesOf(site)
      .map(({ policy, limit, windowMs }) => `"${policy}";q=${limit};w=${windowMs / 1_000}`)
      .join(', ');
    policyFields.set(site, field);
  }
  return field;
}

/** A site's limits are the same for every request. */
const policyFields = new WeakMap<SiteConfig, string>();

/** A check is limited by the wrong codes that came before it. */
export const guessPolicyField = ({ limits }: SiteConfig): string => {
  const { limit, window } = limits.failedGuesses.perNetwork;
  return `"${FAILED_GUESSES}";q=${limit};w=${window / 1_000}`;
};
