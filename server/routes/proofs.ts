/** `POST /v1/proofs/redeem`: a proof is spent, once. */
import { Hono } from 'hono';
import { redeemRequest } from '../contract.ts';
import { backendSite } from './access.ts';
import { answer } from './answer.ts';
import { jsonBody, validated } from './body.ts';
import type { RouteDeps } from './deps.ts';
import type { Env } from './env.ts';
import { idempotencyOf } from './idempotency.ts';

export const proofRoutes = (deps: RouteDeps) =>
  new Hono<Env>().post('/redeem', jsonBody, validated('json', redeemRequest), async (c) => {
    const site = backendSite(c, deps.sites);
    const body = c.req.valid('json');
    const idempotency = idempotencyOf(c, deps, `redeem ${site.id}`, body);
    return answer(c, await deps.redeem({ site, idempotency, requestId: c.get('requestId') }, body));
  });
