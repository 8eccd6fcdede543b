/**
 * The configured sites, found by what a request carries.
 *
 *     const site = sites.byPublishableKey('pk_…') ?? sites.bySecretKey('sk_…');
 *     sites.allowsOrigin(site, 'https://shop.example');
 */
import { createHash } from 'node:crypto';
import type { Config, PurposeConfig, SiteConfig } from './config.ts';
import { siteTag } from './verification/client-secret.ts';

export type Sites = ReturnType<typeof createSites>;

export function createSites(config: Config) {
  const byPublishableKey = new Map(config.sites.map((site) => [site.publishableKey, site]));
  // Looked up by hash: how long a comparison takes tells nothing about the key.
  const bySecretKey = new Map(config.sites.map((site) => [sha256(site.secretKey), site]));
  const byTag = new Map(config.sites.map((site) => [siteTag(site.id), site]));
  const byId = new Map(config.sites.map((site) => [site.id, site]));
  const origins = new Set(config.sites.flatMap((site) => site.allowedOrigins));

  return {
    byPublishableKey: (key: string) => byPublishableKey.get(key),
    bySecretKey: (key: string) => bySecretKey.get(sha256(key)),
    /** By what a client secret carries. */
    byTag: (tag: string) => byTag.get(tag),
    byId: (id: string) => byId.get(id),
    /** Before the site is known (a preflight): is it an origin of any? */
    isKnownOrigin: (origin: string) => origins.has('*') || origins.has(origin),
    allowsOrigin: (site: SiteConfig, origin: string) =>
      site.allowedOrigins.includes('*') || site.allowedOrigins.includes(origin),
  };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');

/** A purpose's policy, where the site has that purpose. */
export const purposeOf = (site: SiteConfig, name: string): PurposeConfig | undefined =>
  Object.hasOwn(site.purposes, name) ? site.purposes[name] : undefined;

/** The countries whose numbers a purpose takes; null for all. */
export const countriesOf = (site: SiteConfig, purpose: PurposeConfig): readonly string[] | null =>
  purpose.countries ?? site.countries ?? null;

export const proofTtlOf = (site: SiteConfig, purpose: PurposeConfig | undefined): number =>
  purpose?.proofTtl ?? site.proofTtl;
