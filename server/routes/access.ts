/**
 * Who may call: pages by publishable key and origin, browsers by client secret, backends by secret key.
 *
 *     const site = pageSite(c, deps, body.siteKey);         // 401 invalid-key, 403 origin-not-allowed
 *     const { site, opened } = holder(c, deps, id);         // 404 verification-not-found
 *     const site = backendSite(c, sites);                   // 401 invalid-key
 */
import { createMiddleware } from 'hono/factory';
import type { SiteConfig } from '../config.ts';
import { Problem } from '../problem.ts';
import type { Keyring } from '../secrets.ts';
import type { Sites } from '../sites.ts';
import { type OpenedClientSecret, openClientSecret } from '../verification/client-secret.ts';
import { isId } from '../verification/ids.ts';
import { answerWith, headersOf } from './answer.ts';
import type { AppContext, Env } from './env.ts';

const PREFLIGHT_SECONDS = 7_200;
const EXPOSED = 'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy';

/**
 * Cross-origin answers for pages. Before a request is read its site is unknown, so that here an origin
 * of any site will do; `pageSite` and `holder` insist on the right one and take the permission back.
 */
export const pageOrigins = (sites: Sites, methods: string) =>
  createMiddleware<Env>(async (c, next) => {
    const origin = c.req.header('Origin');
    const headers = headersOf(c);
    headers.Vary = 'Origin';
    const isKnown = origin !== undefined && sites.isKnownOrigin(origin);
    if (isKnown) {
      headers['Access-Control-Allow-Origin'] = origin;
      headers['Access-Control-Expose-Headers'] = EXPOSED;
    }
    if (c.req.method === 'OPTIONS') {
      if (!isKnown) throw new Problem('origin-not-allowed');
      headers['Access-Control-Allow-Methods'] = methods;
      headers['Access-Control-Allow-Headers'] = 'Authorization, Content-Type, Idempotency-Key';
      headers['Access-Control-Max-Age'] = String(PREFLIGHT_SECONDS);
      return answerWith(c, null, { status: 204 });
    }
    return next();
  });

/** The page's origin. Browsers leave it out of same-origin GETs, and say so in Sec-Fetch-Site or Referer. */
export function originOf(c: AppContext, publicUrl: string): string | undefined {
  const origin = c.req.header('Origin');
  if (origin !== undefined || c.req.method !== 'GET') return origin;
  const referer = c.req.header('Referer');
  const own = new URL(publicUrl).origin;
  if (c.req.header('Sec-Fetch-Site') === 'same-origin') return own;
  return referer !== undefined && URL.canParse(referer) && new URL(referer).origin === own ? own : undefined;
}

type Access = { sites: Sites; config: { publicUrl: string } };

/** @throws Problem `origin-not-allowed` */
function assertOrigin(c: AppContext, { sites, config }: Access, site: SiteConfig): void {
  const origin = originOf(c, config.publicUrl);
  const isAllowed = origin === undefined ? site.allowMissingOrigin : sites.allowsOrigin(site, origin);
  if (isAllowed) return;
  delete headersOf(c)['Access-Control-Allow-Origin'];
  throw new Problem('origin-not-allowed');
}

export function pageSite(c: AppContext, access: Access, publishableKey: string): SiteConfig {
  const site = access.sites.byPublishableKey(publishableKey);
  if (!site) throw new Problem('invalid-key');
  assertOrigin(c, access, site);
  return site;
}

export type Holder = { site: SiteConfig; opened: OpenedClientSecret };

/** The browser that started a verification. Anybody else learns nothing, not even that it exists. */
export function holder(c: AppContext, access: Access & { keyring: Keyring }, id: string): Holder {
  const { sites, keyring } = access;
  const opened = isId('vrf', id) ? openClientSecret(keyring, id, bearerOf(c) ?? '') : undefined;
  const site = opened && sites.byTag(opened.siteTag);
  if (!opened || !site) throw new Problem('verification-not-found');
  assertOrigin(c, access, site);
  return { site, opened };
}

export function backendSite(c: AppContext, sites: Sites): SiteConfig {
  const site = sites.bySecretKey(bearerOf(c) ?? '');
  if (!site) throw new Problem('invalid-key');
  return site;
}

export function bearerOf(c: AppContext): string | undefined {
  return /^Bearer +(\S+)$/i.exec(c.req.header('Authorization') ?? '')?.[1];
}
