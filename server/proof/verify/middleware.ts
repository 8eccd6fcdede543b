/** What the ready-made middlewares have in common; each adds only its framework's way to answer. */
import type { ProofClaims } from '../claims.ts';
import type { ProofVerifier } from './index.ts';
import { type Expectations, ProofError } from './verify.ts';

export type MiddlewareOptions = Expectations & {
  purpose: string;
  /** The form field or JSON member that holds the proof. Default: `phone_proof`. */
  field?: string;
};

/** Fixed, or made per request: a nonce or a transaction is known only then. */
export type OptionsFor<Request> =
  | MiddlewareOptions
  | ((request: Request) => MiddlewareOptions | Promise<MiddlewareOptions>);

/** The body of the 403 that a refused request gets. */
export type Refusal = { code: string; detail: string };

/** @throws whatever is not about the proof itself */
export async function checkRequest<Request>(
  verifier: ProofVerifier,
  options: OptionsFor<Request>,
  request: Request,
  body: unknown,
): Promise<{ claims: ProofClaims } | { refusal: Refusal }> {
  const { field = 'phone_proof', ...expected } =
    typeof options === 'function' ? await options(request) : options;
  try {
    const proof = typeof body === 'object' && body !== null ? Reflect.get(body, field) : undefined;
    return { claims: await verifier.verify(proof, expected) };
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    return { refusal: { code: error.code, detail: error.message } };
  }
}
