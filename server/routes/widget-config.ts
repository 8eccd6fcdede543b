/** `GET /v1/widget-config`: what the element shows before anything is typed. */
import { Hono } from 'hono';
import { getCountries } from 'libphonenumber-js/max';
import type { PurposeConfig, SiteConfig } from '../config.ts';
import { type WidgetConfig, widgetConfigQuery } from '../contract.ts';
import { Problem } from '../problem.ts';
import { countriesOf, purposeOf } from '../sites.ts';
import { malformed } from '../verification/send.ts';
import { pageOrigins, pageSite } from './access.ts';
import { answer, headersOf } from './answer.ts';
import { validated } from './body.ts';
import type { RouteDeps } from './deps.ts';
import type { Env } from './env.ts';

const CACHE_SECONDS = 300;

export const widgetConfigRoutes = (deps: RouteDeps) =>
  new Hono<Env>()
    .use(pageOrigins(deps.sites, 'GET'))
    .get('/', validated('query', widgetConfigQuery), async (c) => {
      const query = c.req.valid('query');
      const site = pageSite(c, deps, query.siteKey);
      if (query.intent === undefined) {
        headersOf(c)['Cache-Control'] = `public, max-age=${CACHE_SECONDS}`;
        return answer(c, describe(site, query.purpose));
      }
      const intent = await deps.verifications.intents.describe(site, query.intent);
      if (!intent) throw new Problem('intent-not-found');
      const { purpose, phoneMasked, transaction } = intent;
      return answer(c, {
        ...describe(site, purpose),
        intent: { phoneMasked, ...(transaction && { transaction }) },
      } satisfies WidgetConfig);
    });

/** Without a purpose the site's most general answer: what holds for any of its purposes. */
function describe(site: SiteConfig, purposeName: string | undefined): WidgetConfig {
  const named = purposeName === undefined ? undefined : purposeOf(site, purposeName);
  if (purposeName !== undefined && !named) throw malformed('purpose', 'this site has no such purpose');
  const purpose = named ?? Object.values(site.purposes)[0];
  const countries = purpose && countriesOf(site, purpose);
  return {
    brand: site.brand,
    countries: [...(countries ?? getCountries())],
    defaultCountry: site.defaultCountry ?? null,
    purpose: purposeName ?? null,
    code: purpose?.code ?? defaultCode,
    channels: purpose?.channels ?? ['sms'],
    ...(site.termsUrl !== undefined && { termsUrl: site.termsUrl }),
    ...(site.privacyUrl !== undefined && { privacyUrl: site.privacyUrl }),
  };
}

const defaultCode: PurposeConfig['code'] = { length: 6, alphabet: 'numeric' };
