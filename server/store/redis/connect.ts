/**
 * From a URL to a connection: one server, Sentinel, or Cluster, with or without TLS.
 *
 *     const { redis, explain } = await connectRedis('redis://:password@10.0.0.5:6379/0');
 *     connectRedis('rediss://user:password@cache.example:6380');
 *     connectRedis('redis-sentinel://10.0.0.5:26379,10.0.0.6:26379/mymaster');
 *     connectRedis('redis-cluster://10.0.0.5:6379,10.0.0.6:6379');     // rediss-… for TLS
 *
 * A command is sent at most once and never waits for a connection to come back: what cannot be decided
 * now is answered 503, and whoever asked repeats it under its own idempotency key.
 */
import { once } from 'node:events';
import { Cluster, Redis } from 'ioredis';
import { StoreUnavailable } from '../store.ts';
import { parseRedisUrl, type RedisAddress } from './redis-url.ts';

/** How long an answer is waited for. After that the connection counts as dead, too, and is made anew. */
const ANSWER_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 2_000;
const MAX_RECONNECT_WAIT_MS = 500;
/** How long a starting server waits for Redis to be there and to have loaded its data. */
const START_TIMEOUT_MS = 10_000;

export type RedisConnection = {
  redis: Redis | Cluster;
  /** What is wrong, in words for the log: a failed command often knows only that there is no connection. */
  explain(error: unknown): string;
};

/** @throws StoreUnavailable that says why there is no connection, and what may help */
export async function connectRedis(url: string): Promise<RedisConnection> {
  const ready = Promise.withResolvers<void>();
  const giveUp = (why: string) => ready.reject(new StoreUnavailable(`Redis cannot be used: ${why}`));
  let trouble: string | undefined;
  const redis = createClient(parseRedisUrl(url), (error) => {
    trouble = messageOf(error);
    const hint = hintFor(error);
    if (hint !== undefined) giveUp(`${trouble} (${hint})`);
  });
  const whyNotReady = () =>
    trouble ??
    (redis.status === 'connect' ? 'it is not ready, and may be loading its data' : 'there is none');
  redis.on('ready', () => {
    trouble = undefined;
    ready.resolve();
  });
  const timer = setTimeout(
    () =>
      giveUp(
        `${whyNotReady()}, for ${START_TIMEOUT_MS / 1_000} seconds (rediss:// speaks TLS, redis:// does not)`,
      ),
    START_TIMEOUT_MS,
  );
  try {
    await ready.promise;
    if (redis instanceof Cluster) await Promise.all(redis.nodes('master').map(isConnected));
  } catch (error) {
    redis.disconnect();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return {
    redis,
    explain: (error) => {
      const message = messageOf(error);
      if (NO_CONNECTION.test(message)) return `no connection to Redis: ${whyNotReady()}`;
      return message === 'Command timed out' ? `Redis did not answer in ${ANSWER_TIMEOUT_MS} ms` : message;
    },
  };
}

/** Whether or not it could be: what cannot be reached now may be reached later. */
async function isConnected(node: Redis): Promise<void> {
  if (node.status === 'wait') return node.connect().catch(() => {});
  if (node.status === 'ready') return;
  await Promise.race([once(node, 'ready'), once(node, 'close')]).catch(() => {});
}

/** What ioredis says of a command that found no connection, or lost it. */
const NO_CONNECTION =
  /^(Stream isn't writeable|Reached the max retries|Connection is closed|Command aborted|Cluster isn't ready|None of startup nodes)/;

/** Every node was asked in vain: the reason stands in what the last one said. */
const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const last = 'lastNodeError' in error ? error.lastNodeError : undefined;
  return last instanceof Error ? `${error.message} ${messageOf(last)}` : error.message;
};

/** What to do about an error that no waiting mends. */
function hintFor(error: Error): string | undefined {
  const message = messageOf(error);
  if (/NOAUTH|WRONGPASS/.test(message))
    return 'name user and password in the URL: redis://user:password@host';
  if (message.includes('NOPERM')) return 'its user needs the commands and keys of this store';
  if (message.includes('DB index is out of range')) return 'the URL ends with the number of a database';
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'the URL must name the host as its certificate does';
  if (/CERT|SIGNATURE/.test(code)) return 'NODE_EXTRA_CA_CERTS names a file with the CA to trust';
  return undefined;
}

function createClient(
  { topology, hosts, isTls, username, password, path }: RedisAddress,
  onTrouble: (error: Error) => void,
): Redis | Cluster {
  const wait = (times: number) => Math.min(times * 50, MAX_RECONNECT_WAIT_MS);
  const tls = isTls && { tls: {} };
  const common = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...tls,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: ANSWER_TIMEOUT_MS,
    // Behind a partition, or after its host is gone, a connection can look alive for a quarter of an hour.
    socketTimeout: ANSWER_TIMEOUT_MS,
    // How long a connection that is given up may take to close.
    disconnectTimeout: 250,
    // How soon a server that loads its data is asked again.
    maxLoadingRetryTime: MAX_RECONNECT_WAIT_MS,
    // A script whose answer got lost may have run: sending it again by itself could spend a second guess.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    // A primary that was demoted answers READONLY: connect anew, which finds its successor.
    reconnectOnError: (error: Error) => {
      const isDemoted = error.message.startsWith('READONLY');
      if (isDemoted) onTrouble(error);
      return isDemoted;
    },
  };
  // Commands of one turn of the event loop share a write to the socket.
  const pipelined = { ...common, enableAutoPipelining: true };
  const [first = { host: 'localhost', port: 6_379 }] = hosts;
  switch (topology) {
    case 'single': {
      const redis = new Redis({ ...pipelined, ...first, db: Number(path || 0), retryStrategy: wait });
      return redis.on('error', onTrouble);
    }
    case 'sentinel': {
      const redis = new Redis({
        ...pipelined,
        sentinels: hosts,
        name: path,
        ...(isTls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
        retryStrategy: wait,
        sentinelRetryStrategy: wait,
        // A sentinel that hangs must not keep the others from being asked.
        sentinelCommandTimeout: ANSWER_TIMEOUT_MS,
      });
      return redis.on('error', onTrouble);
    }
    case 'cluster': {
      const cluster = new Cluster(hosts, {
        // Without pipelines: in one of its own, ASKING would come after the command that it is for.
        redisOptions: common,
        enableOfflineQueue: false,
        clusterRetryStrategy: wait,
        // A slot on the move, or a primary just elected: asked again a moment later, within the timeout.
        maxRedirections: 16,
        retryDelayOnClusterDown: 100,
        // A command whose connection closed may have run (see above).
        retryDelayOnFailover: 0,
        // Certificates are made out to names, which addresses would not match.
        ...(isTls && { dnsLookup: (name, found) => found(null, name) }),
      });
      cluster.on('+node', (node: Redis) => {
        heedAsking(node);
        // By itself it would connect for the first command, and refuse the others until it has.
        if (node.status === 'wait') node.connect().catch(() => {});
      });
      return cluster.on('error', onTrouble).on('node error', onTrouble);
    }
  }
}

/**
 * Before a command that a slot on the move redirects, ioredis sends ASKING and leaves alone what becomes of
 * it. The command fails by itself; ASKING with nobody listening would end the process.
 */
function heedAsking(node: Redis): void {
  const asking = node.asking.bind(node);
  node.asking = (...callback) => {
    const sent = asking(...callback);
    sent.catch(() => {});
    return sent;
  };
}
