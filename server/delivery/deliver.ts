/**
 * Hands one message to the provider and records what became of it.
 *
 *     const settled = await deliver({ delivery, verification, phone, code, site });
 *     settled.status;   // 'sent', 'failed', or still 'queued' when nobody knows
 *
 * The delivery's row was written before (in the step that decided to send), so that a receipt or a
 * crash always finds it.
 */
import type { Clock } from '../clock.ts';
import type { SiteConfig } from '../config.ts';
import type { Log } from '../log.ts';
import { purposeOf } from '../sites.ts';
import type { Delivery, Store, Verification } from '../store/store.ts';
import { renderMessage } from './messages/index.ts';
import type { Provider } from './provider.ts';

export type Deliver = (order: {
  delivery: Delivery;
  verification: Verification;
  /** E.164. */
  phone: string;
  code: string;
  site: SiteConfig;
}) => Promise<Delivery>;

export function createDeliver({
  provider,
  store,
  clock,
  log,
}: {
  provider: Provider;
  store: Store;
  clock: Clock;
  log: Log;
}): Deliver {
  return async ({ delivery, verification, phone, code, site }) => {
    const startedAt = clock();
    const outcome = await provider.send({
      reference: delivery.id,
      channel: delivery.channel,
      to: phone,
      originator: purposeOf(site, verification.purpose)?.originator ?? site.originator,
      body: renderMessage({
        locale: verification.locale ?? 'en',
        purpose: verification.purpose,
        brand: site.brand,
        code,
        ...(verification.transaction && { transaction: verification.transaction }),
        ...(verification.host !== null && { host: verification.host }),
      }),
      code,
      validitySeconds: Math.max(1, Math.ceil((verification.expiresAt - startedAt) / 1_000)),
    });
    const at = clock();
    const fields = {
      delivery: delivery.id,
      verification: verification.id,
      site: site.id,
      purpose: verification.purpose,
      provider: provider.name,
      country: verification.country,
      tookMs: at - startedAt,
    };

    if (outcome.kind === 'unknown') {
      // It may have been sent: it stays queued, and the person may ask again after the usual wait.
      log.warn({ event: 'delivery.unknown', ...fields, reason: outcome.reason });
      return delivery;
    }
    const settled: Delivery =
      outcome.kind === 'accepted'
        ? { ...delivery, status: 'sent', providerReference: outcome.providerReference, at }
        : { ...delivery, status: 'failed', reason: outcome.reason, at };
    if (outcome.kind === 'accepted') log.info({ event: 'delivery.sent', ...fields });
    else log.warn({ event: 'delivery.refused', ...fields, reason: outcome.reason });

    // The message is out (or surely not): a store that fails now must not turn that into another answer.
    await store
      .settleDelivery({
        verificationId: verification.id,
        deliveryId: settled.id,
        status: settled.status,
        providerReference: settled.providerReference,
        reason: settled.reason,
        at,
        // Nothing was sent, so there is nothing to wait for.
        ...(settled.status === 'failed' && { resendAt: at }),
      })
      .catch((error: unknown) =>
        log.error({ event: 'delivery.not-recorded', ...fields, error: String(error) }),
      );
    return settled;
  };
}
