/** What the routes are made from. */
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Simulator } from '../delivery/providers/simulator.ts';
import type { Log } from '../log.ts';
import type { SigningKeys } from '../proof/keys.ts';
import type { Redeem } from '../proof/redeem.ts';
import type { Keyring, Secret } from '../secrets.ts';
import type { Sites } from '../sites.ts';
import type { Store } from '../store/store.ts';
import type { Verifications } from '../verification/verifications.ts';
import type { AppContext } from './env.ts';

export type RouteDeps = {
  config: Config;
  sites: Sites;
  store: Store;
  keyring: Keyring;
  index: Secret;
  keys: SigningKeys;
  clock: Clock;
  log: Log;
  verifications: Verifications;
  redeem: Redeem;
  /** Only where messages go to the simulator. */
  simulator: Simulator | undefined;
  networkOf: (c: AppContext) => string;
  /** True once the server is shutting down: readyz fails, connections are not kept. */
  isDraining: () => boolean;
  /** The folder of the built element. */
  elementDir: string;
  /** Further entries of the root page, such as a demo. */
  links: { href: string; text: string }[];
};
