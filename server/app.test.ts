import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemBody, problemCode } from './contract.ts';
import { expectProblem } from './testing/problems.ts';
import { ISSUER, NO_LIMITS, startTestServer, type TestServer, testSite } from './testing/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${server.url}${path}`, { headers });

const everyPath = [
  '/',
  '/livez',
  '/readyz',
  '/openapi.json',
  '/.well-known/jwks.json',
  '/.well-known/openid-configuration',
  '/simulator',
  '/simulator/messages',
  '/v1/widget-config?siteKey=pk_test',
  '/v1/verifications/vrf_x',
  '/problems/blocked',
  '/nothing',
];

describe('every answer', () => {
  it.each(everyPath)('carries a request id of its own and the security headers: %s', async (path) => {
    const [one, other] = [await get(path), await get(path)];
    expect(one.headers.get('X-Request-Id')).toMatch(/^req_[\w-]{16}$/);
    expect(one.headers.get('X-Request-Id')).not.toBe(other.headers.get('X-Request-Id'));
    expect(one.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(one.headers.get('X-Frame-Options')).toBe('DENY');
    expect(one.headers.get('Referrer-Policy')).toBe('no-referrer');
    expect(one.headers.get('Strict-Transport-Security')).toMatch(/^max-age=\d{8}/);
    const policy = one.headers.get('Content-Security-Policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe/);
    expect(one.headers.get('X-Powered-By')).toBeNull();
    expect(one.headers.get('Set-Cookie')).toBeNull();
  });

  it('names no client’s request id but its own', async () => {
    const answer = await get('/livez', { 'X-Request-Id': 'forged' });
    expect(answer.headers.get('X-Request-Id')).toMatch(/^req_/);
  });

  it('is logged under its request id, with the route and not the address', async () => {
    const answer = await get('/v1/verifications/vrf_secretid?x=private');
    const line = server.logLines.find((one) => one.includes(String(answer.headers.get('X-Request-Id'))));
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      event: 'request',
      method: 'GET',
      route: '/v1/verifications/:id',
      status: 404,
    });
    expect(line).not.toContain('private');
  });
});

describe('an unknown route', () => {
  it.each([
    ['GET', '/nothing'],
    ['GET', '/v1'],
    ['GET', '/v1/verifications'],
    ['PUT', '/v1/verifications'],
    ['PATCH', '/v1/verifications/vrf_x'],
    ['POST', '/v1/verifications/vrf_x'],
    ['GET', '/v1/intents'],
    ['DELETE', '/v1/proofs/redeem'],
    ['POST', '/livez'],
    ['GET', '/v1/verifications/'],
    ['GET', '/.well-known/other'],
    ['GET', '/problems/nothing'],
    ['GET', '/simulator/../../package.json'],
    ['GET', '/simulator/%2e%2e%2fpage.html'],
    ['GET', '/phone-proof/..%2f..%2fpackage.json'],
  ])('%s %s is 404 not-found', async (method, path) => {
    expectProblem(await server.call(method, path), 404, 'not-found');
  });

  it('answers HEAD without a body', async () => {
    const answer = await fetch(`${server.url}/livez`, { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('');
    expect((await fetch(`${server.url}/nothing`, { method: 'HEAD' })).status).toBe(404);
  });
});

describe('health', () => {
  it('says that it lives and is ready, and nothing else', async () => {
    for (const path of ['/livez', '/readyz']) {
      const answer = await get(path);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ status: 'ok' });
    }
  });
});

describe('metadata', () => {
  it('publishes public keys alone, for anybody, cacheable', async () => {
    const answer = await get('/.well-known/jwks.json');
    const { keys } = (await answer.json()) as { keys: Record<string, unknown>[] };
    expect(keys).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
        kid: expect.any(String),
        alg: 'ES256',
        use: 'sig',
      },
    ]);
    expect(answer.headers.get('Cache-Control')).toMatch(/^public, max-age=\d+$/);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('*');
  });

  it('describes the issuer', async () => {
    const answer = await get('/.well-known/openid-configuration');
    expect(await answer.json()).toMatchObject({
      issuer: ISSUER,
      jwks_uri: `${ISSUER}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: expect.arrayContaining(['ES256']),
    });
    expect(answer.headers.get('Cache-Control')).toMatch(/^public/);
  });
});

describe('the OpenAPI document', () => {
  type Operation = { responses: Record<string, unknown>; requestBody?: object; security?: object[] };
  type Document = {
    openapi: string;
    servers: { url: string }[];
    paths: Record<string, Record<string, Operation>>;
  };
  const read = async () => (await (await get('/openapi.json')).json()) as Document;

  it('names every call', async () => {
    const { openapi, servers, paths } = await read();
    expect(openapi).toMatch(/^3\.1/);
    expect(servers).toEqual([{ url: ISSUER }]);
    const named = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(named).toEqual(
      expect.arrayContaining([
        'GET /v1/widget-config',
        'POST /v1/verifications',
        'GET /v1/verifications/{id}',
        'POST /v1/verifications/{id}/resend',
        'POST /v1/verifications/{id}/check',
        'DELETE /v1/verifications/{id}',
        'POST /v1/intents',
        'POST /v1/proofs/redeem',
      ]),
    );
  });

  it('names what machines call, too', async () => {
    const { paths } = await read();
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/.well-known/jwks.json',
        '/.well-known/openid-configuration',
        '/livez',
        '/readyz',
        '/openapi.json',
      ]),
    );
  });

  it('names only calls that exist, lets both secrets read, and resolves its own references', async () => {
    const document = await read();
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const method of Object.keys(methods)) {
        const { body } = await server.call(method.toUpperCase(), path.replace('{id}', 'vrf_x'), {
          ...(method === 'post' && { body: {} }),
        });
        expect(body.code).not.toBe('not-found');
      }
    }
    expect(document.paths['/v1/verifications/{id}']?.get?.security).toEqual(
      expect.arrayContaining([{ holder: [] }, { backend: [] }]),
    );
    for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = reference!
        .split('/')
        .reduce<unknown>((at, part) => Reflect.get(at as object, part), document);
      expect(found).toBeTypeOf('object');
    }
  });

  it('demands a body only where one is needed', async () => {
    const { paths } = await read();
    expect(paths['/v1/verifications/{id}/resend']?.post?.requestBody).not.toHaveProperty('required', true);
    expect(paths['/v1/verifications']?.post?.requestBody).toHaveProperty('required', true);
  });
});

describe('a problem', () => {
  it('agrees with its own schema; its status is HTTP’s, or the verification’s where that is over or open', async () => {
    const { body } = await server.start({ phone: '+31612345678', purpose: 'registration' });
    const wrong = (await server.codeFor('+31612345678')) === '000000' ? '111111' : '000000';
    const incorrect = await server.check(body, wrong);
    await server.cancel(body);
    const closed = await server.check(body, wrong);
    const malformed = await server.start({});
    for (const answer of [incorrect, closed, malformed]) {
      expect(problemBody.safeParse(answer.body).error?.issues ?? []).toEqual([]);
    }
    expect(incorrect.body.status).toBe('pending');
    expect(closed.body.status).toBe('canceled');
    expect(malformed.body.status).toBe(400);
  });
});

describe('pages', () => {
  it('link to everything from the root', async () => {
    const text = await (await get('/')).text();
    for (const [, href] of text.matchAll(/href="([^"]+)"/g)) {
      const { status } = await get(String(href));
      // The element is there only once it has been built.
      if (href !== '/phone-proof.js') expect([href, status]).toEqual([href, 200]);
    }
    expect(text).toContain('href="/simulator"');
  });

  it('stand behind the type of every problem', async () => {
    for (const code of problemCode.options) {
      const answer = await get(`/problems/${code}`);
      expect([code, answer.status]).toEqual([code, 200]);
      expect(await answer.text()).toContain(code);
    }
  });

  it('write a brand as text', async () => {
    const odd = await startTestServer({
      config: { sites: [testSite({ brand: '<b>"Shop"</b>&', limits: NO_LIMITS })] },
    });
    const text = await (await fetch(`${odd.url}/`)).text();
    expect(text).toContain('&lt;b&gt;');
    expect(text).not.toContain('<b>');
    await odd.close();
  });
});

describe('the simulator', () => {
  it('shows its messages newest first, for one number or for all', async () => {
    const own = await startTestServer();
    await own.start({ phone: '+31612345678', purpose: 'registration' });
    own.clock.advance(1_000);
    await own.start({ phone: '+31687654321', purpose: 'registration' });
    const list = async (query: string) =>
      (await (await fetch(`${own.url}/simulator/messages${query}`)).json()) as object[];

    expect(await list('?to=%2B31612345678')).toEqual([
      {
        id: expect.any(String),
        to: '+31612345678',
        channel: 'sms',
        body: expect.stringContaining('Shop'),
        code: expect.stringMatching(/^\d{6}$/),
        provider: 'simulator',
        at: '2026-11-23T12:00:00.000Z',
        status: 'delivered',
      },
    ]);
    expect(await list('?to=+31612345678')).toHaveLength(1);
    expect((await list('')).map((message) => Reflect.get(message, 'to'))).toEqual([
      '+31687654321',
      '+31612345678',
    ]);
    expect(await list('?limit=1')).toHaveLength(1);
    expect(await list('?to=%2B0')).toEqual([]);
    await own.close();
  });

  it('may be framed or read by the desk’s own pages, and never cached', async () => {
    const answer = await get('/simulator/messages');
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
    expect((await get('/simulator')).headers.get('Content-Type')).toBe('text/html; charset=utf-8');
  });

  it('is not there where another provider is configured', async () => {
    const real = await startTestServer({
      config: { delivery: { provider: 'messagebird', accessKey: 'unused' } },
    });
    for (const path of ['/simulator', '/simulator/messages', '/simulator/page.js']) {
      expectProblem(await real.call('GET', path), 404, 'not-found');
    }
    expect(await (await fetch(`${real.url}/`)).text()).not.toContain('/simulator');
    await real.close();
  });
});
