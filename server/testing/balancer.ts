/**
 * A small balancer, as simple as one may be and as strict as one should be: round robin over kept-alive
 * connections, asks `/readyz`, and takes a server out as soon as that fails. It repeats no request: what a
 * server loses is lost, and counted.
 *
 *     const balancer = await startBalancer(ports);
 *     await fetch(`${balancer.url}/v1/verifications`, …);
 *     balancer.losses;          // ['POST /v1/verifications: ECONNRESET from port 40123', …]
 *     await balancer.close();
 */
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

export type Balancer = {
  url: string;
  /** What it could not get an answer to. */
  losses: string[];
  /** Answers of each server. */
  answersOf(port: number): number;
  isIn(port: number): boolean;
  close(): Promise<void>;
};

const CHECK_INTERVAL_MS = 100;
const CHECK_TIMEOUT_MS = 2_000;

type Backend = { port: number; agent: Agent; isIn: boolean; answers: number; timer: NodeJS.Timeout };

export async function startBalancer(ports: number[]): Promise<Balancer> {
  const losses: string[] = [];
  let turn = 0;

  const backends = ports.map((port): Backend => {
    const agent = new Agent({ keepAlive: true });
    const timer = setInterval(() => void check(), CHECK_INTERVAL_MS);
    const backend = { port, agent, isIn: false, answers: 0, timer };
    const check = async () => {
      backend.isIn = await isReady(port);
    };
    return backend;
  });
  const backendOf = (port: number) => backends.find((one) => one.port === port);

  function forward(asked: IncomingMessage, answer: ServerResponse): void {
    const ready = backends.filter(({ isIn }) => isIn);
    turn += 1;
    const backend = ready[turn % ready.length];
    const lose = (why: string) => {
      losses.push(`${asked.method} ${asked.url}: ${why}`);
      if (answer.headersSent) answer.destroy();
      else answer.writeHead(502).end();
    };
    if (!backend) {
      lose('no server is ready');
      return;
    }
    const { port, agent } = backend;
    const { connection: _, ...headers } = asked.headers;
    const passed = request({
      host: '127.0.0.1',
      port,
      agent,
      method: asked.method,
      path: asked.url,
      headers,
    });
    const failed = (error: Error) => lose(`${'code' in error ? error.code : error} from port ${port}`);
    passed.once('error', failed);
    passed.once('response', (given) => {
      backend.answers += 1;
      const { connection: __, 'keep-alive': ___, ...kept } = given.headers;
      answer.writeHead(given.statusCode ?? 502, kept);
      pipeline(given, answer, (error) => {
        if (error) failed(error);
      });
    });
    asked.pipe(passed);
  }

  const server = createServer(forward);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    losses,
    answersOf: (one) => backendOf(one)?.answers ?? 0,
    isIn: (one) => backendOf(one)?.isIn ?? false,
    async close() {
      for (const { timer, agent } of backends) {
        clearInterval(timer);
        agent.destroy();
      }
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function isReady(port: number): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
    // A connection of its own: one that was kept would say nothing about whether new ones are taken.
    const headers = { Connection: 'close' };
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal, headers });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}
