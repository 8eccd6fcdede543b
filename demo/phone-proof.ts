/**
 * Everything this shop's backend needs to talk to the verifier: check a proof, spend it, prepare an intent.
 *
 *     const claims = await phoneProof.verify(token, { purpose: 'registration', nonce });
 *     await phoneProof.redeem(token, { purpose: 'registration' });
 *     const { intent } = await phoneProof.createIntent({ phone: person.phone, purpose: 'login', subject: person.id });
 */
import { createProofVerifier, type Expectations, ProofError } from 'phone-proof/verify';
import { z } from 'zod';
import type { Transaction } from './wallets.ts';

export type IntentRequest = {
  phone: string;
  purpose: string;
  /** Who it is in the shop's own words; comes back as the proof's `sub`. */
  subject: string;
  nonce: string;
  transaction?: Transaction;
};

export type Intent = { token: string; phoneMasked: string; expiresAt: number };

/** The proof is genuine, but the verifier did not let it be used (again). `code` is the verifier's word for it. */
class RedeemRefused extends Error {
  readonly code: string;
  constructor(code: string) {
    super(`The verifier refused the proof: ${code}`);
    this.name = 'RedeemRefused';
    this.code = code;
  }
}

/** The verifier did not answer, or not as agreed. Nothing was accepted and the visitor may try again. */
export class VerifierUnavailable extends Error {
  /** The verifier's own sentence, fit for the visitor. */
  readonly detail: string | undefined;
  constructor(detail?: string, options?: ErrorOptions) {
    super(detail ?? 'The verifier could not be reached', options);
    this.name = 'VerifierUnavailable';
    this.detail = detail;
  }
}

const intentAnswer = z.object({ intent: z.string(), phoneMasked: z.string(), expiresAt: z.iso.datetime() });
const problem = z.object({ code: z.string(), detail: z.string().optional(), reason: z.string().optional() });

const REQUEST_TIMEOUT_MS = 5_000;

export type PhoneProofOptions = {
  verifierUrl: string;
  audience: string;
  secretKey: string;
  fetch?: typeof globalThis.fetch;
};

export function createPhoneProof({
  verifierUrl,
  audience,
  secretKey,
  fetch = globalThis.fetch,
}: PhoneProofOptions) {
  const verifier = createProofVerifier({ issuer: verifierUrl, audience, fetch });

  const post = async (path: string, body: unknown): Promise<{ status: number; json: unknown }> => {
    try {
      const response = await fetch(new URL(path, verifierUrl), {
        method: 'POST',
        headers: { authorization: `Bearer ${secretKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      return { status: response.status, json: await response.json() };
    } catch (cause) {
      throw new VerifierUnavailable(undefined, { cause });
    }
  };

  return {
    /** Signature, issuer, audience, lifetime, purpose, nonce, subject, transaction. Throws `ProofError`. */
    async verify(proof: string, expected: Expectations & { purpose: string }) {
      const claims = await verifier.verify(proof, expected);
      const { phone_number } = claims;
      // A site with `privacy: 'pairwise'` gets a hash in its place; this shop calls its customers.
      if (phone_number === undefined) throw new Error('The demo site must not be configured as pairwise');
      return { ...claims, phone_number };
    },

    /** Spends the proof, once. Whoever comes second with it (a form posted twice, a thief) is refused. */
    async redeem(proof: string, expected: { purpose: string; transaction?: Transaction }): Promise<void> {
      const { status, json } = await post('/v1/proofs/redeem', { proof, ...expected });
      if (status === 200) return;
      const refusal = problem.safeParse(json);
      if (!refusal.success || status >= 500) throw new VerifierUnavailable(refusal.data?.detail);
      throw new RedeemRefused(refusal.data.reason ?? refusal.data.code);
    },

    /** A verification prepared here, so that the page neither sees nor chooses the number. */
    async createIntent(request: IntentRequest): Promise<Intent> {
      const { status, json } = await post('/v1/intents', request);
      if (status !== 201) throw new VerifierUnavailable(problem.safeParse(json).data?.detail);
      const { intent, phoneMasked, expiresAt } = intentAnswer.parse(json);
      return { token: intent, phoneMasked, expiresAt: Date.parse(expiresAt) };
    },
  };
}

export type PhoneProof = ReturnType<typeof createPhoneProof>;
export type ProofClaims = Awaited<ReturnType<PhoneProof['verify']>>;

/** The word for a refused proof, or undefined when the error is about something else. */
export function refusalCode(error: unknown): string | undefined {
  if (isUnavailable(error)) return undefined;
  return error instanceof ProofError || error instanceof RedeemRefused ? error.code : undefined;
}

/** Nothing is wrong with the proof: it just could not be judged now. */
export function isUnavailable(error: unknown): boolean {
  return (
    error instanceof VerifierUnavailable || (error instanceof ProofError && error.code === 'keys-unavailable')
  );
}
