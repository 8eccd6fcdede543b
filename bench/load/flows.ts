/**
 * What one verification is at each server: a request that has a code sent, and one that spends it.
 *
 *     const started = await connection.send(flow.start(n));
 *     const checked = await connection.send(flow.check(n, started));
 *     flow.isDone(checked);
 *
 * Every flow has its own number and its own client address, so that limits are charged as in real life
 * and refuse nobody. No server sends a message: ours names the code's seed in the client secret, the
 * others put the code into a header of the first answer.
 */
import { createKeyring } from '../../server/secrets.ts';
import { openClientSecret } from '../../server/verification/client-secret.ts';
import { deriveCode } from '../../server/verification/codes.ts';
import { CODE_HEADER, ORIGIN, PUBLISHABLE_KEY, PURPOSE, SECRET } from '../servers/settings.ts';
import type { Answer, Post } from './connection.ts';

export type Flow = {
  start(n: number): Post;
  /** @throws Error when the start was refused */
  check(n: number, started: Answer): Post;
  isDone(checked: Answer): boolean;
};

export type FlowName = keyof typeof flows;

/** Of the numbers 06 1… to 06 5…, each once, in no order. */
const SUBSCRIBERS = 50_000_000;
const STRIDE = 32_452_843;

const subscriber = (n: number) => 10_000_000 + ((n * STRIDE) % SUBSCRIBERS);
const national = (n: number) => `06${subscriber(n)}`;
const e164 = (n: number) => `+316${subscriber(n)}`;

function address(n: number): string {
  const host = subscriber(n) % 2 ** 24;
  return `10.${host >> 16}.${(host >> 8) & 255}.${host & 255}`;
}

function refused(what: string, { status, body }: Answer): Error {
  return new Error(`${what} was refused: ${status} ${JSON.stringify(body)}`);
}

function member(answer: Answer, name: string, what: string): string {
  const value =
    typeof answer.body === 'object' && answer.body !== null
      ? new Map(Object.entries(answer.body)).get(name)
      : undefined;
  if (typeof value !== 'string') throw refused(what, answer);
  return value;
}

const sentCode = (answer: Answer) => {
  const code = answer.header(CODE_HEADER);
  if (code === undefined) throw refused('a start', answer);
  return code;
};

const keyring = createKeyring([SECRET]);

/** As the element calls it. */
function createOurs(): Flow {
  const headers = (n: number, call: string) => ({
    Origin: ORIGIN,
    'X-Forwarded-For': address(n),
    'Idempotency-Key': `${call}-${n}-7d0f8a52-5f0c-4b7e`,
  });
  return {
    start: (n) => ({
      path: '/v1/verifications',
      headers: headers(n, 'start'),
      body: { siteKey: PUBLISHABLE_KEY, phone: national(n), country: 'NL', purpose: PURPOSE, locale: 'en' },
    }),
    check(n, started) {
      const id = member(started, 'id', 'a start');
      const clientSecret = member(started, 'clientSecret', 'a start');
      const opened = openClientSecret(keyring, id, clientSecret);
      if (!opened) throw new Error('the client secret does not open');
      return {
        path: `/v1/verifications/${id}/check`,
        headers: { ...headers(n, 'check'), Authorization: `Bearer ${clientSecret}` },
        body: { code: deriveCode(opened.secret, opened.seed, id, opened.shape) },
      };
    },
    isDone: (checked) => member(checked, 'proof', 'a check') !== '',
  };
}

const floor: Flow = {
  start: (n) => ({ path: '/start', headers: { Origin: ORIGIN }, body: { phone: e164(n), purpose: PURPOSE } }),
  check: (_, started) => ({
    path: '/check',
    headers: { Origin: ORIGIN },
    body: { id: member(started, 'id', 'a start'), code: sentCode(started) },
  }),
  isDone: (checked) => member(checked, 'proof', 'a check') !== '',
};

const betterAuth: Flow = {
  start: (n) => ({
    path: '/api/auth/phone-number/send-otp',
    headers: { Origin: ORIGIN },
    body: { phoneNumber: e164(n) },
  }),
  check: (n, started) => ({
    path: '/api/auth/phone-number/verify',
    headers: { Origin: ORIGIN },
    body: { phoneNumber: e164(n), code: sentCode(started) },
  }),
  isDone: (checked) => member(checked, 'token', 'a check') !== '',
};

export const flows = { ours: createOurs(), floor, 'better-auth': betterAuth };
