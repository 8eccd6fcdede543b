/**
 * Redeems a proof: checks it and marks its id, once.
 *
 *     const { active, claims, redeemedAt } = await redeem(caller, { proof, purpose: 'checkout' });
 */
import { type Clock, toTimestamp } from '../clock.ts';
import type { SiteConfig } from '../config.ts';
import type { RedeemRequest } from '../contract.ts';
import type { Log } from '../log.ts';
import { Problem } from '../problem.ts';
import { type Idempotency, type Store, StoreUnavailable } from '../store/store.ts';
import type { ProofClaims } from './claims.ts';
import type { SigningKeys } from './keys.ts';
import { assertExpected, ProofError, verifyWithKeys } from './verify/verify.ts';

export type Redeemed = { active: true; claims: ProofClaims; redeemedAt: string };
export type Redeem = (
  caller: { site: SiteConfig; idempotency: Idempotency | null; requestId: string },
  request: RedeemRequest,
) => Promise<Redeemed>;

/** The mark outlives the proof by an hour, so that no clock's error lets it through again. */
const MARK_MARGIN_MS = 3_600_000;

export function createRedeem({
  store,
  keys,
  issuer,
  clock,
  log,
}: {
  store: Store;
  keys: SigningKeys;
  issuer: string;
  clock: Clock;
  log: Log;
}): Redeem {
  async function verified(site: SiteConfig, { proof, ...expected }: RedeemRequest): Promise<ProofClaims> {
    const context = { keys: keys.forVerifying, issuer, now: new Date(clock()), mayBeExpired: true };
    try {
      const claims = await verifyWithKeys(proof, { ...context, expected: {} });
      if (claims.site !== site.id) throw new Problem('invalid-proof', { reason: 'wrong-site' });
      assertExpected(claims, { audience: site.audience, ...expected });
      return claims;
    } catch (error) {
      if (!(error instanceof ProofError)) throw error;
      if (error.cause instanceof StoreUnavailable) throw error.cause;
      throw invalidProof(error);
    }
  }

  return async ({ site, idempotency, requestId }, request) => {
    const claims = await verified(site, request);
    const now = clock();
    const outcome = await store.redeem({
      now,
      jti: claims.jti,
      expiresAt: claims.exp * 1_000,
      idempotency,
      forgetAt: claims.exp * 1_000 + MARK_MARGIN_MS,
    });
    const fields = {
      requestId,
      site: site.id,
      verification: claims.verification_id,
      purpose: claims.purpose,
    };
    switch (outcome.kind) {
      case 'redeemed':
        log.info({ event: 'proof.redeemed', ...fields });
        return { active: true, claims, redeemedAt: toTimestamp(outcome.redeemedAt) };
      case 'replayed':
        return { active: true, claims, redeemedAt: toTimestamp(outcome.redeemedAt) };
      case 'already-redeemed':
        log.warn({ event: 'proof.redeemed-again', ...fields });
        throw new Problem('proof-redeemed', { redeemedAt: toTimestamp(outcome.redeemedAt) });
      case 'expired':
        throw invalidProof(new ProofError('expired'));
      case 'idempotency-key-reused':
        throw new Problem('idempotency-key-reused');
    }
  };
}

const invalidProof = (error: ProofError) =>
  new Problem('invalid-proof', { reason: error.code }, { detail: capitalized(error.message), cause: error });

const capitalized = (sentence: string) => `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
