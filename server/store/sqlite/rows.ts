/**
 * Rows to records and back. The tables are this store's own and `STRICT`, so that a row has the shape
 * its statement selects; `rowsOf` and `rowOf` are the one place where that is taken on trust.
 */
import type { StatementSync } from 'node:sqlite';
import type { Channel, DeliveryStatus } from '../../contract.ts';
import type { Delivery, SigningKey, Verification, VerificationFacts } from '../store.ts';

type Value = string | number | null;

export const rowOf = <Row>(statement: StatementSync, ...values: Value[]) =>
  statement.get(...values) as Row | undefined;

export const rowsOf = <Row>(statement: StatementSync, ...values: Value[]) =>
  statement.all(...values) as Row[];

export const parseFacts = <Facts>(json: string): Facts => JSON.parse(json) as Facts;

export type VerificationRow = {
  id: string;
  status: Verification['status'];
  channel: Channel;
  attempts_remaining: number;
  resends_remaining: number;
  resend_at: number;
  resend_wait_ms: number;
  approved_at: number | null;
  facts: string;
};

export const toVerification = (row: VerificationRow): Verification => ({
  ...parseFacts<VerificationFacts>(row.facts),
  id: row.id,
  status: row.status,
  channel: row.channel,
  attemptsRemaining: row.attempts_remaining,
  resendsRemaining: row.resends_remaining,
  resendAt: row.resend_at,
  resendWaitMs: row.resend_wait_ms,
  approvedAt: row.approved_at,
});

/** The part that never changes, as JSON. */
export function verificationFacts(verification: Verification): string {
  const {
    id,
    status,
    channel,
    attemptsRemaining,
    resendsRemaining,
    resendAt,
    resendWaitMs,
    approvedAt,
    ...facts
  } = verification;
  return JSON.stringify(facts satisfies VerificationFacts);
}

export type DeliveryRow = {
  id: string;
  verification_id: string;
  channel: Channel;
  provider: string;
  status: DeliveryStatus;
  provider_reference: string | null;
  reason: string | null;
  created_at: number;
  at: number;
};

export const toDelivery = (row: DeliveryRow): Delivery => ({
  id: row.id,
  verificationId: row.verification_id,
  channel: row.channel,
  provider: row.provider,
  status: row.status,
  providerReference: row.provider_reference,
  reason: row.reason,
  createdAt: row.created_at,
  at: row.at,
});

export type SigningKeyRow = {
  kid: string;
  algorithm: string;
  public_jwk: string;
  sealed_private_jwk: string;
  created_at: number;
  signs_from: number;
};

export const toSigningKey = (row: SigningKeyRow): SigningKey => ({
  kid: row.kid,
  algorithm: row.algorithm,
  publicJwk: row.public_jwk,
  sealedPrivateJwk: row.sealed_private_jwk,
  createdAt: row.created_at,
  signsFrom: row.signs_from,
});
