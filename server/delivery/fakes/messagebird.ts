/**
 * A fake of MessageBird's REST API (`POST /messages`) on loopback: real sockets, real TLS, the documented shapes, and
 * every fault that a network or a vendor has, on demand.
 *
 *     const fake = await startMessageBirdFake();
 *     fake.behave('drip');                            // from now on; or (sms) => sms.body === '…' ? 'hang' : 'accept'
 *     …; fake.received[0]?.recipients; await fake.close();
 *
 * A client that hard-codes the vendor's host reaches it by `loopbackAgent`.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { z } from 'zod';
import { testOnlyCertificate, testOnlyKey } from './test-only-certificate.ts';

/** One request as it came in, faithfully answered or not. */
type ReceivedSms = z.infer<typeof smsRequest>;

export type MessageBirdBehaviour = keyof typeof behaviours;

export type MessageBirdFake = {
  readonly port: number;
  /** PEM of the certificate it shows for `rest.messagebird.com` and `localhost`. */
  readonly certificate: string;
  readonly received: readonly ReceivedSms[];
  /** TLS handshakes completed: a client that keeps its connections alive needs few. */
  readonly handshakes: number;
  /** A fault of the handshake happens before there is a message to choose by: name it outright. */
  behave(behaviour: MessageBirdBehaviour | ((sms: ReceivedSms) => MessageBirdBehaviour)): void;
  close(): Promise<void>;
};

export type MessageBirdFakeOptions = {
  /** 0: any free one. */
  port?: number;
  /** The only key it takes; any key when absent. */
  accessKey?: string;
  /** How long `accept-slowly` thinks, and the pause between two bytes of `drip`. */
  paceMs?: number;
};

const smsRequest = z.object({
  originator: z.string().regex(/^(\+?[0-9]{1,17}|[A-Za-z0-9 ]{1,11})$/),
  body: z.string().min(1).max(1377),
  recipients: z.string().regex(/^[1-9][0-9]{6,16}(,[1-9][0-9]{6,16})*$/),
  datacoding: z.enum(['plain', 'unicode', 'auto']).default('plain'),
  reference: z.string().max(60).optional(),
  validity: z.int().min(1).optional(),
  reportUrl: z.url().optional(),
});

export async function startMessageBirdFake({
  port = 0,
  accessKey,
  paceMs = 50,
}: MessageBirdFakeOptions = {}): Promise<MessageBirdFake> {
  const received: ReceivedSms[] = [];
  /** The TCP sockets under the TLS ones, by the client's port: only these can be reset. */
  const connections = new Map<number | undefined, Socket>();
  let handshakes = 0;
  let choose: (sms: ReceivedSms) => MessageBirdBehaviour = () => 'accept';
  let onConnection: MessageBirdBehaviour = 'accept';

  const reset = (socket: Socket | null) => connections.get(socket?.remotePort)?.resetAndDestroy();

  const api = createHttpsServer(
    { key: testOnlyKey, cert: testOnlyCertificate },
    async (request, response) => {
      const body = await readBody(request);
      if (request.method !== 'POST' || request.url !== '/messages') {
        reject(response, 404, { code: 20, description: 'not found', parameter: null });
        return;
      }
      if (!isAuthorized(request, accessKey)) {
        reject(response, 401, INCORRECT_KEY);
        return;
      }
      const sms = smsRequest.safeParse(body);
      if (!sms.success) {
        const parameter = sms.error.issues[0]?.path.join('.') ?? null;
        reject(response, 422, { code: 10, description: `${parameter} is invalid`, parameter });
        return;
      }
      received.push(sms.data);
      behaviours[choose(sms.data)]({ response, sms: sms.data, paceMs, reset: () => reset(response.socket) });
    },
  );
  // A client that gives up in the middle is what many of the faults are for.
  api.on('tlsClientError', () => {});
  api.on('secureConnection', (socket: TLSSocket) => {
    handshakes += 1;
    socket.on('error', () => {});
    if (onConnection === 'reset-before-reading') reset(socket);
  });

  const door = createServer((socket) => {
    const { remotePort } = socket;
    connections.set(remotePort, socket);
    socket.on('error', () => {});
    socket.on('close', () => connections.delete(remotePort));
    if (onConnection === 'stall-in-handshake') return;
    if (onConnection === 'reset-in-handshake') socket.once('data', () => socket.resetAndDestroy());
    else api.emit('connection', socket);
  });

  await new Promise<void>((listening, failed) => {
    door.once('error', failed).listen(port, '127.0.0.1', () => listening());
  });
  const address = z.object({ port: z.int() }).parse(door.address());

  return {
    port: address.port,
    certificate: testOnlyCertificate,
    received,
    get handshakes() {
      return handshakes;
    },
    behave(behaviour) {
      choose = typeof behaviour === 'string' ? () => behaviour : behaviour;
      onConnection = typeof behaviour === 'string' ? behaviour : 'accept';
    },
    close() {
      return new Promise((closed) => {
        door.close(() => closed());
        for (const socket of connections.values()) socket.destroy();
      });
    },
  };
}

// ── What it can do ───────────────────────────────────────────────────────────────────────────────

type Call = { response: ServerResponse; sms: ReceivedSms; paceMs: number; reset: () => void };

/** By name: every way in which the vendor, or the network before it, can take a well-formed request. */
const behaviours = {
  // As documented.
  accept: ({ response, sms }: Call) => json(response, 201, acceptanceOf(sms)),
  'accept-slowly': ({ response, sms, paceMs }: Call) => {
    const pause = setTimeout(json, paceMs, response, 201, acceptanceOf(sms));
    response.on('close', () => clearTimeout(pause));
  },
  'access-key-rejected': ({ response }: Call) => reject(response, 401, INCORRECT_KEY),
  'balance-insufficient': ({ response }: Call) => reject(response, 402, NO_BALANCE),
  'originator-invalid': ({ response, sms }: Call) => {
    // Vendors like to quote what they were given, which must not reach a log.
    const description = `originator is invalid for ${sms.recipients}: ${sms.body}`;
    reject(response, 422, { code: 10, description, parameter: 'originator' });
  },
  'server-error': ({ response }: Call) => {
    reject(response, 500, { code: 99, description: 'Internal error', parameter: null });
  },

  // Answers that no documentation knows.
  'forbidden-html': ({ response }: Call) => html(response, 403, 'Forbidden'),
  'rate-limited-bare': ({ response }: Call) => json(response, 429, { message: 'Too Many Requests' }),
  'server-error-bare': ({ response }: Call) => json(response, 500, { message: 'Internal Server Error' }),
  'server-error-lookalike': ({ response, sms }: Call) => json(response, 500, acceptanceOf(sms)),
  'unavailable-html': ({ response }: Call) => html(response, 503, 'Service Unavailable'),
  'not-implemented': ({ response }: Call) => html(response, 501, 'Not Implemented'),
  redirect: ({ response }: Call) => response.writeHead(307, { Location: '/elsewhere' }).end(),
  empty: ({ response }: Call) => response.writeHead(200, { 'Content-Length': 0 }).end(),
  'no-content': ({ response }: Call) => response.writeHead(204).end(),
  html: ({ response }: Call) => html(response, 200, 'Welcome to this hotel'),
  'json-null': ({ response }: Call) => json(response, 200, null),
  'truncated-json': ({ response, sms }: Call) => {
    response.writeHead(201, JSON_TYPE).end(JSON.stringify(acceptanceOf(sms)).slice(0, -20));
  },
  'truncated-body': ({ response, sms }: Call) => {
    const whole = JSON.stringify(acceptanceOf(sms));
    response.writeHead(201, { ...JSON_TYPE, 'Content-Length': Buffer.byteLength(whole) });
    response.write(whole.slice(0, -20), () => response.destroy());
  },
  attachment: ({ response, sms }: Call) => json(response, 201, acceptanceOf(sms), ATTACHMENT),
  'attachment-rejection': ({ response }: Call) => json(response, 402, { errors: [NO_BALANCE] }, ATTACHMENT),
  'errors-with-success': ({ response }: Call) => reject(response, 200, NO_BALANCE),
  'wrong-shape': ({ response }: Call) => json(response, 200, { status: 'ok' }),
  'no-recipients': ({ response, sms }: Call) => json(response, 201, acceptanceOf(sms, [])),
  'recipient-failed': ({ response, sms }: Call) => {
    json(response, 201, acceptanceOf(sms, [{ recipient: sms.recipients, status: 'delivery_failed' }]));
  },
  'recipient-odd': ({ response, sms }: Call) => {
    json(response, 201, acceptanceOf(sms, [{ recipient: sms.recipients, status: 'pondered' }]));
  },
  'other-reference': ({ response, sms }: Call) => {
    json(response, 201, { ...acceptanceOf(sms), reference: 'somebody-elses' });
  },
  'duplicate-answer': ({ response, sms, paceMs }: Call) => {
    const { socket } = response;
    const body = JSON.stringify(acceptanceOf(sms));
    const again = `HTTP/1.1 201 Created\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    response.writeHead(201, JSON_TYPE).end(body);
    setTimeout(() => socket?.write(again), paceMs);
  },
  endless: ({ response }: Call) => {
    const pour = () => {
      while (response.write('x'.repeat(16 * 1024)));
    };
    response.writeHead(200, JSON_TYPE).on('drain', pour);
    pour();
  },
  'not-http': ({ response }: Call) => response.socket?.end('220 mail.example ESMTP\r\n'),

  // The connection. Those of the handshake, and before reading, happen where it is made: see `door`.
  'reset-in-handshake': ({ reset }: Call) => reset(),
  'stall-in-handshake': () => {},
  'reset-before-reading': ({ reset }: Call) => reset(),
  'reset-after-reading': ({ reset }: Call) => reset(),
  hang: () => {},
  /** One byte after the other: never idle, never done in time. */
  drip: ({ response, sms, paceMs }: Call) => {
    const text = JSON.stringify(acceptanceOf(sms));
    let sent = 0;
    response.writeHead(201, JSON_TYPE).flushHeaders();
    const tap = setInterval(() => {
      response.write(text.charAt(sent));
      sent += 1;
      if (sent === text.length) response.end();
    }, paceMs);
    response.on('close', () => clearInterval(tap));
  },
};

// ── What it says ─────────────────────────────────────────────────────────────────────────────────

const JSON_TYPE = { 'Content-Type': 'application/json' };
const ATTACHMENT = { 'Content-Disposition': 'attachment; filename="message.json"' };

type ApiError = { code: number; description: string; parameter: string | null };
const INCORRECT_KEY: ApiError = {
  code: 2,
  description: 'Request not allowed (incorrect access_key)',
  parameter: 'access_key',
};
const NO_BALANCE: ApiError = { code: 25, description: 'Not enough balance', parameter: null };

function acceptanceOf(sms: ReceivedSms, outcomes?: { recipient: string; status: string }[]) {
  const id = randomBytes(16).toString('hex');
  const now = `${new Date().toISOString().slice(0, 19)}+00:00`;
  const each = outcomes ?? sms.recipients.split(',').map((recipient) => ({ recipient, status: 'sent' }));
  const items = each.map(({ recipient, status }) => ({
    recipient: Number(recipient),
    status,
    statusDatetime: now,
  }));
  return {
    id,
    href: `https://rest.messagebird.com/messages/${id}`,
    direction: 'mt',
    type: 'sms',
    originator: sms.originator,
    body: sms.body,
    reference: sms.reference ?? null,
    validity: null,
    gateway: 10,
    typeDetails: {},
    datacoding: sms.datacoding === 'auto' ? 'plain' : sms.datacoding,
    mclass: 1,
    scheduledDatetime: null,
    createdDatetime: now,
    recipients: {
      totalCount: items.length,
      totalSentCount: items.filter(({ status }) => status === 'sent').length,
      totalDeliveredCount: 0,
      totalDeliveryFailedCount: items.filter(({ status }) => status === 'delivery_failed').length,
      items,
    },
  };
}

function reject(response: ServerResponse, status: number, error: ApiError): void {
  json(response, status, { errors: [error] });
}

function json(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { ...JSON_TYPE, ...headers }).end(JSON.stringify(body));
}

function html(response: ServerResponse, status: number, title: string): void {
  response.writeHead(status, { 'Content-Type': 'text/html' }).end(`<html><h1>${title}</h1></html>`);
}

// ── What it is asked ─────────────────────────────────────────────────────────────────────────────

function isAuthorized(request: IncomingMessage, accessKey: string | undefined): boolean {
  const given = /^AccessKey (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  return given !== undefined && (accessKey === undefined || given === accessKey);
}

/** What is no JSON, or breaks off, is as good as a request without members. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return {};
  }
}
