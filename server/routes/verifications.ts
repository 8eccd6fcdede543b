/** The page's calls, and the backend's look at a verification: `/v1/verifications`. */
import { Hono } from 'hono';
import { checkRequest, resendRequest, startRequest } from '../contract.ts';
import { Problem } from '../problem.ts';
import type { Caller } from '../verification/deps.ts';
import { isId } from '../verification/ids.ts';
import { backendSite, bearerOf, holder, originOf, pageOrigins, pageSite } from './access.ts';
import { answer, answerWith, headersOf } from './answer.ts';
import { jsonBody, validated } from './body.ts';
import type { RouteDeps } from './deps.ts';
import type { AppContext, Env } from './env.ts';
import { idempotencyOf } from './idempotency.ts';
import { guessPolicyField, rateLimitField, rateLimitPolicyField } from './rate-limit.ts';

export function verificationRoutes(deps: RouteDeps) {
  const { sites, verifications, networkOf } = deps;

  const callerOf = (c: AppContext, site: Caller['site'], scope: string, body: unknown): Caller => ({
    requestId: c.get('requestId'),
    site,
    network: networkOf(c),
    idempotency: idempotencyOf(c, deps, scope, body),
  });

  return new Hono<Env>()
    .use(pageOrigins(sites, 'GET, POST, DELETE'))

    .post('/', jsonBody, validated('json', startRequest), async (c) => {
      const body = c.req.valid('json');
      const site = pageSite(c, deps, body.siteKey);
      headersOf(c)['RateLimit-Policy'] = rateLimitPolicyField(site);
      const caller = callerOf(c, site, `start ${site.id}`, body);
      const { verification, rateLimit } = await verifications.start(
        caller,
        body,
        hostOf(originOf(c, deps.config.publicUrl)),
      );
      if (rateLimit) headersOf(c).RateLimit = rateLimitField(rateLimit);
      return answer(c, verification, 201);
    })

    .post('/:id/resend', jsonBody, validated('json', resendRequest), async (c) => {
      const id = c.req.param('id');
      const body = c.req.valid('json');
      const { site } = holder(c, deps, id);
      headersOf(c)['RateLimit-Policy'] = rateLimitPolicyField(site);
      const caller = callerOf(c, site, `resend ${id}`, body);
      const { verification, rateLimit } = await verifications.resend(caller, id, body);
      if (rateLimit) headersOf(c).RateLimit = rateLimitField(rateLimit);
      return answer(c, verification);
    })

    .post('/:id/check', jsonBody, validated('json', checkRequest), async (c) => {
      const id = c.req.param('id');
      const body = c.req.valid('json');
      const { site, opened } = holder(c, deps, id);
      headersOf(c)['RateLimit-Policy'] = guessPolicyField(site);
      const caller = callerOf(c, site, `check ${id}`, body);
      return answer(c, await verifications.check(caller, id, opened, body.code));
    })

    .get('/:id', async (c) => {
      const id = c.req.param('id');
      if (bearerOf(c)?.startsWith('sk_')) {
        const site = backendSite(c, sites);
        const view = isId('vrf', id) ? await verifications.viewForBackend(site, id) : undefined;
        if (!view) throw new Problem('verification-not-found');
        return answer(c, view);
      }
      const { site } = holder(c, deps, id);
      const view = await verifications.viewForPage(site, id);
      if (!view) throw new Problem('verification-not-found');
      return answer(c, view);
    })

    .delete('/:id', async (c) => {
      const id = c.req.param('id');
      const { site } = holder(c, deps, id);
      if (!(await verifications.cancel(site, id))) throw new Problem('verification-not-found');
      return answerWith(c, null, { status: 204 });
    });
}

/** The host that browsers match the message's origin line with: without scheme and port. */
const hostOf = (origin: string | undefined): string | null =>
  origin !== undefined && URL.canParse(origin) ? new URL(origin).hostname || null : null;
