/**
 * Ends a server's connections without cutting off a request.
 *
 *     const connections = trackConnections(server);
 *     server.close();
 *     connections.drain();      // idle ones now, busy ones after their answer
 *
 * `server.close()` by itself waits for connections that were opened in advance, or that sent half a
 * request's head and then nothing.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';

export function trackConnections(server: Server): { drain(): void } {
  const sockets = new Set<Socket>();
  const busy = new Map<Socket, number>();
  let isDraining = false;

  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    busy.set(socket, (busy.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (busy.get(socket) ?? 1) - 1;
      if (left > 0) busy.set(socket, left);
      else busy.delete(socket);
      if (isDraining && left <= 0) socket.end();
    });
  });

  return {
    drain() {
      isDraining = true;
      for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
    },
  };
}
