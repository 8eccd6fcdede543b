/**
 * Hands over the `ClientRequest` that a library makes and keeps to itself, so that a caller can read the
 * true status, end the request in time, and look after its socket.
 *
 *     observeRequest('rest.messagebird.com', (request) => {
 *       request.once('response', (response) => console.log(response.statusCode));
 *     }, () => sdk.messages.create(params, callback));
 *
 * It listens on Node's `http.client.request.created` channel for exactly as long as `call` runs, which
 * is synchronous: no request of another caller can fall into that window. (`http.client.request.start` would not do:
 * on a new connection it is published later, when the socket is there.) Nothing global is replaced, so
 * proxies, agents and instrumentation that a site sets up keep working.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { ClientRequest } from 'node:http';
import { z } from 'zod';

const requestCreated = z.object({ request: z.instanceof(ClientRequest) });

/**
 * Runs `call` and gives its first request to `host` to `onRequest`, before the library itself has seen it.
 * `onRequest` must not throw: Node would treat it as an uncaught exception.
 */
export function observeRequest(
  host: string,
  onRequest: (request: ClientRequest) => void,
  call: () => void,
): void {
  let observed = false;
  const listen = (message: unknown) => {
    const created = requestCreated.safeParse(message);
    // An agent or an instrumentation may make requests of its own meanwhile: the host tells them apart.
    if (observed || !created.success || created.data.request.host !== host) return;
    observed = true;
    onRequest(created.data.request);
  };

  subscribe('http.client.request.created', listen);
  try {
    call();
  } finally {
    unsubscribe('http.client.request.created', listen);
  }
}
