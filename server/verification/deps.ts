/** What the operations of the domain are made from: handed in once, never reached for. */
import type { Clock } from '../clock.ts';
import type { SiteConfig } from '../config.ts';
import type { Deliver } from '../delivery/deliver.ts';
import type { Provider } from '../delivery/provider.ts';
import type { Log } from '../log.ts';
import type { IssueProof } from '../proof/issue.ts';
import { type Keyring, type Secret, SecretGone } from '../secrets.ts';
import type { Idempotency, Store } from '../store/store.ts';

export type Deps = {
  store: Store;
  keyring: Keyring;
  index: Secret;
  clock: Clock;
  log: Log;
  provider: Provider;
  deliver: Deliver;
  issueProof: IssueProof;
  retentionMs: number;
};

/** Who asks, as far as the domain cares. */
export type Caller = {
  requestId: string;
  site: SiteConfig;
  /** The client's network in the clear, for hashing; never stored, never logged. */
  network: string;
  idempotency: Idempotency | null;
};

/** Keyed hash of a site's number: what limits, failed guesses and shards go by. */
export const phoneKeyOf = (index: Secret, siteId: string, phone: string): string =>
  index.macText('limit', 'phone', siteId, phone);

/** 96 bits. */
const NETWORK_KEY_CHARACTERS = 16;

export const networkKeyOf = (index: Secret, network: string): string =>
  index.macText('limit', 'network', network).slice(0, NETWORK_KEY_CHARACTERS);

/** The number behind a record; undefined when nobody can read it any more. */
export function openPhone(
  keyring: Keyring,
  { id, sealedPhone }: { id: string; sealedPhone: string },
): string | undefined {
  try {
    return keyring.open('phone', sealedPhone, id);
  } catch (error) {
    if (error instanceof SecretGone) return undefined;
    throw error;
  }
}
