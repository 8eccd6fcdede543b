/**
 * An HTTPS agent that leads one vendor's host name to a fake on this machine. TLS stays as it is: the fake must show a
 * certificate for that very name.
 *
 *     https.globalAgent = loopbackAgent({ host: 'rest.messagebird.com', port: fake.port, ca: fake.certificate });
 *     …
 *     https.globalAgent = original;
 *
 * For a vendor's SDK that hard-codes its host and takes no agent of its own. Every other host goes where it always went.
 */
import { Agent } from 'node:https';
import type { LookupFunction } from 'node:net';

export type LoopbackOptions = {
  host: string;
  port: number;
  /** Which certificate to trust for `host`; the machine's own trust store when absent. */
  ca?: string;
  /** Resolves the name in place of `127.0.0.1`: a test's way to a DNS failure. */
  lookup?: LookupFunction;
};

export function loopbackAgent({ host, port, ca, lookup }: LoopbackOptions): Agent {
  return new LoopbackAgent(host, {
    port,
    ...(ca === undefined ? {} : { ca }),
    ...(lookup === undefined ? { host: '127.0.0.1' } : { lookup }),
  });
}

type Connect = Agent['createConnection'];

class LoopbackAgent extends Agent {
  readonly #host: string;
  readonly #detour: object;

  constructor(host: string, detour: object) {
    // What Node gives its own global agent.
    super({ keepAlive: true, scheduling: 'lifo', timeout: 5000 });
    this.#host = host;
    this.#detour = detour;
  }

  override createConnection(...[options, callback]: Parameters<Connect>): ReturnType<Connect> {
    const isOurs = options.host === this.#host;
    return super.createConnection(isOurs ? { ...options, ...this.#detour } : options, callback);
  }
}
