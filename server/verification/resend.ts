/**
 * Sends the same code again. Guesses and expiry stay as they were: a resend buys time, never tries.
 *
 *     const { verification, rateLimit } = await resend(caller, 'vrf_…', { channel: 'sms' });
 */
import { toTimestamp } from '../clock.ts';
import type { Channel, VerificationView } from '../contract.ts';
import { tightest, tooManyRequests } from '../guard/limits.ts';
import { Problem, type RateLimitState } from '../problem.ts';
import { purposeOf } from '../sites.ts';
import { type Caller, type Deps, openPhone } from './deps.ts';
import { channelOf, type Sender, viewAtSend } from './send.ts';
import { overProblem, resendView } from './view.ts';

export type Resent = { verification: VerificationView; rateLimit: RateLimitState | undefined };

export function createResend(deps: Deps, sender: Sender) {
  const { store, keyring, clock, log } = deps;

  return async function resend(
    caller: Caller,
    id: string,
    request: { channel?: Channel | undefined },
  ): Promise<Resent> {
    const { site, idempotency, requestId } = caller;
    const found = await store.find(id);
    const policy = found && purposeOf(site, found.verification.purpose);
    const phone = found && openPhone(keyring, found.verification);
    if (!found || !policy || phone === undefined) throw new Problem('verification-not-found');
    const { phoneKey } = found.verification;
    const channel = request.channel ? channelOf(policy, request.channel) : found.verification.channel;
    const now = clock();

    const delivery = sender.newDelivery(id, phoneKey, channel, now);
    const { charges } = sender.chargesFor(caller, phoneKey);
    const step = store.resend({ now, id, delivery, charges, idempotency });
    const outcome = await sender.decided(delivery, step);

    switch (outcome.kind) {
      case 'resent': {
        const { verification } = outcome;
        log.info({ event: 'verification.resent', requestId, verification: id, site: site.id, channel });
        const settled = await sender.deliver({ delivery, verification, phone, site });
        const view = viewAtSend({ verification, facts: verification, delivery: settled, phone, policy });
        return { verification: sender.answer(view, settled), rateLimit: tightest(outcome.charges, now) };
      }
      case 'replayed': {
        const { verification, facts } = outcome;
        const settled = await sender.settled({ verification, phone, site }, facts.deliveryId);
        if (!settled) throw new Problem('unavailable');
        const view = viewAtSend({ verification, facts, delivery: settled, phone, policy });
        return { verification: sender.answer(view, settled), rateLimit: undefined };
      }
      case 'too-early': {
        const { resendAt } = outcome.verification;
        const seconds = Math.max(1, Math.ceil((resendAt - now) / 1_000));
        throw new Problem(
          'resend-too-early',
          { resend: resendView(outcome.verification, policy) },
          { detail: `Wait ${seconds} seconds: until ${toTimestamp(resendAt)}.`, retryAfterSeconds: seconds },
        );
      }
      case 'exhausted':
        throw new Problem('resends-exhausted', { resend: resendView(outcome.verification, policy) });
      case 'limited':
        log.warn({
          event: 'verification.limited',
          requestId,
          site: site.id,
          verification: id,
          scope: outcome.scope,
        });
        throw tooManyRequests(outcome, now);
      case 'expired':
      case 'closed':
        throw overProblem(outcome.verification, now);
      case 'missing':
        throw new Problem('verification-not-found');
      case 'idempotency-key-reused':
        throw new Problem('idempotency-key-reused');
    }
  };
}
