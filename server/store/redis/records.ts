/**
 * A verification as a Redis hash and back: what changes stands in fields of its own, the rest in `facts`.
 * Deliveries stand in the same hash, so that one key holds and forgets everything.
 */

import { z } from 'zod';
import { channel, deliveryStatus } from '../../contract.ts';
import type { Delivery, Verification, VerificationFacts } from '../store.ts';

const number = z.string().regex(/^\d+$/).transform(Number);
const maybe = z.string().transform((text) => (text === '' ? null : text));

const verificationHash = z.object({
  id: z.string(),
  status: z.enum(['pending', 'approved', 'failed', 'canceled']),
  channel,
  attempts_remaining: number,
  resends_remaining: number,
  resend_at: number,
  resend_wait_ms: number,
  approved_at: z.string().transform((text) => (text === '' ? null : Number(text))),
  facts: z.string(),
});

const deliveryFacts = z.object({ channel, provider: z.string(), createdAt: z.int() });

export type Hash = Record<string, string>;

const flatHash = z.array(z.string());

/** As HGETALL answers inside a script: field, value, field, value … */
export function hashOf(flat: unknown): Hash {
  const list = flatHash.parse(flat);
  const hash: Hash = {};
  for (let i = 0; i < list.length; i += 2) hash[list[i] ?? ''] = list[i + 1] ?? '';
  return hash;
}

export function toVerification(hash: Hash): Verification {
  const row = verificationHash.parse(hash);
  return {
    ...(JSON.parse(row.facts) as VerificationFacts),
    id: row.id,
    status: row.status,
    channel: row.channel,
    attemptsRemaining: row.attempts_remaining,
    resendsRemaining: row.resends_remaining,
    resendAt: row.resend_at,
    resendWaitMs: row.resend_wait_ms,
    approvedAt: row.approved_at,
  };
}

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
    'id',
    id,
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
    'approved_at',
    approvedAt ?? '',
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
    `${field}:reference`,
    providerReference ?? '',
    `${field}:reason`,
    reason ?? '',
  ];
}

/** In the order in which they were handed over: the first has no sequence, later ones grow. */
export function toDeliveries(hash: Hash): Delivery[] {
  return Object.entries(hash)
    .flatMap(([field, value]) => {
      const id = /^delivery:(dlv_[\w-]+)$/.exec(field)?.[1];
      if (id === undefined) return [];
      const delivery: Delivery = {
        id,
        verificationId: hash.id ?? '',
        ...deliveryFacts.parse(JSON.parse(value)),
        status: deliveryStatus.parse(hash[`${field}:status`]),
        at: number.parse(hash[`${field}:at`]),
        providerReference: maybe.parse(hash[`${field}:reference`]),
        reason: maybe.parse(hash[`${field}:reason`]),
      };
      return [{ sequence: Number(hash[`${field}:sequence`] ?? 0), delivery }];
    })
    .toSorted((a, b) => a.sequence - b.sequence)
    .map(({ delivery }) => delivery);
}
