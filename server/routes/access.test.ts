import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StartedVerification } from '../contract.ts';
import { expectProblem } from '../testing/problems.ts';
import { rawRequest } from '../testing/raw-http.ts';
import { ISSUER, NO_LIMITS, ORIGIN, startTestServer, type TestServer, testSite } from '../testing/server.ts';

const OTHER_ORIGIN = 'https://other.example';
const PHONE = '+31612345678';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    config: {
      sites: [
        testSite({ limits: NO_LIMITS }),
        testSite({
          id: 'other',
          publishableKey: 'pk_other',
          secretKey: 'sk_other',
          allowedOrigins: [OTHER_ORIGIN],
          limits: NO_LIMITS,
        }),
        testSite({
          id: 'app',
          publishableKey: 'pk_app',
          secretKey: 'sk_app',
          allowedOrigins: ['https://app.example'],
          allowMissingOrigin: true,
          limits: NO_LIMITS,
        }),
      ],
    },
  });
});
afterAll(() => server.close());

const startAs = (siteKey: string, origin: string | null) =>
  server.call<StartedVerification>('POST', '/v1/verifications', {
    body: { siteKey, phone: PHONE, purpose: 'registration' },
    origin,
  });
const bearer = (secret: string) => ({ Authorization: `Bearer ${secret}` });

/** Every call of a holder, each told apart by name. */
const holderCalls = [
  ['GET', (id: string) => `/v1/verifications/${id}`, undefined],
  ['POST', (id: string) => `/v1/verifications/${id}/resend`, {}],
  ['POST', (id: string) => `/v1/verifications/${id}/check`, { code: '123456' }],
  ['DELETE', (id: string) => `/v1/verifications/${id}`, undefined],
] as const;

describe('the origin of a page', () => {
  it.each([
    ['one of its own', 'pk_test', ORIGIN],
    ['another site’s own', 'pk_other', OTHER_ORIGIN],
  ])('may be %s, and may then read the answer', async (_, siteKey, origin) => {
    const answer = await startAs(siteKey, origin);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(origin);
    expect(answer.headers.get('Vary')).toContain('Origin');
    const exposed = answer.headers.get('Access-Control-Expose-Headers');
    for (const name of ['X-Request-Id', 'Retry-After', 'RateLimit', 'RateLimit-Policy']) {
      expect(exposed).toContain(name);
    }
  });

  it.each([
    ['another site’s', OTHER_ORIGIN],
    ['nobody’s', 'https://evil.example'],
    ['opaque', 'null'],
    ['the same host on another port', `${ORIGIN}:8443`],
    ['the same host without TLS', 'http://shop.example'],
    ['a subdomain', 'https://www.shop.example'],
    ['one that only begins alike', `${ORIGIN}.evil.example`],
    ['in another case', 'https://SHOP.example'],
    ['missing', null],
  ])('may not be %s', async (_, origin) => {
    const answer = await startAs('pk_test', origin);
    expectProblem(answer, 403, 'origin-not-allowed');
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull();
  });

  it('may be missing where the site says so, and still not be a wrong one', async () => {
    expect((await startAs('pk_app', null)).status).toBe(201);
    expectProblem(await startAs('pk_app', ORIGIN), 403, 'origin-not-allowed');
  });

  it('is asked of every call of a holder, too', async () => {
    const { body } = await startAs('pk_test', ORIGIN);
    for (const [method, path, content] of holderCalls) {
      for (const origin of [OTHER_ORIGIN, null]) {
        const headers = bearer(body.clientSecret);
        const answer = await server.call(method, path(body.id), { body: content, headers, origin });
        expectProblem(answer, 403, 'origin-not-allowed');
        expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull();
      }
    }
    expect((await server.read(body)).body).toMatchObject({ status: 'pending', attemptsRemaining: 5 });
  });

  it('may read refusals, too', async () => {
    const answer = await server.start({ phone: 'nonsense', purpose: 'registration' });
    expectProblem(answer, 422, 'invalid-phone');
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(ORIGIN);
  });

  it('is the public one where a page of this very server asks, also behind a proxy that ends TLS', async () => {
    const own = await startTestServer({
      config: { sites: [testSite({ allowedOrigins: [ORIGIN, ISSUER] })] },
    });
    const path = '/v1/widget-config?siteKey=pk_test';
    // Browsers leave the Origin out of a GET to the page's own origin.
    const head = `GET ${path} HTTP/1.1\r\nHost: ${new URL(ISSUER).host}\r\nConnection: close\r\n`;
    for (const header of ['Sec-Fetch-Site: same-origin', `Referer: ${ISSUER}/studio`]) {
      const [answer] = await rawRequest(own.port, `${head}${header}\r\n\r\n`);
      expect([header, answer?.status]).toEqual([header, 200]);
    }
    await own.close();
  });

  it('may be any where the site says "*"', async () => {
    const open = await startTestServer({
      config: { sites: [testSite({ allowedOrigins: ['*'], audience: 'shop' })] },
    });
    const answer = await open.start({ phone: PHONE, purpose: 'registration' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(ORIGIN);
    await open.close();
  });
});

describe('a preflight', () => {
  const preflight = (path: string, origin: string | null) =>
    server.call('OPTIONS', path, {
      origin,
      headers: {
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization,content-type,idempotency-key',
      },
    });

  it.each([
    ['/v1/verifications', 'POST'],
    ['/v1/verifications/vrf_x/check', 'POST'],
    ['/v1/verifications/vrf_x/resend', 'POST'],
    ['/v1/verifications/vrf_x', 'DELETE'],
    ['/v1/widget-config', 'GET'],
  ])('of %s allows what the page needs', async (path, method) => {
    for (const origin of [ORIGIN, OTHER_ORIGIN]) {
      const answer = await preflight(path, origin);
      expect(answer.status).toBe(204);
      expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(origin);
      expect(answer.headers.get('Access-Control-Allow-Methods')).toContain(method);
      const allowed = answer.headers.get('Access-Control-Allow-Headers')?.toLowerCase();
      for (const name of ['authorization', 'content-type', 'idempotency-key']) {
        expect(allowed).toContain(name);
      }
      expect(Number(answer.headers.get('Access-Control-Max-Age'))).toBeGreaterThan(0);
      expect(answer.headers.get('Access-Control-Allow-Credentials')).toBeNull();
      expect(answer.headers.get('Vary')).toContain('Origin');
    }
  });

  it.each(['https://evil.example', 'null', null])('from %s is refused', async (origin) => {
    const answer = await preflight('/v1/verifications', origin);
    expectProblem(answer, 403, 'origin-not-allowed');
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull();
  });

  it('of a backend’s call is not answered: secret keys have no place in pages', async () => {
    for (const path of ['/v1/intents', '/v1/proofs/redeem']) {
      const answer = await preflight(path, ORIGIN);
      expectProblem(answer, 404, 'not-found');
      expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull();
    }
  });
});

describe('keys', () => {
  it('refuses an unknown publishable key, and a secret key in its place', async () => {
    for (const siteKey of ['pk_unknown', 'sk_test', '__proto__', 'constructor']) {
      expectProblem(await startAs(siteKey, ORIGIN), 401, 'invalid-key');
    }
  });

  it.each([
    ['/v1/intents', { phone: PHONE, purpose: 'login' }],
    ['/v1/proofs/redeem', { proof: 'x' }],
  ])('refuses %s without a known secret key', async (path, body) => {
    for (const authorization of [
      undefined,
      'Bearer sk_unknown',
      'Bearer pk_test',
      'Bearer',
      'Bearer ',
      'sk_test',
      'Basic c2tfdGVzdA==',
      'Bearer sk_test sk_test',
      'Bearer sk_test,',
    ]) {
      const headers: Record<string, string> =
        authorization === undefined ? {} : { Authorization: authorization };
      expectProblem(await server.call('POST', path, { body, headers, origin: null }), 401, 'invalid-key');
    }
  });

  it('takes the scheme in any case (RFC 9110 §11.1)', async () => {
    const headers = { Authorization: 'bearer sk_test' };
    const body = { phone: PHONE, purpose: 'login' };
    expect((await server.call('POST', '/v1/intents', { body, headers, origin: null })).status).toBe(201);
  });
});

describe('a client secret', () => {
  it('is not guessed, borrowed or altered: any other is 404, on every call, and changes nothing', async () => {
    const { body } = await startAs('pk_test', ORIGIN);
    const { body: neighbour } = await startAs('pk_test', ORIGIN);
    const sentBefore = (await server.messagesTo(PHONE)).length;
    server.clock.advance(30_000);
    const { clientSecret } = body;
    const last = clientSecret.at(-1) === 'A' ? 'B' : 'A';
    const middle = clientSecret[30] === 'A' ? 'B' : 'A';
    const strangers: Record<string, string>[] = [
      {},
      bearer(neighbour.clientSecret),
      bearer(`${clientSecret.slice(0, 30)}${middle}${clientSecret.slice(31)}`),
      bearer(`${clientSecret.slice(0, -2)}${last}${clientSecret.at(-1)}`),
      bearer(clientSecret.slice(0, -4)),
      bearer(`${clientSecret}AAAA`),
      bearer('cs_'),
      bearer('pk_test'),
      { Authorization: clientSecret },
      { Authorization: `Basic ${clientSecret}` },
    ];
    for (const headers of strangers) {
      for (const [method, path, content] of holderCalls) {
        const answer = await server.call(method, path(body.id), { body: content, headers });
        expectProblem(answer, 404, 'verification-not-found');
      }
    }
    expect((await server.read(body)).body).toMatchObject({ status: 'pending', attemptsRemaining: 5 });
    expect(await server.messagesTo(PHONE)).toHaveLength(sentBefore);
  });

  it('is taken in its one spelling only', async () => {
    const { body } = await startAs('pk_test', ORIGIN);
    const { id, clientSecret } = body;
    for (const respelled of [
      `${clientSecret}A`,
      `${clientSecret}=`,
      `${clientSecret}!`,
      `cs_.${clientSecret.slice(3)}`,
    ]) {
      expectProblem(await server.read({ id, clientSecret: respelled }), 404, 'verification-not-found');
    }
  });

  it('answers the same for a verification that never was', async () => {
    const { body } = await startAs('pk_test', ORIGIN);
    for (const id of [`vrf_${'A'.repeat(24)}`, 'vrf_', 'x', '%00', `${body.id}x`]) {
      const answer = await server.call('GET', `/v1/verifications/${id}`, {
        headers: bearer(body.clientSecret),
      });
      expectProblem(answer, 404, 'verification-not-found');
    }
  });
});

describe('a secret key', () => {
  it('reads the whole of its own site’s verification', async () => {
    const { body } = await startAs('pk_test', ORIGIN);
    const { clientSecret: _, ...view } = body;
    const at = new Date(server.clock.now()).toISOString();
    const answer = await server.backend('GET', `/v1/verifications/${body.id}`);

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      ...view,
      subject: null,
      createdAt: at,
      approvedAt: null,
      deliveries: [
        {
          id: expect.stringMatching(/^dlv_/),
          status: 'sent',
          channel: 'sms',
          provider: 'simulator',
          providerReference: expect.stringMatching(/^sim_/),
          reason: null,
          createdAt: at,
          at,
        },
      ],
    });
  });

  it('sees the number of an intent’s verification, which the page does not', async () => {
    const subject = 'user-7';
    const { body: intent } = await server.backend('POST', '/v1/intents', {
      phone: PHONE,
      purpose: 'login',
      subject,
    });
    const { body } = await server.start({ intent: intent.intent });
    expect((await server.read(body)).body.phone).toBeNull();
    expect(JSON.stringify((await server.read(body)).body)).not.toContain(subject);
    const whole = await server.backend('GET', `/v1/verifications/${body.id}`);
    expect(whole.body).toMatchObject({ phone: PHONE, subject });
  });

  it('reaches nothing of another site: 404, as if it were not there', async () => {
    const { body } = await startAs('pk_test', ORIGIN);
    const path = `/v1/verifications/${body.id}`;
    const read = (key: string) => server.call('GET', path, { origin: null, headers: bearer(key) });
    expectProblem(await read('sk_other'), 404, 'verification-not-found');
    expectProblem(await read('sk_unknown'), 401, 'invalid-key');
    const missing = server.call('GET', `/v1/verifications/vrf_${'A'.repeat(24)}`, {
      origin: null,
      headers: bearer('sk_test'),
    });
    expectProblem(await missing, 404, 'verification-not-found');
  });

  it('cannot check, resend or cancel: that is for the browser that asked', async () => {
    const { body } = await startAs('pk_test', ORIGIN);
    for (const [method, path, content] of holderCalls.slice(1)) {
      const answer = await server.call(method, path(body.id), { body: content, headers: bearer('sk_test') });
      expectProblem(answer, 404, 'verification-not-found');
    }
  });
});
