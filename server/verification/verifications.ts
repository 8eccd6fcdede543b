/**
 * The domain in one object: everything that can be done with a verification.
 *
 *     const verifications = createVerifications(deps);
 *     await verifications.start(caller, { siteKey, phone: '06 1234 5678', country: 'NL', purpose: 'login' }, host);
 *     await verifications.check(caller, id, opened, '123456');
 *
 * No HTTP, no SQL and no vendor in here: routes call it, the store and the provider are handed in.
 */
import type { SiteConfig } from '../config.ts';
import { maskPhone } from '../guard/phone-number.ts';
import { purposeOf } from '../sites.ts';
import { createCheck } from './check.ts';
import { type Deps, openPhone } from './deps.ts';
import { createIntents } from './intents.ts';
import { createResend } from './resend.ts';
import { createSender } from './send.ts';
import { createStart } from './start.ts';
import { backendView, pageView } from './view.ts';

export function createVerifications(deps: Deps) {
  const { store, keyring, clock, log } = deps;
  const sender = createSender(deps);

  /** Undefined when there is none of this id on this site. */
  async function find(site: SiteConfig, id: string) {
    const found = await store.find(id);
    const newest = found?.deliveries.at(-1);
    const phone = found && openPhone(keyring, found.verification);
    if (!found || !newest || phone === undefined || found.verification.siteId !== site.id) return undefined;
    const { verification, deliveries } = found;
    const policy = purposeOf(site, verification.purpose);
    const viewed = {
      verification,
      delivery: newest,
      phone,
      phoneMasked: maskPhone(phone),
      policy,
      now: clock(),
    };
    return { deliveries, viewed };
  }

  return {
    start: createStart(deps, sender),
    resend: createResend(deps, sender),
    check: createCheck(deps),
    intents: createIntents(deps),

    async cancel(site: SiteConfig, id: string): Promise<boolean> {
      const isKnown = await store.cancel(id, clock());
      if (isKnown) log.info({ event: 'verification.canceled', verification: id, site: site.id });
      return isKnown;
    },

    async viewForPage(site: SiteConfig, id: string) {
      const found = await find(site, id);
      return found && pageView(found.viewed);
    },

    async viewForBackend(site: SiteConfig, id: string) {
      const found = await find(site, id);
      return found && backendView(found.viewed, found.deliveries);
    },
  };
}

export type Verifications = ReturnType<typeof createVerifications>;
