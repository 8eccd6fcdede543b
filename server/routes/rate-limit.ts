/**
 * RateLimit and RateLimit-Policy, as draft-ietf-httpapi-ratelimit-headers writes them.
 *
 *     RateLimit-Policy: "phone-3600";q=5;w=3600, "client-600";q=20;w=600
 *     RateLimit: "phone-3600";r=4;t=720
 */
import type { SiteConfig } from '../config.ts';
import { policyName } from '../guard/limits.ts';
import type { RateLimitState } from '../problem.ts';

export const rateLimitField = ({ policy, remaining, resetSeconds }: RateLimitState): string =>
  `"${policy}";r=${remaining};t=${resetSeconds}`;

export const rateLimitPolicyField = ({ limits }: SiteConfig): string =>
  (['phone', 'client', 'site'] as const)
    .flatMap((scope) =>
      limits[scope].map(
        ({ limit, window }) => `"${policyName(scope, window)}";q=${limit};w=${window / 1_000}`,
      ),
    )
    .join(', ');
