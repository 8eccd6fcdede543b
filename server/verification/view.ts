/**
 * A verification as the page and the backend see it.
 *
 *     const view = pageView({ verification, delivery, phone, policy, now });
 */
import { toTimestamp } from '../clock.ts';
import type { PurposeConfig } from '../config.ts';
import type { BackendVerificationView, VerificationView } from '../contract.ts';
import { Problem } from '../problem.ts';
import { type Delivery, statusAt, type Verification } from '../store/store.ts';

export type Viewed = {
  verification: Verification;
  /** The newest one. */
  delivery: Delivery;
  /** E.164. */
  phone: string;
  phoneMasked: string;
  /** Undefined when the purpose left the configuration in the meantime. */
  policy: PurposeConfig | undefined;
  now: number;
};

export function pageView({
  verification,
  delivery,
  phone,
  phoneMasked,
  policy,
  now,
}: Viewed): VerificationView {
  return {
    id: verification.id,
    status: statusAt(verification, now),
    purpose: verification.purpose,
    channel: verification.channel,
    phone: verification.isPhoneHidden ? null : phone,
    phoneMasked,
    code: verification.code,
    attemptsRemaining: verification.attemptsRemaining,
    expiresAt: toTimestamp(verification.expiresAt),
    delivery: { status: delivery.status, channel: delivery.channel, at: toTimestamp(delivery.at) },
    resend: resendView(verification, policy),
    transaction: verification.transaction,
  };
}

export const resendView = (
  { resendAt, resendsRemaining, channel }: Verification,
  policy: PurposeConfig | undefined,
): VerificationView['resend'] => ({
  at: toTimestamp(resendAt),
  remaining: resendsRemaining,
  channels: policy?.channels ?? [channel],
});

export function backendView(viewed: Viewed, deliveries: Delivery[]): BackendVerificationView {
  const { verification, phone } = viewed;
  return {
    ...pageView(viewed),
    phone,
    subject: verification.subject,
    createdAt: toTimestamp(verification.createdAt),
    approvedAt: verification.approvedAt === null ? null : toTimestamp(verification.approvedAt),
    deliveries: deliveries.map((delivery) => ({
      id: delivery.id,
      status: delivery.status,
      channel: delivery.channel,
      provider: delivery.provider,
      providerReference: delivery.providerReference,
      reason: delivery.reason,
      createdAt: toTimestamp(delivery.createdAt),
      at: toTimestamp(delivery.at),
    })),
  };
}

/** What to answer about a verification that is over. */
export function overProblem(verification: Verification, now: number): Problem {
  const status = statusAt(verification, now);
  return new Problem(status === 'expired' ? 'verification-expired' : 'verification-closed', { status });
}
