/**
 * From a config to a running server, and back down without losing a request.
 *
 *     const server = await startServer({ config: parseConfig(file, process.env) });
 *     console.log(server.url);
 *     await server.close();   // readyz fails, requests in flight finish, the store is closed
 */
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createAdaptorServer } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import { createApp } from './app.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { trackConnections } from './connections.ts';
import { createDeliver } from './delivery/deliver.ts';
import type { Provider } from './delivery/provider.ts';
import { createMessageBird } from './delivery/providers/messagebird.ts';
import { createSimulator, type Simulator } from './delivery/providers/simulator.ts';
import { clientNetwork } from './guard/client-network.ts';
import { loadKeptKeys } from './kept-keys.ts';
import { createLog, type Log } from './log.ts';
import { createIssuer } from './proof/issue.ts';
import { loadSigningKeys, type SigningKeys } from './proof/keys.ts';
import { createRedeem } from './proof/redeem.ts';
import type { AppContext } from './routes/env.ts';
import { createKeyring, type Keyring } from './secrets.ts';
import { createSites, proofTtlOf } from './sites.ts';
import { inDataDir, openStore } from './store/open.ts';
import type { Store } from './store/store.ts';
import { createSweep } from './sweeping.ts';
import { createVerifications } from './verification/verifications.ts';

export type ServerOptions = {
  config: Config;
  clock?: Clock;
  log?: Log;
  /** In place of the configured one: what a bench measures without a vendor. */
  provider?: Provider;
  /** The folder of the built element; the package's own when absent. */
  elementDir?: string;
  /** Further entries of the root page. */
  links?: { href: string; text: string }[];
  /** One of several processes on one port: the one that started them speaks for all. */
  isWorker?: boolean;
};

export type RunningServer = {
  /** Where it listens, on this machine. */
  url: string;
  port: number;
  keys: SigningKeys;
  store: Store;
  /** Stops accepting, lets requests in flight finish (at most `GRACE_MS`), then closes everything. */
  close(): Promise<void>;
};

/** Where the kernel deals out the connections to a port on which several processes listen; elsewhere Node does. */
const CAN_SHARE_PORT = ['linux', 'freebsd', 'dragonfly', 'sunos', 'aix'].includes(process.platform);
const SWEEP_INTERVAL_MS = 10_000;
/** How soon this process notices a key that another one added, and that it is time for the next. */
const KEY_REFRESH_INTERVAL_MS = 30_000;
/** Longer than any provider's deadline together with the rest of a request. */
const GRACE_MS = 35_000;

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const store = await openStore(options.config, { isKept: options.isWorker ?? false });
  try {
    return await startOn(store, options);
  } catch (error) {
    // A connection that stays open would keep the process from ending.
    await store.close();
    throw error;
  }
}

async function startOn(store: Store, options: ServerOptions): Promise<RunningServer> {
  const { config, clock = Date.now, isWorker = false } = options;
  const log = options.log ?? createLog(config.logLevel);
  const keyring = createKeyring(config.secrets);
  const keys = await loadKeys(config, store, keyring, clock, log);
  const { index, pairwise, refresh: refreshKeptKeys } = await loadKeptKeys(store, keyring);

  const { provider, simulator } = options.provider
    ? { provider: options.provider, simulator: undefined }
    : createProvider(config, clock);

  const sites = createSites(config);
  const verifications = createVerifications({
    store,
    keyring,
    clock,
    log,
    provider,
    deliver: createDeliver({ provider, store, clock, log }),
    issueProof: createIssuer({ issuer: config.publicUrl, keys, pairwise }),
    index,
    retentionMs: config.retention,
  });

  let isDraining = false;
  const app = createApp({
    config,
    sites,
    store,
    keyring,
    index,
    keys,
    clock,
    log,
    verifications,
    redeem: createRedeem({ store, keys, issuer: config.publicUrl, clock, log }),
    simulator,
    networkOf: networkFrom(clientNetwork(config.trustedProxies)),
    isDraining: () => isDraining,
    elementDir: options.elementDir ?? builtElementDir(),
    links: options.links ?? [],
  });

  const server = createAdaptorServer({ fetch: app.fetch });
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = config.keepAlive;
  const connections = trackConnections(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const { port, host } = config;
    server.listen({ port, host, reusePort: isWorker && CAN_SHARE_PORT }, () => resolve());
  });
  const { port } = addressOf(server.address());

  const timers = [
    every(SWEEP_INTERVAL_MS, 'sweep', createSweep({ store, clock, isOver: () => isDraining })),
    every(KEY_REFRESH_INTERVAL_MS, 'keys', () => keys.refresh().then(() => refreshKeptKeys(log))),
  ];
  function every(ms: number, task: string, run: () => Promise<unknown>) {
    const timer = setInterval(() => {
      run().catch((error: unknown) => log.error({ event: 'upkeep.failed', task, error: String(error) }));
    }, ms);
    timer.unref();
    return timer;
  }

  const url = `http://localhost:${port}`;
  if (!isWorker) {
    log.info({ event: 'server.started', port, publicUrl: config.publicUrl, provider: provider.name });
  }

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    isDraining = true;
    if (!isWorker) log.info({ event: 'server.draining' });
    for (const timer of timers) clearInterval(timer);
    if (config.drainDelay > 0) await delay(config.drainDelay);
    const cut = setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), GRACE_MS);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    connections.drain();
    await closed;
    clearTimeout(cut);
    provider.close();
    await store.close();
    if (!isWorker) log.info({ event: 'server.stopped' });
  }

  return {
    url,
    port,
    keys,
    store,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** Opens the store and the keys alone, as the command line's key commands need them. */
export function loadKeys(
  config: Config,
  store: Store,
  keyring: Keyring,
  clock: Clock,
  log: Log = createLog('silent'),
): Promise<SigningKeys> {
  const proofMs = Math.max(
    ...config.sites.flatMap((site) => [
      site.proofTtl,
      ...Object.values(site.purposes).map((purpose) => proofTtlOf(site, purpose)),
    ]),
  );
  return loadSigningKeys({
    store,
    keyring,
    clock,
    log,
    algorithm: config.proof.algorithm,
    overlapMs: config.proof.keyOverlap,
    rotationMs: config.proof.keyRotation,
    proofMs,
  });
}

function createProvider(
  config: Config,
  clock: Clock,
): { provider: Provider; simulator: Simulator | undefined } {
  const { delivery } = config;
  switch (delivery.provider) {
    case 'messagebird': {
      const { accessKey, timeout } = delivery;
      return { provider: createMessageBird({ accessKey, deadlineMs: timeout }), simulator: undefined };
    }
    case 'simulator': {
      const simulator = createSimulator({ clock, file: inDataDir(config.dataDir, 'simulator.sqlite') });
      return { provider: simulator, simulator };
    }
  }
}

const networkFrom = (networkOf: ReturnType<typeof clientNetwork>) => (c: AppContext) =>
  networkOf(remoteAddressOf(c), c.req.header('X-Forwarded-For'));

/** Undefined where a request came over no socket, as in `app.request()`. */
function remoteAddressOf(c: AppContext): string | undefined {
  try {
    return getConnInfo(c).remote.address;
  } catch {
    return undefined;
  }
}

/** `dist/widget`, seen from the sources and from the package alike. */
function builtElementDir(): string {
  const fromPackage = fileURLToPath(new URL('../widget', import.meta.url));
  return existsSync(join(fromPackage, 'phone-proof.js'))
    ? fromPackage
    : fileURLToPath(new URL('../dist/widget', import.meta.url));
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return address;
}
