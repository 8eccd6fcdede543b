/**
 * A Hono middleware that lets a request through only with a genuine proof; others get 403 `{ code }`.
 *
 *     app.post('/signup', requireProof(verifier, { purpose: 'registration' }), (c) => {
 *       const { phone_number } = c.get('proof');
 *     });
 */
import type { Context, MiddlewareHandler } from 'hono';
import type { ProofClaims } from '../claims.ts';
import type { ProofVerifier } from './index.ts';
import { checkRequest, type OptionsFor } from './middleware.ts';

export function requireProof(
  verifier: ProofVerifier,
  options: OptionsFor<Context>,
): MiddlewareHandler<{ Variables: { proof: ProofClaims } }> {
  return async (c, next) => {
    const isJson = c.req.header('Content-Type')?.startsWith('application/json');
    // What cannot be read holds no proof.
    const body: unknown = await (isJson ? c.req.json() : c.req.parseBody()).catch(() => undefined);
    const checked = await checkRequest(verifier, options, c, body);
    if ('refusal' in checked) return c.json(checked.refusal, 403);
    c.set('proof', checked.claims);
    return next();
  };
}
