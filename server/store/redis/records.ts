/**
 * A verification as a Redis hash and back: what changes stands in fields of its own, the rest in `facts`.
 * Deliveries stand in the same hash, so that one key holds and forgets everything.
 */

import { z } from 'zod';
import { channel as channels, deliveryStatus } from '../../contract.ts';
import { storedStatus } from '../kept-answers.ts';
import { oneOf, understood } from '../schema-version.ts';
import type { Delivery, Verification, VerificationFacts } from '../store.ts';

/** What changes about a verification, what the scripts judge it by, and the rest as `facts`: read in this order. */
export const verificationFieldNames = [
  'status',
  'channel',
  'attempts_remaining',
  'resends_remaining',
  'resend_at',
  'resend_wait_ms',
  'approved_at',
  'expires_at',
  'guesses',
  'facts',
] as const;

const number = z.string().regex(/^\d+$/).transform(Number);
const maybe = z.string().transform((text) => (text === '' ? null : text));

const deliveryFacts = z.object({ channel: channels, provider: z.string(), createdAt: z.int() });

export type Hash = Record<string, string>;

/** @param values in the order of `verificationFieldNames`, as the scripts answer them */
export function toVerification(id: string, values: unknown): Verification {
  if (!Array.isArray(values)) throw new TypeError('a script answered no verification');
  const [status, channel, attempts, resends, resendAt, resendWait, approvedAt, , , facts] = values;
  return {
    ...(JSON.parse(String(facts)) as VerificationFacts),
    id,
    status: oneOf(storedStatus.options, status, 'the status of a verification'),
    channel: oneOf(channels.options, channel, 'the channel of a verification'),
    attemptsRemaining: Number(attempts),
    resendsRemaining: Number(resends),
    resendAt: Number(resendAt),
    resendWaitMs: Number(resendWait),
    approvedAt: approvedAt === null || approvedAt === '' ? null : Number(approvedAt),
  };
}

/** As `HGETALL` answers outside of a script. */
export const valuesOf = (hash: Hash): (string | null)[] =>
  verificationFieldNames.map((name) => hash[name] ?? null);

/** `expires_at` is repeated beside the facts, for the scripts. */
export function verificationFields(verification: Verification): (string | number)[] {
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
  return [
    'status',
    status,
    'channel',
    channel,
    'attempts_remaining',
    attemptsRemaining,
    'resends_remaining',
    resendsRemaining,
    'resend_at',
    resendAt,
    'resend_wait_ms',
    resendWaitMs,
    ...(approvedAt === null ? [] : ['approved_at', approvedAt]),
    'expires_at',
    facts.expiresAt,
    'facts',
    JSON.stringify(facts satisfies VerificationFacts),
  ];
}

export function deliveryFields(delivery: Delivery): (string | number)[] {
  const { id, channel, provider, createdAt, status, at, providerReference, reason } = delivery;
  const field = `delivery:${id}`;
  return [
    field,
    JSON.stringify({ channel, provider, createdAt } satisfies z.infer<typeof deliveryFacts>),
    `${field}:status`,
    status,
    `${field}:at`,
    at,
    ...(providerReference === null ? [] : [`${field}:reference`, providerReference]),
    ...(reason === null ? [] : [`${field}:reason`, reason]),
  ];
}

/** In the order in which they were handed over: the first has no sequence, later ones grow. */
export function toDeliveries(verificationId: string, hash: Hash): Delivery[] {
  return Object.entries(hash)
    .flatMap(([field, value]) => {
      const id = /^delivery:(dlv_[\w-]+)$/.exec(field)?.[1];
      if (id === undefined) return [];
      const delivery: Delivery = {
        id,
        verificationId,
        ...understood(deliveryFacts, JSON.parse(value), 'a delivery'),
        status: understood(deliveryStatus, hash[`${field}:status`], 'the status of a delivery'),
        at: number.parse(hash[`${field}:at`]),
        providerReference: maybe.parse(hash[`${field}:reference`] ?? ''),
        reason: maybe.parse(hash[`${field}:reason`] ?? ''),
      };
      return [{ sequence: Number(hash[`${field}:sequence`] ?? 0), delivery }];
    })
    .toSorted((a, b) => a.sequence - b.sequence)
    .map(({ delivery }) => delivery);
}
