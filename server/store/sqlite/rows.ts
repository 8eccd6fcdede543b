/**
 * Rows to records and back. The tables are this store's own and `STRICT`, so that a row has the shape
 * its statement selects; `rowsOf` and `rowOf` are the one place where that is taken on trust. What is judged
 * by its value is looked at, because a newer release may know more of them.
 */
import type { StatementSync } from 'node:sqlite';
import { channel, deliveryStatus } from '../../contract.ts';
import { storedStatus } from '../kept-answers.ts';
import { oneOf, understood } from '../schema-version.ts';
import type { Delivery, SigningKey, Verification, VerificationFacts } from '../store.ts';

type Value = string | number | null;

export const rowOf = <Row>(statement: StatementSync, ...values: Value[]) =>
  statement.get(...values) as Row | undefined;

export const rowsOf = <Row>(statement: StatementSync, ...values: Value[]) =>
  statement.all(...values) as Row[];

export const parseFacts = <Facts>(json: string): Facts => JSON.parse(json) as Facts;

export type VerificationRow = {
  id: string;
  status: string;
  channel: string;
  attempts_remaining: number;
  resends_remaining: number;
  resend_at: number;
  resend_wait_ms: number;
  approved_at: number | null;
  facts: string;
  deliveries: string;
};

/** With where it lies, and what was answered under idempotency keys that are about it. */
export type FoundVerification = VerificationRow & { row: number; answers: string };

export const toVerification = (row: VerificationRow): Verification => ({
  ...parseFacts<VerificationFacts>(row.facts),
  id: row.id,
  status: oneOf(storedStatus.options, row.status, 'the status of a verification'),
  channel: oneOf(channel.options, row.channel, 'the channel of a verification'),
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

/** As it stands in a verification's row, in the order in which they were handed over. */
export type StoredDelivery = Omit<Delivery, 'verificationId' | 'channel' | 'status'> & {
  channel: string;
  status: string;
};

const toStored = ({ verificationId, ...delivery }: Delivery): StoredDelivery => delivery;

export const parseDeliveries = (json: string): StoredDelivery[] => JSON.parse(json) as StoredDelivery[];

/** @param json of those before it */
export const withDelivery = (delivery: Delivery, json = '[]'): string =>
  JSON.stringify([...parseDeliveries(json), toStored(delivery)]);

export const toDeliveries = (verificationId: string, json: string): Delivery[] =>
  parseDeliveries(json).map((stored) => ({
    ...stored,
    verificationId,
    channel: understood(channel, stored.channel, 'the channel of a delivery'),
    status: understood(deliveryStatus, stored.status, 'the status of a delivery'),
  }));

/** What was answered under idempotency keys, by key: at most one for each guess and each resend. */
type StoredAnswers = Record<string, { fingerprint: string; expiresAt: number; facts: unknown }>;

export const parseAnswers = (json: string): StoredAnswers => JSON.parse(json) as StoredAnswers;

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
