/**
 * Intents: a site's backend names the number, so that the page neither learns nor chooses it.
 *
 *     const { intent, phoneMasked } = await intents.create(site, { phone: user.phone, purpose: 'login', subject: user.id });
 */
import { toTimestamp } from '../clock.ts';
import type { SiteConfig } from '../config.ts';
import type { IntentRequest } from '../contract.ts';
import { assertReachable, maskPhone, parsePhone } from '../guard/phone-number.ts';
import { countriesOf, purposeOf } from '../sites.ts';
import type { Intent } from '../store/store.ts';
import { type Deps, openPhone, phoneKeyOf } from './deps.ts';
import { isId, newId, shardOf } from './ids.ts';
import { malformed } from './send.ts';

export function createIntents({ store, keyring, index, clock, retentionMs }: Deps) {
  return {
    /** @throws Problem `malformed-request`, `invalid-phone`, `number-type-not-allowed`, `country-not-allowed` */
    async create(site: SiteConfig, request: IntentRequest) {
      const policy = purposeOf(site, request.purpose);
      if (!policy) throw malformed('purpose', 'this site has no such purpose');
      if (policy.requiresTransaction && !request.transaction) {
        throw malformed('transaction', 'this purpose needs a transaction with amount, currency and payee');
      }
      const phone = parsePhone(request.phone, request.country);
      assertReachable(phone, { countries: countriesOf(site, policy) });
      const now = clock();
      const id = newId('int', shardOf(phoneKeyOf(index, site.id, phone.e164)));
      const ttlMs = request.expiresIn === undefined ? policy.intentTtl : request.expiresIn * 1_000;
      const intent: Intent = {
        id,
        siteId: site.id,
        purpose: request.purpose,
        sealedPhone: keyring.seal('phone', phone.e164, id),
        subject: request.subject ?? null,
        transaction: request.transaction ?? null,
        nonce: request.nonce ?? null,
        locale: request.locale ?? null,
        createdAt: now,
        expiresAt: now + ttlMs,
      };
      await store.addIntent(intent, Math.max(intent.expiresAt, now + retentionMs));
      return { intent: id, phoneMasked: phone.masked, expiresAt: toTimestamp(intent.expiresAt) };
    },

    /** What the page may know of it. Undefined when it is not this site's, or over. */
    async describe(site: SiteConfig, id: string) {
      const intent = isId('int', id) ? await store.findIntent(id) : undefined;
      if (!intent || intent.siteId !== site.id || intent.expiresAt <= clock()) return undefined;
      const phone = openPhone(keyring, intent);
      if (phone === undefined) return undefined;
      return { purpose: intent.purpose, phoneMasked: maskPhone(phone), transaction: intent.transaction };
    },
  };
}
