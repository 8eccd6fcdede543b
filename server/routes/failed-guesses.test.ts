import { afterEach, describe, expect, it } from 'vitest';
import type { StartedVerification } from '../contract.ts';
import { expectProblem } from '../testing/problems.ts';
import { type Answer, startTestServer, type TestServer, testSite } from '../testing/server.ts';

const PHONE = '+31612345678';
const wide = [{ limit: 1_000_000, window: '1h' }];

let server: TestServer;
afterEach(() => server.close());

/** The defaults of the config for failed guesses; nothing else refuses. */
async function open() {
  server = await startTestServer({
    config: {
      trustedProxies: ['loopback'],
      sites: [testSite({ limits: { phoneFromClient: wide, phone: wide, client: wide, site: wide } })],
    },
  });
}

const from = (address: string) => ({ 'X-Forwarded-For': address });
const HOME = from('203.0.113.1');

const start = (headers = HOME, phone = PHONE) => server.start({ phone, purpose: 'registration' }, headers);

async function guessWrong(started: StartedVerification, headers: Record<string, string>, times: number) {
  const wrong = (await server.codeFor(PHONE)) === '000000' ? '111111' : '000000';
  let answer: Answer | undefined;
  for (let n = 0; n < times; n += 1) answer = await server.check(started, wrong, headers);
  return answer!;
}

describe('wrong codes for one number', () => {
  it('are counted over verifications: after ten from one network none is looked at', async () => {
    await open();
    for (let n = 0; n < 2; n += 1) {
      const { body } = await start();
      expect((await guessWrong(body, HOME, 5)).body).toMatchObject({ status: 'failed' });
    }
    server.clock.advance(1_000);

    const refused = await start();
    expectProblem(refused, 429, 'too-many-requests', {
      scope: 'phone',
      retryAt: '2026-11-24T12:00:00.000Z',
    });
    expect(refused.headers.get('Retry-After')).toBe('86399');
    expect(await server.messagesTo(PHONE)).toHaveLength(2);
  });

  it('locks a verification that is under way: even the right code is not looked at, and no guess is spent', async () => {
    await open();
    const { body: waiting } = await start();
    const code = await server.codeFor(PHONE);
    for (let n = 0; n < 2; n += 1) await guessWrong((await start()).body, HOME, 5);

    for (let n = 0; n < 3; n += 1) {
      expectProblem(await server.check(waiting, code, HOME), 429, 'too-many-requests', {
        scope: 'phone',
        retryAt: '2026-11-24T12:00:00.000Z',
      });
    }
    expect((await server.read(waiting)).body).toMatchObject({ status: 'pending', attemptsRemaining: 5 });
  });

  it('opens exactly a day after the last wrong code', async () => {
    await open();
    await guessWrong((await start()).body, HOME, 5);
    server.clock.advance(60_000);
    await guessWrong((await start()).body, HOME, 5);
    server.clock.advance(86_400_000 - 1);
    expect((await start()).status).toBe(429);
    server.clock.advance(1);
    expect((await start()).status).toBe(201);
  });

  it('from a stranger’s network does not lock the owner out', async () => {
    await open();
    const stranger = from('198.51.100.66');
    for (let n = 0; n < 2; n += 1) await guessWrong((await start(stranger)).body, stranger, 5);
    expect((await start(stranger)).status).toBe(429);

    const { body } = await start();
    expect((await server.check(body, await server.codeFor(PHONE), HOME)).status).toBe(200);
  });

  it('for another number are another matter', async () => {
    await open();
    for (let n = 0; n < 2; n += 1) await guessWrong((await start()).body, HOME, 5);
    expect((await start(HOME, '+31687654321')).status).toBe(201);
  });

  it('end with a right one', async () => {
    await open();
    await guessWrong((await start()).body, HOME, 5);
    const { body } = await start();
    await guessWrong(body, HOME, 4);
    expect((await server.check(body, await server.codeFor(PHONE), HOME)).status).toBe(200);

    for (let n = 0; n < 2; n += 1) {
      const again = await start();
      expect(again.status).toBe(201);
      await guessWrong(again.body, HOME, 5);
    }
    expect((await start()).status).toBe(429);
  });

  it('are at most a hundred in a row, from wherever', async () => {
    await open();
    for (let n = 0; n < 20; n += 1) {
      const network = from(`198.51.100.${n}`);
      const { body, status } = await start(network);
      expect(status).toBe(201);
      await guessWrong(body, network, 5);
    }
    const fresh = from('192.0.2.1');
    expectProblem(await start(fresh), 429, 'too-many-requests', {
      scope: 'phone',
      retryAt: '2026-12-23T12:00:00.000Z',
    });
  });

  it('spread over parallel verifications are not looked at more often', async () => {
    await open();
    const started = await Promise.all(Array.from({ length: 8 }, () => start()));
    const codes = new Set((await server.messagesTo(PHONE)).map(({ code }) => code));
    const wrong = ['000000', '111111', '222222', '333333'].filter((code) => !codes.has(code))[0]!;
    const answers = await Promise.all(
      started.flatMap(({ body }) => Array.from({ length: 5 }, () => server.check(body, wrong, HOME))),
    );
    expect(answers.filter(({ status }) => status === 422)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(30);
  });

  it('that cannot be a code, or come without the client secret, do not count', async () => {
    await open();
    const { body } = await start();
    for (let n = 0; n < 12; n += 1) {
      await server.check(body, 'abc', HOME);
      await server.check({ ...body, clientSecret: 'cs_stranger' }, '000000', HOME);
    }
    expect((await server.check(body, await server.codeFor(PHONE), HOME)).status).toBe(200);
  });

  it('leave no way around by resending', async () => {
    await open();
    const { body } = await start();
    await guessWrong(body, HOME, 4);
    server.clock.advance(30_000);
    await server.resend(body, HOME);
    expect((await guessWrong(body, HOME, 1)).body).toMatchObject({ status: 'failed' });
    expectProblem(await server.check(body, await server.codeFor(PHONE), HOME), 409, 'verification-closed', {
      status: 'failed',
    });
  });

  it('carry RateLimit-Policy with the lock, as a limited route does', async () => {
    await open();
    const { body: waiting } = await start();
    for (let n = 0; n < 2; n += 1) await guessWrong((await start()).body, HOME, 5);
    const refused = await server.check(waiting, '000000', HOME);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('RateLimit-Policy')).toMatch(/"[\w-]+";q=10;w=86400/);
    expect(refused.headers.get('RateLimit')).toMatch(/r=0;t=86400/);
  });
});
