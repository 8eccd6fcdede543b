/**
 * What is kept of an answer so that it can be built again, and the values that are judged when they are
 * read, as zod schemas. Both stores parse with them, because a newer release may have written it.
 *
 *     const facts = understood(keptCheck, JSON.parse(row.facts), 'an earlier answer');
 */
import { z } from 'zod';
import { channel } from '../contract.ts';
import type { CheckFacts, SendFacts, Verification } from './store.ts';

export const storedStatus = z.enum(['pending', 'approved', 'failed', 'canceled']) satisfies z.ZodType<
  Verification['status']
>;

export const keptSend = z.object({
  deliveryId: z.string(),
  channel,
  attemptsRemaining: z.number(),
  resendsRemaining: z.number(),
  resendAt: z.number(),
}) satisfies z.ZodType<SendFacts>;

export const keptStart = keptSend.extend({ verificationId: z.string() });

export const keptCheck = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('approved') }),
  z.object({
    kind: z.literal('incorrect'),
    attemptsRemaining: z.number(),
    status: z.enum(['pending', 'failed']),
  }),
]) satisfies z.ZodType<CheckFacts>;

export const keptRedeem = z.object({ redeemedAt: z.number() });
