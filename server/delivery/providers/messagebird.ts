/**
 * SMS through MessageBird, by the vendor's own SDK.
 *
 *     const provider = createMessageBird({ accessKey: 'live_…', reportUrl: 'https://…' });
 *     const outcome = await provider.send(message);
 *     if (outcome.kind === 'accepted') console.log(outcome.providerReference);
 *
 * The SDK (4.0.1) reports some failures as success, waits as long as bytes keep dripping, and adds a listener to the
 * kept-alive socket with every call. So this file takes from it the request and the body, and decides by what it sees
 * for itself: the true HTTP status, whether the request can have left this machine, a total deadline, and a body that
 * parses.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { initClient } from 'messagebird';
import { z } from 'zod';
import type { OutgoingMessage, Provider, SendOutcome } from '../provider.ts';
import { observeRequest } from './observe-request.ts';

export type MessageBirdOptions = {
  /** A live or test key of the vendor's dashboard. */
  accessKey: string;
  /** From the call to the outcome, whatever happens in between. */
  deadlineMs?: number;
  /** Where the vendor reports what became of each message. Without it there are no receipts. */
  reportUrl?: string | undefined;
};

/** Hard-coded in the SDK. */
const HOST = 'rest.messagebird.com';

/** A message and its answer are about a kilobyte; the SDK itself would buffer without end. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Throws a `TypeError` for a key that could not stand in a header. */
export function createMessageBird({
  accessKey,
  deadlineMs = 10_000,
  reportUrl,
}: MessageBirdOptions): Provider {
  if (!/^[\x21-\x7e]+$/.test(accessKey)) {
    throw new TypeError('MessageBird: accessKey must be printable ASCII without spaces (is it empty?)');
  }
  const client = initClient(accessKey);
  const underway = new Set<(why: string) => void>();
  let isClosed = false;

  function exchange(message: OutgoingMessage): Promise<Exchange> {
    return new Promise((resolve) => {
      const seen: Observation = { request: undefined, status: undefined, mayHaveBeenSent: false };

      // The first ending counts: whatever the SDK or the socket say afterwards finds the promise settled.
      const end = (ending: Ending) => {
        clearTimeout(deadline);
        underway.delete(abandon);
        resolve({ status: seen.status, mayHaveBeenSent: seen.mayHaveBeenSent, ending });
      };
      const abandon = (why: string) => {
        end({ kind: 'broken', why });
        seen.request?.destroy();
      };
      const deadline = setTimeout(abandon, deadlineMs, 'deadline');
      underway.add(abandon);

      let othersListeners: unknown[] = [];
      const onRequest = (request: ClientRequest) => {
        seen.request = request;
        request.once('error', (error) => end({ kind: 'broken', why: errorCode(error) }));
        request.once('socket', (socket) => {
          whenConnected(request, socket, () => {
            seen.mayHaveBeenSent = true;
          });
        });
        request.once('response', (response) => {
          seen.status = response.statusCode;
          limitSize(response, () => abandon('answer-too-large'));
        });
        othersListeners = request.listeners('socket');
      };

      try {
        observeRequest(HOST, onRequest, () => {
          client.messages.create(
            // A fresh object: the SDK rewrites `recipients` in the one it is given.
            {
              originator: message.originator,
              recipients: [message.to.replace(/^\+/, '')],
              body: message.body,
              datacoding: 'auto',
              reference: message.reference,
              validity: message.validitySeconds,
              ...(reportUrl === undefined ? {} : { reportUrl }),
            },
            (error, body: unknown) => end(error === null ? { kind: 'answer', body } : failureOf(error)),
          );
        });
      } catch (error) {
        // Nothing can have been written: a request gets its socket in a later tick at the earliest.
        abandon(errorCode(error));
        return;
      }

      if (seen.request === undefined) {
        // Something stands in for Node's HTTP client: whatever it answers, its status cannot be known.
        seen.mayHaveBeenSent = true;
        abandon('request-not-observed');
        return;
      }
      dropIdleTimeout(seen.request, othersListeners);
    });
  }

  return {
    name: 'messagebird',
    channels: ['sms'],
    async send(message) {
      if (isClosed) return { kind: 'refused', reason: 'provider-closed' };
      return judge(await exchange(message), message.reference);
    },
    close() {
      isClosed = true;
      for (const abandon of underway) abandon('provider-closed');
    },
  };
}

// ── What was seen of one call ────────────────────────────────────────────────────────────────────

type Observation = {
  request: ClientRequest | undefined;
  /** The real one. Undefined: no answer began. */
  status: number | undefined;
  /** False only while it is certain that not one byte of the request can have reached the vendor. */
  mayHaveBeenSent: boolean;
};

type Exchange = Omit<Observation, 'request'> & { ending: Ending };

type Ending =
  /** What the SDK calls success: anything without an `errors` member, or not parsed at all. */
  | { kind: 'answer'; body: unknown }
  /** The vendor's documented error body. */
  | { kind: 'errors'; errors: VendorErrors }
  /** Reset, deadline, unparsable, too large, …: there is no body. */
  | { kind: 'broken'; why: string };

const vendorErrors = z
  .array(z.object({ code: z.int().min(0).max(9999), parameter: z.unknown().optional() }))
  .min(1)
  .transform((errors) => errors.map(({ code, parameter }) => ({ code, parameter: ourParameter(parameter) })));
type VendorErrors = z.infer<typeof vendorErrors>;

function failureOf(error: Error): Ending {
  const documented = z.object({ errors: vendorErrors }).safeParse(error);
  return documented.success
    ? { kind: 'errors', errors: documented.data.errors }
    : { kind: 'broken', why: 'unreadable' };
}

/** A TLS client sends no application data before `secureConnect`: Node has no early data (RFC 8446 §2.3). */
function whenConnected(request: ClientRequest, socket: Socket, connected: () => void): void {
  // It failed at once: a request is written only after this event.
  if (socket.destroyed) return;
  const isFresh = socket instanceof TLSSocket && socket.connecting && !request.reusedSocket;
  if (isFresh) socket.once('secureConnect', connected);
  else connected();
}

function limitSize(response: IncomingMessage, exceeded: () => void): void {
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) exceeded();
  });
}

/**
 * Takes back the SDK's `socket` listener before that event comes. All it does is to add one more `timeout` listener
 * to the connection, for good, and to start an idle timer that the total deadline makes superfluous.
 * It is the last one added: an instrumentation that wraps `https.request` has added its own before.
 */
function dropIdleTimeout(request: ClientRequest, othersListeners: unknown[]): void {
  const listener = request.listeners('socket').at(-1);
  if (isListener(listener) && !othersListeners.includes(listener)) request.off('socket', listener);
}

const isListener = (value: unknown): value is (...args: unknown[]) => void => typeof value === 'function';

// ── What it means ────────────────────────────────────────────────────────────────────────────────

const recipientStatus = z.enum(['scheduled', 'sent', 'buffered', 'delivered', 'expired', 'delivery_failed']);

const acceptance = z.object({
  id: z.string().regex(/^[\x21-\x7e]{1,128}$/),
  reference: z.string().nullish(),
  recipients: z.object({ items: z.tuple([z.object({ status: recipientStatus })], z.unknown()) }),
});

function judge({ status, mayHaveBeenSent, ending }: Exchange, reference: string): SendOutcome {
  if (status === undefined) {
    const why = ending.kind === 'broken' ? ending.why : 'no-status';
    return mayHaveBeenSent ? unknown(`no-answer (${why})`) : refused(`not-connected (${why})`);
  }
  // A client error says that this request was not taken, whether or not its body can be read.
  if (status >= 400 && status < 500) return refused(rejection(status, ending));

  if (status >= 500) {
    // The API's own error body: the vendor documents that the same request may then safely be made again.
    // 501 and 505 say that the server does not do such requests at all (RFC 9110 §15.6.2, §15.6.6).
    // Any other 5xx may be a crash after the message was queued, or a gateway's answer (502, 503, 504) for a backend
    // that already had the request when it died or was slow.
    const tookNothing = ending.kind === 'errors' || status === 501 || status === 505;
    return tookNothing ? refused(rejection(status, ending)) : unknown(rejection(status, ending));
  }

  // The API never redirects, and 1xx is no answer.
  if (status < 200 || status >= 300) return unknown(`unexpected-status (http ${status})`);

  switch (ending.kind) {
    case 'broken':
      return unknown(`unreadable-answer (http ${status}, ${ending.why})`);
    case 'errors':
      // Success by its status, failure by its body: one of them is wrong, and nobody can say which.
      return unknown(`contradictory-answer (${facts(status, ending)})`);
    case 'answer':
      return readAcceptance(ending.body, status, reference);
  }
}

function readAcceptance(body: unknown, status: number, reference: string): SendOutcome {
  const answer = acceptance.safeParse(body);
  if (!answer.success) return unknown(`unexpected-answer (http ${status})`);

  const { id, reference: echoed, recipients } = answer.data;
  // A stray answer on the kept-alive connection may be that to somebody else's message.
  if (echoed != null && echoed !== reference) return unknown(`mismatched-answer (http ${status})`);

  const [recipient] = recipients.items;
  switch (recipient.status) {
    case 'expired':
    case 'delivery_failed':
      return refused(`recipient-${recipient.status} (http ${status})`);
    case 'scheduled':
    case 'sent':
    case 'buffered':
    case 'delivered':
      return { kind: 'accepted', providerReference: id };
  }
}

// ── Reasons: for logs, so never a word of the vendor's that might quote the number or the text ───

const WORD_OF_ERROR: Record<number, string> = {
  2: 'access-key-rejected',
  9: 'parameter-missing',
  10: 'parameter-invalid',
  20: 'not-found',
  21: 'bad-request',
  25: 'balance-insufficient',
  98: 'not-found',
  99: 'vendor-error',
};

const WORD_OF_STATUS: Record<number, string> = {
  401: 'access-key-rejected',
  402: 'balance-insufficient',
  403: 'forbidden',
  429: 'rate-limited',
};

function rejection(status: number, ending: Ending): string {
  const code = ending.kind === 'errors' ? ending.errors[0]?.code : undefined;
  const word =
    (code === undefined ? undefined : WORD_OF_ERROR[code]) ??
    WORD_OF_STATUS[status] ??
    (status < 500 ? 'rejected' : 'vendor-error');
  return `${word} (${facts(status, ending)})`;
}

function facts(status: number, ending: Ending): string {
  if (ending.kind !== 'errors') return `http ${status}`;
  const errors = ending.errors.map(
    ({ code, parameter }) => `error ${code}${parameter ? ` ${parameter}` : ''}`,
  );
  return [`http ${status}`, ...errors.slice(0, 3)].join(', ');
}

/** Which of the members we sent the vendor objects to; any other text of its stays out of the logs. */
function ourParameter(value: unknown): string | undefined {
  const names = [
    'originator',
    'recipients',
    'recipient',
    'body',
    'datacoding',
    'reference',
    'validity',
    'reportUrl',
  ];
  return names.find((name) => name === value);
}

/** `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, …; never a message, which may name addresses. */
function errorCode(error: unknown): string {
  const coded = z.object({ code: z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/) }).safeParse(error);
  return coded.success ? coded.data.code : 'error';
}

const refused = (reason: string): SendOutcome => ({ kind: 'refused', reason });
const unknown = (reason: string): SendOutcome => ({ kind: 'unknown', reason });
