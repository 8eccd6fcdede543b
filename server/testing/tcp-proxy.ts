/**
 * A network that fails on demand: what passes through it can be cut, stalled, slowed and half-closed.
 *
 *     const proxy = await startTcpProxy(redis.port);
 *     proxy.stall();                 // packets go nowhere, connections stay open: a partition
 *     proxy.resume();                // what was held goes on, late
 *     proxy.cut();                   // connections are reset, new ones are turned away, until resume()
 *     await proxy.stop();
 *
 * Bytes keep their order whatever happens, as TCP promises; what is held when a connection is cut is lost.
 */
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';

export type TcpProxy = {
  port: number;
  /** Holds what goes either way; connections are accepted and hear nothing. */
  stall(): void;
  /** Lets requests through and holds the answers that come after `count`: what was asked happens unheard. */
  withholdAnswers(count?: number): void;
  /** An answer is being held. */
  isHolding(): boolean;
  /** Every answer comes this much later. */
  delayAnswers(ms: number): void;
  /** Resets every connection, and new ones at once. */
  cut(): void;
  /** Says to each client that nothing more will come, while its own half stays open. */
  halfClose(): void;
  /** Passes everything again, what was held included. */
  resume(): void;
  stop(): Promise<void>;
};

/** One direction of one connection. */
type Pipe = { flush(): void; drop(): void; isHolding(): boolean };

/** @param target a port on loopback */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  let isHeld = { requests: false, answers: false };
  let isCut = false;
  let delayMs = 0;
  /** So many more answers pass before they are held. */
  let passing = Number.POSITIVE_INFINITY;
  const clients = new Set<Socket>();
  const sockets = new Set<Socket>();
  const pipes = new Set<Pipe>();

  /** Hands on what comes, in order, when it may. */
  function pipe(from: Socket, to: Socket, direction: keyof typeof isHeld): void {
    let held: { due: number; pass: () => void }[] = [];
    let timer: NodeJS.Timeout | undefined;
    const self: Pipe = {
      isHolding: () => direction === 'answers' && held.length > 0,
      flush: () => {
        clearTimeout(timer);
        while (held[0] && !isHeld[direction]) {
          const waitMs = held[0].due - performance.now();
          if (waitMs > 0) {
            timer = setTimeout(self.flush, waitMs);
            return;
          }
          held.shift()?.pass();
        }
      },
      drop: () => {
        clearTimeout(timer);
        held = [];
        pipes.delete(self);
      },
    };
    function hold(pass: () => void): void {
      held.push({ due: performance.now() + (direction === 'answers' ? delayMs : 0), pass });
      self.flush();
    }
    pipes.add(self);
    sockets.add(from);
    from.on('data', (chunk) => {
      if (direction === 'answers') {
        isHeld.answers ||= passing === 0;
        passing -= 1;
      }
      hold(() => to.writable && to.write(chunk));
    });
    from.on('end', () => hold(() => to.end()));
    // A socket's end tells by itself; the other side hears of it when whatever came before got through.
    from.on('error', () => {});
    from.once('close', () => {
      sockets.delete(from);
      hold(() => {
        to.destroySoon();
        pipes.delete(self);
      });
    });
  }

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (isCut) {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const upstream = createConnection({ port: target, host: '127.0.0.1', allowHalfOpen: true });
    clients.add(client);
    client.once('close', () => clients.delete(client));
    pipe(client, upstream, 'requests');
    pipe(upstream, client, 'answers');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on no port');

  return {
    port: address.port,
    stall: () => {
      isHeld = { requests: true, answers: true };
    },
    withholdAnswers: (count = 0) => {
      passing = count;
    },
    isHolding: () => [...pipes].some((one) => one.isHolding()),
    delayAnswers: (ms) => {
      delayMs = ms;
    },
    cut: () => {
      isCut = true;
      for (const one of pipes) one.drop();
      for (const socket of sockets) socket.resetAndDestroy();
    },
    halfClose: () => {
      for (const client of clients) client.end();
    },
    resume: () => {
      isHeld = { requests: false, answers: false };
      passing = Number.POSITIVE_INFINITY;
      isCut = false;
      delayMs = 0;
      for (const one of pipes) one.flush();
    },
    stop: async () => {
      for (const one of pipes) one.drop();
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
