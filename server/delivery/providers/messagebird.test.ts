import { X509Certificate } from 'node:crypto';
import https from 'node:https';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loopbackAgent } from '../fakes/loopback-agent.ts';
import {
  type MessageBirdBehaviour,
  type MessageBirdFake,
  startMessageBirdFake,
} from '../fakes/messagebird.ts';
import type { OutgoingMessage } from '../provider.ts';
import { createMessageBird } from './messagebird.ts';

const ACCESS_KEY = 'live_fixture_key';
const DEADLINE_MS = 400;
/** How late a busy machine's timer may be. */
const SLACK_MS = 1000;

const message: OutgoingMessage = {
  reference: 'dlv_1',
  channel: 'sms',
  to: '+31612345678',
  originator: 'DemoShop',
  body: 'Demo Shop: 493027 is your code.\n@shop.example #493027',
  code: '493027',
  validitySeconds: 300,
};

const originalAgent = https.globalAgent;
const unhandled: unknown[] = [];
const warnings: Error[] = [];
const onUnhandled = (reason: unknown) => unhandled.push(reason);
const onWarning = (warning: Error) => warnings.push(warning);
let fake: MessageBirdFake;

beforeAll(() => {
  process.on('unhandledRejection', onUnhandled);
  process.on('warning', onWarning);
});

afterAll(() => {
  process.off('unhandledRejection', onUnhandled);
  process.off('warning', onWarning);
  expect(unhandled).toEqual([]);
  expect(warnings.map(String).filter((warning) => warning.includes('MaxListeners'))).toEqual([]);
});

beforeEach(async () => {
  fake = await startMessageBirdFake({ accessKey: ACCESS_KEY, paceMs: 20 });
  leadToFake();
});

afterEach(async () => {
  https.globalAgent.destroy();
  https.globalAgent = originalAgent;
  await fake.close();
});

function leadToFake(detour = {}) {
  const { port, certificate: ca } = fake;
  https.globalAgent = loopbackAgent({ host: 'rest.messagebird.com', port, ca, ...detour });
}

function provider(options = {}) {
  return createMessageBird({ accessKey: ACCESS_KEY, deadlineMs: DEADLINE_MS, ...options });
}

async function timed<T>(work: Promise<T>): Promise<{ result: T; tookMs: number }> {
  const startedAt = performance.now();
  const result = await work;
  return { result, tookMs: performance.now() - startedAt };
}

/** A `RegExp` where systems differ. */
const exactly = (reason: string | RegExp) =>
  typeof reason === 'string' ? new RegExp(`^${reason.replace(/[()]/g, '\\$&')}$`) : reason;

describe('what the vendor is asked', () => {
  it('sends the number as digits, the originator, the text and our reference', async () => {
    const outcome = await provider().send(message);
    expect(outcome).toEqual({ kind: 'accepted', providerReference: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(fake.received).toEqual([
      {
        originator: 'DemoShop',
        recipients: '31612345678',
        body: message.body,
        datacoding: 'auto',
        reference: 'dlv_1',
        validity: 300,
      },
    ]);
  });

  it('asks for a status report only where one can be received', async () => {
    await provider({ reportUrl: 'https://verify.example/v1/receipts/messagebird' }).send(message);
    expect(fake.received[0]?.reportUrl).toBe('https://verify.example/v1/receipts/messagebird');
  });

  it('leaves the message it was given untouched', async () => {
    const frozen = Object.freeze({ ...message });
    await expect(provider().send(frozen)).resolves.toMatchObject({ kind: 'accepted' });
  });

  it('refuses to be made with a key that no header can carry', () => {
    for (const accessKey of ['', ' ', 'two words', 'line\nbreak', 'clé']) {
      expect(() => createMessageBird({ accessKey })).toThrow(/accessKey/);
    }
  });
});

describe('what each answer means', () => {
  const table: [MessageBirdBehaviour, 'accepted' | 'refused' | 'unknown', (string | RegExp)?][] = [
    ['accept', 'accepted'],
    ['accept-slowly', 'accepted'],
    ['duplicate-answer', 'accepted'],

    ['access-key-rejected', 'refused', 'access-key-rejected (http 401, error 2)'],
    ['balance-insufficient', 'refused', 'balance-insufficient (http 402, error 25)'],
    ['originator-invalid', 'refused', 'parameter-invalid (http 422, error 10 originator)'],
    ['forbidden-html', 'refused', 'forbidden (http 403)'],
    ['rate-limited-bare', 'refused', 'rate-limited (http 429)'],
    ['attachment-rejection', 'refused', 'balance-insufficient (http 402)'],
    ['server-error', 'refused', 'vendor-error (http 500, error 99)'],
    ['not-implemented', 'refused', 'vendor-error (http 501)'],
    ['recipient-failed', 'refused', 'recipient-delivery_failed (http 201)'],
    ['reset-in-handshake', 'refused', 'not-connected (ECONNRESET)'],
    ['stall-in-handshake', 'refused', 'not-connected (deadline)'],

    ['server-error-bare', 'unknown', 'vendor-error (http 500)'],
    ['server-error-lookalike', 'unknown', 'vendor-error (http 500)'],
    ['unavailable-html', 'unknown', 'vendor-error (http 503)'],
    ['redirect', 'unknown', 'unexpected-status (http 307)'],
    ['empty', 'unknown', 'unreadable-answer (http 200, unreadable)'],
    ['no-content', 'unknown', 'unexpected-answer (http 204)'],
    ['html', 'unknown', 'unreadable-answer (http 200, unreadable)'],
    ['json-null', 'unknown', 'unreadable-answer (http 200, unreadable)'],
    ['truncated-json', 'unknown', 'unreadable-answer (http 201, unreadable)'],
    ['truncated-body', 'unknown', 'unreadable-answer (http 201, unreadable)'],
    ['attachment', 'unknown', 'unexpected-answer (http 201)'],
    ['errors-with-success', 'unknown', 'contradictory-answer (http 200, error 25)'],
    ['wrong-shape', 'unknown', 'unexpected-answer (http 200)'],
    ['no-recipients', 'unknown', 'unexpected-answer (http 201)'],
    ['recipient-odd', 'unknown', 'unexpected-answer (http 201)'],
    ['other-reference', 'unknown', 'mismatched-answer (http 201)'],
    ['endless', 'unknown', 'unreadable-answer (http 200, answer-too-large)'],
    ['not-http', 'unknown', 'no-answer (HPE_INVALID_CONSTANT)'],
    ['reset-before-reading', 'unknown', /^no-answer \((ECONNRESET|EPIPE)\)$/],
    ['reset-after-reading', 'unknown', /^no-answer \((ECONNRESET|EPIPE)\)$/],
    ['hang', 'unknown', 'no-answer (deadline)'],
    ['drip', 'unknown', 'unreadable-answer (http 201, deadline)'],
  ];

  it.each(table)('%s is %s', async (behaviour, kind, reason) => {
    fake.behave(behaviour);
    const { result, tookMs } = await timed(provider().send(message));
    if (reason === undefined) expect(result).toEqual({ kind, providerReference: expect.any(String) });
    else expect(result).toEqual({ kind, reason: expect.stringMatching(exactly(reason)) });
    expect(tookMs).toBeLessThan(DEADLINE_MS + SLACK_MS);
  });

  it.each(table)('%s is %s on a connection that was used before, too', async (behaviour, kind) => {
    const sender = provider();
    await sender.send(message);
    fake.behave(behaviour);
    const outcome = await sender.send(message);
    // Where the connection stands already, there is no handshake to break: what it breaks may have been sent.
    const isOfHandshake = behaviour.endsWith('-in-handshake');
    expect(outcome.kind).toBe(isOfHandshake ? 'unknown' : kind);
    expect(fake.handshakes).toBe(1);
  });

  it('names what is wrong with the key, and never the key, the number, the text or the code', async () => {
    const outcomes = [];
    for (const [behaviour] of table) {
      fake.behave(behaviour);
      outcomes.push(await provider({ deadlineMs: 100 }).send(message));
    }
    const said = JSON.stringify(outcomes.filter(({ kind }) => kind !== 'accepted'));
    for (const secret of [ACCESS_KEY, '31612345678', '493027', 'Demo Shop'])
      expect(said).not.toContain(secret);

    fake.behave('accept');
    await expect(provider({ accessKey: 'wrong_key' }).send(message)).resolves.toEqual({
      kind: 'refused',
      reason: 'access-key-rejected (http 401, error 2)',
    });
  });

  it('tells two hundred sends at once apart, each with its own outcome', async () => {
    const kindOf = new Map(table.map(([behaviour, kind]) => [behaviour, kind]));
    const behaviours = [...kindOf.keys()].filter((name) => !name.endsWith('-in-handshake'));
    fake.behave((sms) => behaviours[Number(sms.reference) % behaviours.length] ?? 'accept');

    const sender = provider({ deadlineMs: 3000 });
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, index) => sender.send({ ...message, reference: String(index) })),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(
      outcomes.map((_, index) => kindOf.get(behaviours[index % behaviours.length] ?? 'accept')),
    );
  });
});

describe('when the vendor cannot be reached', () => {
  it.each([
    ['at once', (report: () => void) => report()],
    ['later', (report: () => void) => void setTimeout(report, 5)],
  ])('is refused when the name does not resolve, be it found out %s', async (_when, schedule) => {
    const notFound = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    leadToFake({
      lookup: (_name: string, _options: unknown, done: (error: Error) => void) =>
        schedule(() => done(notFound)),
    });
    expect(await provider().send(message)).toEqual({ kind: 'refused', reason: 'not-connected (ENOTFOUND)' });
  });

  it('is refused at the deadline when the name server does not answer', async () => {
    leadToFake({ lookup: () => {} });
    const { result, tookMs } = await timed(provider().send(message));
    expect(result).toEqual({ kind: 'refused', reason: 'not-connected (deadline)' });
    expect(tookMs).toBeLessThan(DEADLINE_MS + SLACK_MS);
  });

  it('is refused when nobody listens', async () => {
    await fake.close();
    expect(await provider().send(message)).toEqual({
      kind: 'refused',
      reason: 'not-connected (ECONNREFUSED)',
    });
  });

  it('is refused, and not a byte is sent, when the certificate is not to be trusted', async () => {
    leadToFake({ ca: undefined });
    expect(await provider().send(message)).toEqual({
      kind: 'refused',
      reason: 'not-connected (DEPTH_ZERO_SELF_SIGNED_CERT)',
    });
    // A second, honest one behind it proves that the first has been dealt with.
    leadToFake();
    await provider().send(message);
    expect(fake.received).toHaveLength(1);
  });

  it('is refused at the deadline while it waits for a connection of its own', async () => {
    https.globalAgent.maxSockets = 1;
    fake.behave((sms) => (sms.reference === 'first' ? 'hang' : 'accept'));
    const [first, second] = await Promise.all([
      provider({ deadlineMs: 2 * DEADLINE_MS }).send({ ...message, reference: 'first' }),
      provider().send({ ...message, reference: 'second' }),
    ]);
    expect(first).toEqual({ kind: 'unknown', reason: 'no-answer (deadline)' });
    expect(second).toEqual({ kind: 'refused', reason: 'not-connected (deadline)' });
    await provider().send({ ...message, reference: 'third' });
    expect(fake.received.map(({ reference }) => reference)).toEqual(['first', 'third']);
  });
});

describe('what it leaves behind', () => {
  it('closes the connection of a request that it ended at its deadline', async () => {
    for (const behaviour of ['hang', 'drip', 'stall-in-handshake', 'endless'] as const) {
      fake.behave(behaviour);
      await provider({ deadlineMs: 100 }).send(message);
    }
    while (openConnections().length > 0) await new Promise(setImmediate);
  });

  it('answers ten thousand sends over the connections of the first few, with no listener more', async () => {
    const sender = provider({ deadlineMs: 5000 });
    const total = 10_000;
    const atOnce = 10;
    let sent = 0;
    let accepted = 0;
    let mostListeners = 0;
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        while (sent < total) {
          sent += 1;
          const outcome = await sender.send(message);
          if (outcome.kind === 'accepted') accepted += 1;
          for (const socket of openConnections()) {
            mostListeners = Math.max(mostListeners, socket.listenerCount('timeout'));
          }
        }
      }),
    );
    expect(accepted).toBe(total);
    expect(fake.received).toHaveLength(total);
    expect(fake.handshakes).toBe(atOnce);
    // Node itself has two on a new connection and one later; the SDK's would have been a thousand on each.
    expect(mostListeners).toBeLessThanOrEqual(2);
    expect(openConnections().map((socket) => socket.listenerCount('timeout'))).toEqual(Array(atOnce).fill(1));
    expect(warnings).toEqual([]);
  }, 60_000);

  it('leaves other requests of the process alone', async () => {
    const others = Array.from({ length: 20 }, () => fetchFromFake());
    const sends = Array.from({ length: 20 }, () => provider().send(message));
    expect(await Promise.all(others)).toEqual(Array(20).fill(404));
    expect((await Promise.all(sends)).map(({ kind }) => kind)).toEqual(Array(20).fill('accepted'));
  });

  it('ends what is under way when closed, and takes nothing more', async () => {
    fake.behave('hang');
    const sender = provider({ deadlineMs: 60_000 });
    const underway = sender.send(message);
    while (fake.received.length === 0) await new Promise(setImmediate);
    sender.close();
    sender.close();
    expect(await underway).toEqual({ kind: 'unknown', reason: 'no-answer (provider-closed)' });
    expect(await sender.send(message)).toEqual({ kind: 'refused', reason: 'provider-closed' });
  });

  function openConnections() {
    const { sockets, freeSockets } = https.globalAgent;
    return [sockets, freeSockets].flatMap((pool) => Object.values(pool).flatMap((all) => all ?? []));
  }

  function fetchFromFake(): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      https
        .get({ host: 'rest.messagebird.com', path: '/elsewhere' }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
        .on('error', reject);
    });
  }
});

describe('the fake', () => {
  it('shows a certificate that holds for the hard-coded host, for decades', () => {
    const certificate = new X509Certificate(fake.certificate);
    expect(certificate.checkHost('rest.messagebird.com')).toBe('rest.messagebird.com');
    expect(new Date(certificate.validTo).getUTCFullYear()).toBeGreaterThan(2100);
  });
});
