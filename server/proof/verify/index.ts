/**
 * What a site's backend imports to check a proof.
 *
 *     import { createProofVerifier } from 'phone-proof/verify';
 *     const verifier = createProofVerifier({ issuer: 'https://verify.shop.example', audience: 'https://shop.example' });
 *     const claims = await verifier.verify(form.get('phone_proof'), { purpose: 'registration' });
 *
 * Runs wherever jose runs (Node, Deno, Bun, workers). Any other JWT library with a JWKS does as well;
 * this one also insists on what is easily forgotten: the purpose, the token's type, pinned algorithms.
 */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type FetchImplementation,
  type JSONWebKeySet,
} from 'jose';
import { assertDefined, type Expectations, verifyWithKeys } from './verify.ts';

export type { ProofClaims } from '../claims.ts';
export { type Expectations, ProofError, type ProofErrorCode } from './verify.ts';

export type ProofVerifierOptions = {
  /** The verifier's public URL: the proof's `iss`. */
  issuer: string;
  /** The site's audience: the proof's `aud`. By default a site's first allowed origin. */
  audience: string;
  /** Where the keys are; `{issuer}/.well-known/jwks.json` when absent. Cached, refetched for unknown keys. */
  jwksUrl?: string | URL;
  /** The keys themselves, in place of fetching them. */
  jwks?: JSONWebKeySet;
  fetch?: FetchImplementation;
};

export type ProofVerifier = {
  /**
   * Resolves to the claims of a genuine, current proof for exactly this purpose.
   *
   * @throws ProofError whose `code` says what is wrong
   */
  verify(proof: unknown, expected: Expectations & { purpose: string }): ReturnType<typeof verifyWithKeys>;
};

export function createProofVerifier(options: ProofVerifierOptions): ProofVerifier {
  const { audience, jwks } = options;
  const issuer = options.issuer.replace(/\/+$/, '');
  const keys = jwks
    ? createLocalJWKSet(jwks)
    : createRemoteJWKSet(new URL(options.jwksUrl ?? `${issuer}/.well-known/jwks.json`), {
        ...(options.fetch && { [customFetch]: options.fetch }),
        cooldownDuration: 5_000,
      });
  return {
    async verify(proof, expected) {
      // A caller without types could leave it out, and would accept a sign-up's proof for a payment.
      if (!expected?.purpose) throw new TypeError('verify() needs the purpose that the proof must be for');
      assertDefined(expected);
      return verifyWithKeys(proof, { keys, issuer, audience, expected });
    },
  };
}
