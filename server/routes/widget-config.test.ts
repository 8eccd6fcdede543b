import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectMalformed, expectProblem } from '../testing/problems.ts';
import { NO_LIMITS, ORIGIN, startTestServer, type TestServer, testSite } from '../testing/server.ts';

const TRANSFER = { amount: '250.00', currency: 'EUR', payee: 'Jansen Bakkerij' };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    config: {
      sites: [
        testSite({
          limits: NO_LIMITS,
          countries: ['NL', 'BE', 'DE'],
          defaultCountry: 'NL',
          termsUrl: 'https://shop.example/terms',
          privacyUrl: 'https://shop.example/privacy',
          purposes: {
            registration: {},
            checkout: { countries: ['NL'] },
            login: { requiresIntent: true },
            transaction: { requiresIntent: true, requiresTransaction: true },
            letters: { code: { length: 8, alphabet: 'alphanumeric' } },
          },
        }),
        testSite({ id: 'other', publishableKey: 'pk_other', secretKey: 'sk_other', limits: NO_LIMITS }),
      ],
    },
  });
});
afterAll(() => server.close());

const read = (query: string, origin: string | null = ORIGIN) =>
  server.call('GET', `/v1/widget-config?${query}`, { origin });

describe('the widget’s configuration', () => {
  it('says what the element shows before anything is typed, and may be cached', async () => {
    const answer = await read('siteKey=pk_test&purpose=registration');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      brand: 'Shop',
      countries: ['NL', 'BE', 'DE'],
      defaultCountry: 'NL',
      purpose: 'registration',
      code: { length: 6, alphabet: 'numeric' },
      channels: ['sms'],
      termsUrl: 'https://shop.example/terms',
      privacyUrl: 'https://shop.example/privacy',
    });
    expect(answer.headers.get('Cache-Control')).toMatch(/^public, max-age=\d+$/);
    expect(answer.headers.get('Vary')).toContain('Origin');
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(ORIGIN);
  });

  it('follows the purpose', async () => {
    expect((await read('siteKey=pk_test&purpose=checkout')).body.countries).toEqual(['NL']);
    expect((await read('siteKey=pk_test&purpose=letters')).body.code).toEqual({
      length: 8,
      alphabet: 'alphanumeric',
    });
  });

  it('does without a purpose', async () => {
    const { status, body } = await read('siteKey=pk_test');
    expect(status).toBe(200);
    expect(body).toMatchObject({ brand: 'Shop', purpose: null, countries: ['NL', 'BE', 'DE'] });
  });

  it('names every country where the site names none', async () => {
    const { body } = await read('siteKey=pk_other');
    expect(body.countries).toEqual(expect.arrayContaining(['NL', 'US', 'JP', 'ZA']));
    expect(body.defaultCountry).toBeNull();
    expect(body).not.toHaveProperty('termsUrl');
  });

  it('shows an intent’s masked number and transaction, and is never cached then', async () => {
    const { body: intent } = await server.backend('POST', '/v1/intents', {
      phone: '+31612345678',
      purpose: 'transaction',
      transaction: TRANSFER,
      subject: 'user-7',
      nonce: 'n-7',
    });
    const answer = await read(`siteKey=pk_test&intent=${intent.intent}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      purpose: 'transaction',
      intent: { phoneMasked: '+31 6 •••• 5678', transaction: TRANSFER },
    });
    expect(JSON.stringify(answer.body)).not.toMatch(/61234|user-7|n-7/);
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
  });

  it('does not know an intent that is unknown, over, or another site’s', async () => {
    const create = (key: string) =>
      server.backend(
        'POST',
        '/v1/intents',
        { phone: '+31612345678', purpose: 'login', expiresIn: 60 },
        { Authorization: `Bearer ${key}` },
      );
    const { body: others } = await create('sk_other');
    const { body: own } = await create('sk_test');
    expect((await read(`siteKey=pk_test&intent=${own.intent}`)).status).toBe(200);
    for (const intent of ['int_x', `int_${'A'.repeat(24)}`, String(others.intent), '%00']) {
      expectProblem(await read(`siteKey=pk_test&intent=${intent}`), 404, 'intent-not-found');
    }
    server.clock.advance(60_000);
    expectProblem(await read(`siteKey=pk_test&intent=${own.intent}`), 404, 'intent-not-found');
  });

  it('refuses unknown keys, wrong origins and what it cannot read', async () => {
    expectProblem(await read('siteKey=pk_unknown'), 401, 'invalid-key');
    expectProblem(await read('siteKey=pk_test', 'https://evil.example'), 403, 'origin-not-allowed');
    expectProblem(await read('siteKey=pk_test', null), 403, 'origin-not-allowed');
    expectMalformed(await read(''), 'siteKey');
    expectMalformed(await read('siteKey=pk_test&siteKey=pk_other'), 'siteKey');
    expectMalformed(await read('siteKey=pk_test&purpose=Other'), 'purpose');
    expectMalformed(await read('siteKey=pk_test&purpose=other'), 'purpose');
  });
});
