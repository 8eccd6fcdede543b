/**
 * Turns an approved verification into its proof.
 *
 *     const issue = createIssuer({ issuer: config.publicUrl, keys, pairwise });
 *     const { proof, expiresAt } = await issue({ verification, phone, site });
 *
 * Everything in it comes from what was stored when the code was accepted: signed again, a proof has the
 * same claims and the same `jti`.
 */
import { hash } from 'node:crypto';
import type { SiteConfig } from '../config.ts';
import type { Secret } from '../secrets.ts';
import { proofTtlOf, purposeOf } from '../sites.ts';
import type { Verification } from '../store/store.ts';
import { PROOF_TYPE, type ProofClaims } from './claims.ts';
import type { SigningKeys } from './keys.ts';
import { signJwt } from './sign.ts';

export type IssueProof = (approved: {
  verification: Verification & { approvedAt: number };
  /** E.164. */
  phone: string;
  site: SiteConfig;
}) => Promise<{ proof: string; expiresAt: number }>;

/** @param pairwise never changes: it makes `phone_hash` */
export function createIssuer({
  issuer,
  keys,
  pairwise,
}: {
  issuer: string;
  keys: SigningKeys;
  pairwise: Secret;
}): IssueProof {
  const phoneHash = (siteId: string, phone: string) => pairwise.macText('pairwise', siteId, phone);

  return async ({ verification, phone, site }) => {
    const key = await keys.current();
    const issuedAt = Math.floor(verification.approvedAt / 1_000);
    const expiresAt = issuedAt + Math.floor(proofTtlOf(site, purposeOf(site, verification.purpose)) / 1_000);
    const claims: ProofClaims = {
      iss: issuer,
      aud: site.audience,
      ...(verification.subject !== null && { sub: verification.subject }),
      iat: issuedAt,
      exp: expiresAt,
      auth_time: issuedAt,
      jti: proofId(verification.id),
      ...(site.privacy === 'pairwise' ? { phone_hash: phoneHash(site.id, phone) } : { phone_number: phone }),
      phone_number_verified: true,
      purpose: verification.purpose,
      site: site.id,
      amr: ['sms', 'otp'],
      ...(verification.nonce !== null && { nonce: verification.nonce }),
      ...(verification.transaction !== null && { transaction: verification.transaction }),
      verification_id: verification.id,
    };
    return { proof: signJwt(key, { typ: PROOF_TYPE }, claims), expiresAt: expiresAt * 1_000 };
  };
}

/** One per verification, whatever secret or key is in use. */
const proofId = (verificationId: string) =>
  `prf_${hash('sha256', `proof of ${verificationId}`, 'base64url').slice(0, 22)}`;
