/**
 * An Express middleware that lets a request through only with a genuine proof; others get 403 `{ code }`.
 *
 *     app.post('/signup', express.urlencoded(), requireProof(verifier, { purpose: 'registration' }), (req, res) => {
 *       const { phone_number } = req.proof;
 *     });
 *
 * It reads `req.body`: put `express.urlencoded()` or `express.json()` before it.
 */
import type { ProofClaims } from '../claims.ts';
import type { ProofVerifier } from './index.ts';
import { checkRequest, type OptionsFor } from './middleware.ts';

/** The parts of Express that this needs: no dependency for those who use something else. */
type Request = { body?: unknown; proof?: ProofClaims };
type Response = { status(code: number): { json(body: object): unknown } };

export function requireProof<R extends Request>(
  verifier: ProofVerifier,
  options: OptionsFor<R>,
): (request: R, response: Response, next: (error?: unknown) => void) => Promise<void> {
  return async (request, response, next) => {
    try {
      const checked = await checkRequest(verifier, options, request, request.body);
      if ('refusal' in checked) {
        response.status(403).json(checked.refusal);
        return;
      }
      request.proof = checked.claims;
    } catch (error) {
      next(error);
      return;
    }
    next();
  };
}
