/**
 * A Fastify hook that lets a request through only with a genuine proof; others get 403 `{ code }`.
 *
 *     declare module 'fastify' { interface FastifyRequest { proof?: ProofClaims } }
 *     app.decorateRequest('proof');
 *     app.post('/signup', { preHandler: requireProof(verifier, { purpose: 'registration' }) }, async (request) => {
 *       const { phone_number } = request.proof;
 *     });
 *
 * It reads `request.body`: JSON by itself, forms with `@fastify/formbody`.
 */
import type { ProofClaims } from '../claims.ts';
import type { ProofVerifier } from './index.ts';
import { checkRequest, type OptionsFor } from './middleware.ts';

/** The parts of Fastify that this needs: no dependency for those who use something else. */
type Request = { body?: unknown; proof?: ProofClaims };
type Reply = { code(status: number): { send(body: object): unknown } };

export function requireProof<R extends Request>(
  verifier: ProofVerifier,
  options: OptionsFor<R>,
): (request: R, reply: Reply) => Promise<unknown> {
  return async (request, reply) => {
    const checked = await checkRequest(verifier, options, request, request.body);
    if ('refusal' in checked) return reply.code(403).send(checked.refusal);
    request.proof = checked.claims;
    return undefined;
  };
}
