/**
 * From a URL to a connection: one server, Sentinel, or Cluster, with or without TLS.
 *
 *     connectRedis('redis://:password@10.0.0.5:6379/0');
 *     connectRedis('rediss://user:password@cache.example:6380');
 *     connectRedis('redis-sentinel://10.0.0.5:26379,10.0.0.6:26379/mymaster');
 *     connectRedis('redis-cluster://10.0.0.5:6379,10.0.0.6:6379');     // rediss-… for TLS
 *
 * A command is sent at most once and never waits for a connection to come back: what cannot be decided
 * now is answered 503, and whoever asked repeats it under its own idempotency key.
 */
import { Cluster, Redis } from 'ioredis';
import { parseRedisUrl } from './redis-url.ts';

const COMMAND_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 2_000;
const MAX_RECONNECT_WAIT_MS = 500;

export function connectRedis(url: string): Redis | Cluster {
  const { topology, hosts, isTls, username, password, path } = parseRedisUrl(url);
  const wait = (times: number) => Math.min(times * 50, MAX_RECONNECT_WAIT_MS);
  const common = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(isTls && { tls: {} }),
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    // Commands of one turn of the event loop share a write to the socket.
    enableAutoPipelining: true,
    // A script whose answer got lost may have run: sending it again by itself could spend a second guess.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    // A primary that was demoted answers READONLY: connect anew, which finds its successor.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
  const [first = { host: 'localhost', port: 6_379 }] = hosts;
  switch (topology) {
    case 'single':
      return new Redis({ ...common, ...first, db: Number(path || 0), retryStrategy: wait });
    case 'sentinel':
      return new Redis({
        ...common,
        sentinels: hosts,
        name: path,
        ...(isTls && { enableTLSForSentinelMode: true }),
        retryStrategy: wait,
        sentinelRetryStrategy: wait,
      });
    case 'cluster':
      return new Cluster(hosts, {
        redisOptions: common,
        enableOfflineQueue: false,
        clusterRetryStrategy: wait,
        // A slot on the move, or a primary just elected: asked again a moment later, within the timeout.
        maxRedirections: 16,
        retryDelayOnFailover: 100,
        retryDelayOnClusterDown: 100,
      });
  }
}
