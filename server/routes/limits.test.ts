import { afterEach, describe, expect, it } from 'vitest';
import { expectProblem } from '../testing/problems.ts';
import { startTestServer, type TestServer, testSite } from '../testing/server.ts';

const PHONE = '+31612345678';

let server: TestServer;
afterEach(() => server.close());

type Limits = NonNullable<Parameters<typeof testSite>[0]>['limits'];
const wide = [{ limit: 1_000_000, window: '1h' }];

/** Only what is named is tight. */
async function withLimits(limits: NonNullable<Limits>) {
  server = await startTestServer({
    config: {
      trustedProxies: ['loopback'],
      sites: [
        testSite({ limits: { phoneFromClient: wide, phone: wide, client: wide, site: wide, ...limits } }),
        testSite({
          id: 'other',
          publishableKey: 'pk_other',
          secretKey: 'sk_other',
          limits: { phoneFromClient: wide, phone: wide, client: wide, site: wide, ...limits },
        }),
      ],
    },
  });
}

const start = (phone: string, from = '203.0.113.1', more: Record<string, unknown> = {}) =>
  server.start({ phone, purpose: 'registration', ...more }, { 'X-Forwarded-For': from });
const nthPhone = (n: number) => `+3161234${String(1_000 + n)}`;

describe('the limit of a number', () => {
  it('is exact, says until when, and opens again just then', async () => {
    await withLimits({ phone: [{ limit: 3, window: '1h' }] });
    for (let n = 0; n < 3; n += 1) expect((await start(PHONE)).status).toBe(201);
    server.clock.advance(60_000);

    const refused = await start(PHONE);
    // Three at once, then one every twenty minutes, counted from the first.
    expectProblem(refused, 429, 'too-many-requests', {
      retryAt: '2026-11-23T12:20:00.000Z',
      scope: 'phone',
    });
    expect(refused.headers.get('Retry-After')).toBe('1140');
    expect(refused.headers.get('RateLimit')).toBe('"phone-3600";r=0;t=1140');
    expect(refused.body).toMatchObject({ detail: expect.stringContaining('1140 seconds') });

    server.clock.advance(1_140_000 - 1);
    expect((await start(PHONE)).status).toBe(429);
    server.clock.advance(1);
    expect((await start(PHONE)).status).toBe(201);
    expect((await start(PHONE)).status).toBe(429);
    expect(await server.messagesTo(PHONE)).toHaveLength(4);
  });

  it('tells "no more today" from "wait a little"', async () => {
    await withLimits({ phone: [{ limit: 1, window: '24h' }] });
    await start(PHONE);
    const { body } = await start(PHONE);
    expect(body).toMatchObject({
      detail: expect.stringMatching(/no more today/i),
      retryAt: '2026-11-24T12:00:00.000Z',
    });
  });

  it('does not care how the number is written', async () => {
    await withLimits({ phone: [{ limit: 12, window: '1h' }] });
    const written: [string, string?][] = [
      ['+31612345678'],
      ['+31 6 12 34 56 78'],
      ['+31 (0)6 12345678'],
      ['0031612345678'],
      ['0031612345678', 'US'],
      ['06 1234 5678', 'NL'],
      ['06-12345678', 'NL'],
      ['612345678', 'NL'],
      ['tel:+31612345678'],
      ['＋３１６１２３４５６７８'],
      ['٠٦١٢٣٤٥٦٧٨', 'NL'],
      ['+31.6.12.34.56.78'],
    ];
    for (const [phone, country] of written) {
      const answer = await start(phone, undefined, country ? { country } : {});
      expect([phone, answer.status, answer.body.phone]).toEqual([phone, 201, PHONE]);
    }
    for (const [phone, country] of written) {
      const answer = await start(phone, undefined, country ? { country } : {});
      expect([phone, answer.status]).toEqual([phone, 429]);
    }
  });

  it.each([
    '\u202a+31612345678\u202c',
    '\u2068+31 6 12345678\u2069',
    '\u200e+31612345678',
    '+31\u00ad612345678',
  ])('does not care for invisible marks that come along with a paste: %j', async (phone) => {
    await withLimits({ phone: [{ limit: 1, window: '1h' }] });
    expect((await start(phone)).body.phone).toBe(PHONE);
    expect((await start(PHONE)).status).toBe(429);
  });

  it('counts resends and intents, too', async () => {
    await withLimits({ phone: [{ limit: 2, window: '1h' }] });
    const { body } = await start(PHONE);
    const { body: intent } = await server.backend('POST', '/v1/intents', { phone: PHONE, purpose: 'login' });
    expect((await server.start({ intent: intent.intent })).status).toBe(201);
    server.clock.advance(30_000);

    const refused = await server.resend(body);
    expectProblem(refused, 429, 'too-many-requests', {
      retryAt: '2026-11-23T12:30:00.000Z',
      scope: 'phone',
    });
    expect((await server.read(body)).body.resend).toMatchObject({ remaining: 3 });
    expect(await server.messagesTo(PHONE)).toHaveLength(2);
  });

  it('of one site is not another’s, and a refused start does not use up its intent', async () => {
    await withLimits({ phone: [{ limit: 1, window: '1h' }] });
    await start(PHONE);
    expect((await start(PHONE, undefined, { siteKey: 'pk_other' })).status).toBe(201);

    const { body: intent } = await server.backend('POST', '/v1/intents', {
      phone: PHONE,
      purpose: 'login',
      expiresIn: 7_200,
    });
    expect((await server.start({ intent: intent.intent })).status).toBe(429);
    server.clock.advance(3_600_000);
    expect((await server.start({ intent: intent.intent })).status).toBe(201);
  });

  it('holds against parallel starts', async () => {
    await withLimits({ phone: [{ limit: 5, window: '1h' }] });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => start(PHONE, `198.51.100.${n}`)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(35);
    expect(await server.messagesTo(PHONE)).toHaveLength(5);
  });

  it('is not charged where another limit refuses', async () => {
    await withLimits({ phone: [{ limit: 2, window: '1h' }], client: [{ limit: 1, window: '1m' }] });
    expect((await start(PHONE)).status).toBe(201);
    for (let n = 0; n < 5; n += 1) {
      expectProblem(await start(PHONE), 429, 'too-many-requests', {
        retryAt: '2026-11-23T12:01:00.000Z',
        scope: 'client',
      });
    }
    expect((await start(PHONE, '203.0.113.2')).status).toBe(201);
  });
});

describe('the limit of a client', () => {
  const oneAnHour = { client: [{ limit: 1, window: '1h' }] };

  it('counts an IPv4 address', async () => {
    await withLimits(oneAnHour);
    expect((await start(nthPhone(1), '203.0.113.1')).status).toBe(201);
    expectProblem(await start(nthPhone(2), '203.0.113.1'), 429, 'too-many-requests', {
      retryAt: '2026-11-23T13:00:00.000Z',
      scope: 'client',
    });
    expect((await start(nthPhone(3), '203.0.113.2')).status).toBe(201);
  });

  it.each([
    '2001:db8:1:2::9',
    '2001:DB8:1:2:ffff:ffff:ffff:ffff',
    '2001:0db8:0001:0002:0:0:0:1',
    '[2001:db8:1:2::1]:443',
  ])('counts an IPv6 /64: %s is the same', async (address) => {
    await withLimits(oneAnHour);
    expect((await start(nthPhone(1), '2001:db8:1:2::1')).status).toBe(201);
    expect((await start(nthPhone(2), address)).status).toBe(429);
    expect((await start(nthPhone(3), '2001:db8:1:3::1')).status).toBe(201);
  });

  it.each(['::ffff:203.0.113.1', '203.0.113.1:5123', '::ffff:cb00:7101', '::FFFF:203.0.113.1'])(
    'takes %s for the IPv4 address that it is',
    async (address) => {
      await withLimits(oneAnHour);
      expect((await start(nthPhone(1), '203.0.113.1')).status).toBe(201);
      expect((await start(nthPhone(2), address)).status).toBe(429);
    },
  );

  it('believes the proxy alone, and not what the client wrote before it', async () => {
    await withLimits(oneAnHour);
    expect((await start(nthPhone(1), '203.0.113.1')).status).toBe(201);
    for (const forged of ['198.51.100.1', 'unknown', '', '127.0.0.1', '::1', 'x'.repeat(500)]) {
      expect((await start(nthPhone(2), `${forged}, 203.0.113.1`)).status).toBe(429);
    }
  });

  it('believes no X-Forwarded-For where no proxy is configured', async () => {
    server = await startTestServer({
      config: {
        sites: [testSite({ limits: { phoneFromClient: wide, phone: wide, site: wide, ...oneAnHour } })],
      },
    });
    expect((await start(nthPhone(1), '203.0.113.1')).status).toBe(201);
    expect((await start(nthPhone(2), '203.0.113.2')).status).toBe(429);
  });
});

describe('the limit of a site', () => {
  it('counts every message, whoever asks, for whichever number', async () => {
    await withLimits({ site: [{ limit: 2, window: '1m' }] });
    expect((await start(nthPhone(1), '203.0.113.1')).status).toBe(201);
    expect((await start(nthPhone(2), '203.0.113.2')).status).toBe(201);
    expectProblem(await start(nthPhone(3), '203.0.113.3'), 429, 'too-many-requests', {
      retryAt: '2026-11-23T12:00:30.000Z',
      scope: 'site',
    });
    expect((await start(nthPhone(3), '203.0.113.3', { siteKey: 'pk_other' })).status).toBe(201);
  });
});

describe('the share of one network in a number', () => {
  it('is all that a stranger can use up: the owner goes on from elsewhere', async () => {
    await withLimits({ phoneFromClient: [{ limit: 2, window: '1h' }], phone: [{ limit: 6, window: '1h' }] });
    const stranger = '198.51.100.66';
    for (const status of [201, 201, 429, 429]) {
      expect((await start(PHONE, stranger)).status).toBe(status);
    }
    const refused = await start(PHONE, stranger);
    expect(refused.body).toMatchObject({ code: 'too-many-requests', scope: 'phone' });
    expect((await start(PHONE, '203.0.113.7')).status).toBe(201);
  });
});

describe('the headers of a limited route', () => {
  it('name every limit, and how the tightest stands', async () => {
    await withLimits({ phone: [{ limit: 5, window: '1h' }], client: [{ limit: 20, window: '10m' }] });
    const { headers, body } = await start(PHONE);
    expect(headers.get('RateLimit-Policy')).toBe(
      '"phone-client-3600";q=1000000;w=3600, "phone-3600";q=5;w=3600, "client-600";q=20;w=600, "site-3600";q=1000000;w=3600',
    );
    expect(headers.get('RateLimit')).toBe('"phone-3600";r=4;t=720');
    server.clock.advance(30_000);
    expect((await server.resend(body)).headers.get('RateLimit')).toBe('"phone-3600";r=3;t=1410');
  });

  it('stand on every refusal by a limit', async () => {
    await withLimits({ phone: [{ limit: 1, window: '1h' }] });
    const { body } = await start(PHONE);
    const tooMany = await start(PHONE);
    server.clock.advance(30_000);
    const resent = await server.resend(body);
    for (const answer of [tooMany, resent]) {
      expect(answer.status).toBe(429);
      expect(answer.headers.get('RateLimit-Policy')).toContain('"phone-3600";q=1;w=3600');
      expect(answer.headers.get('RateLimit')).toMatch(/^"phone-3600";r=0;t=\d+$/);
    }
  });

  it('has the defaults of the config where nothing is said', async () => {
    server = await startTestServer({ config: { sites: [testSite()] } });
    const { headers } = await start(PHONE);
    expect(headers.get('RateLimit-Policy')).toBe(
      '"phone-client-3600";q=5;w=3600, "phone-client-86400";q=10;w=86400, "phone-3600";q=15;w=3600, "phone-86400";q=30;w=86400, "client-600";q=20;w=600, "client-86400";q=100;w=86400, "site-60";q=1000;w=60',
    );
  });
});
