/** What a proof says, and the one way its header names itself. */
import type { Transaction } from '../contract.ts';

/** RFC 8725 §3.11: an explicit type, so that no other token of the same issuer passes for a proof. */
export const PROOF_TYPE = 'phone-proof+jwt';

export const proofAlgorithms = ['ES256', 'EdDSA', 'RS256'] as const;
export type ProofAlgorithm = (typeof proofAlgorithms)[number];

/** Claims are snake_case; times are NumericDate (seconds). */
export type ProofClaims = {
  iss: string;
  aud: string;
  /** The intent's subject, where there was one. */
  sub?: string;
  iat: number;
  exp: number;
  /** When the code was accepted. */
  auth_time: number;
  /** Derived from the verification: a proof made twice is redeemed once. */
  jti: string;
  /** E.164; absent where the site's privacy is pairwise. */
  phone_number?: string;
  phone_number_verified: true;
  /** In place of `phone_number`: a keyed hash that differs from site to site. */
  phone_hash?: string;
  purpose: string;
  site: string;
  /** RFC 8176. */
  amr: ['sms' | 'tel', 'otp'];
  nonce?: string;
  /** Exactly what the person was shown. */
  transaction?: Transaction;
  verification_id: string;
};
