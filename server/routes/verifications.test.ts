import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectMalformed, expectProblem } from '../testing/problems.ts';
import { NO_LIMITS, startTestServer, type TestServer, testSite } from '../testing/server.ts';

const PHONE = '+31612345678';
const BODY = { phone: PHONE, purpose: 'registration' };

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.close());

const wrong = (code: string) => (code === '000000' ? '111111' : '000000');

describe('starting a verification', () => {
  it('answers 201 with the verification and its client secret', async () => {
    const answer = await server.start(BODY);

    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^vrf_[\w-]{24}$/),
      status: 'pending',
      purpose: 'registration',
      channel: 'sms',
      phone: PHONE,
      phoneMasked: '+31 6 •••• 5678',
      code: { length: 6, alphabet: 'numeric' },
      attemptsRemaining: 5,
      expiresAt: '2026-11-23T12:05:00.000Z',
      delivery: { status: 'sent', channel: 'sms', at: '2026-11-23T12:00:00.000Z' },
      resend: { at: '2026-11-23T12:00:30.000Z', remaining: 3, channels: ['sms'] },
      transaction: null,
      clientSecret: expect.stringMatching(/^cs_[\w-]{50,}$/),
    });
    expect(answer.headers.get('Content-Type')).toBe('application/json');
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
  });

  it('sends one message with brand, code and the host of the page that asked', async () => {
    await server.start(BODY);
    const messages = await server.messagesTo(PHONE);

    expect(messages).toHaveLength(1);
    const [{ body, code }] = messages as [{ body: string; code: string }];
    expect(code).toMatch(/^\d{6}$/);
    expect(body).toContain('Shop');
    expect(body.split('\n').at(-1)).toBe(`@shop.example #${code}`);
  });

  it('reads a national form with its country', async () => {
    const answer = await server.start({ phone: '06 1234 5678', country: 'NL', purpose: 'checkout' });
    expect(answer.body.phone).toBe(PHONE);
  });

  it.each([
    ['no phone number at all', { phone: 'hello' }],
    ['too short', { phone: '+31612' }],
    ['a national form without a country', { phone: '0612345678' }],
    ['a calling code that does not exist', { phone: '+9991234567' }],
    ['an extension', { phone: '+31612345678 ext. 12' }],
  ])('refuses %s as an invalid phone', async (_, body) => {
    expectProblem(await server.start({ purpose: 'registration', ...body }), 422, 'invalid-phone');
  });

  it.each([
    ['a fixed line', '+31201234567', 'fixed-line'],
    ['premium rate', '+319001234567', 'premium-rate'],
    ['toll free', '+318001234', 'toll-free'],
    ['shared cost', '+491801234567', 'shared-cost'],
    ['satellite', '+881612345678', 'satellite'],
    ['personal numbers', '+447012345678', 'personal-number'],
  ])('refuses %s', async (_, phone, numberType) => {
    const answer = await server.start({ phone, purpose: 'registration' });
    expectProblem(answer, 422, 'number-type-not-allowed', { numberType });
    expect(await server.messagesTo(phone)).toEqual([]);
  });

  it('refuses a country that the site does not take, by name', async () => {
    await server.close();
    server = await startTestServer({
      config: { sites: [testSite({ countries: ['NL', 'BE'], limits: NO_LIMITS })] },
    });
    expectProblem(
      await server.start({ phone: '+4915123456789', purpose: 'registration' }),
      422,
      'country-not-allowed',
      { country: 'DE' },
    );
    expect((await server.start({ phone: '+32470123456', purpose: 'registration' })).status).toBe(201);
  });

  it.each(['login', 'password_reset', 'transaction', 'account_change'])(
    'refuses %s without an intent',
    async (purpose) => {
      expectProblem(await server.start({ phone: PHONE, purpose }), 403, 'intent-required');
      expect(await server.messagesTo(PHONE)).toEqual([]);
    },
  );

  it.each([
    ['nothing', {}, ['siteKey', 'phone', 'purpose']],
    ['a number for a number', { siteKey: 'pk_test', phone: 31612345678, purpose: 'login' }, ['phone']],
    ['a country in small letters', { siteKey: 'pk_test', ...BODY, country: 'nl' }, ['country']],
    ['a purpose that is no slug', { siteKey: 'pk_test', phone: PHONE, purpose: 'Sign up' }, ['purpose']],
    ['a purpose the site has not', { siteKey: 'pk_test', phone: PHONE, purpose: 'other' }, ['purpose']],
    [
      'a purpose called constructor',
      { siteKey: 'pk_test', phone: PHONE, purpose: 'constructor' },
      ['purpose'],
    ],
    ['an unknown channel', { siteKey: 'pk_test', ...BODY, channel: 'pigeon' }, ['channel']],
    ['a locale that is none', { siteKey: 'pk_test', ...BODY, locale: '../en' }, ['locale']],
    ['a nonce without end', { siteKey: 'pk_test', ...BODY, nonce: 'n'.repeat(256) }, ['nonce']],
    ['an intent of the wrong type', { siteKey: 'pk_test', intent: 7 }, ['intent']],
  ])('says which member is wrong: %s', async (_, body, paths) => {
    expectMalformed(await server.call('POST', '/v1/verifications', { body }), ...paths);
  });

  it('gives an alphanumeric purpose a code without look-alikes, typed in either case', async () => {
    const { body } = await server.start({ phone: PHONE, purpose: 'letters' });
    expect(body.code).toEqual({ length: 8, alphabet: 'alphanumeric' });
    const code = await server.codeFor(PHONE);
    expect(code).toMatch(/^[2346789CDFGHJKMPQRTVWXY]{8}$/);
    const typed = `${code.slice(0, 4)} - ${code.slice(4)}`.toLowerCase();
    expect((await server.check(body, typed)).status).toBe(200);
  });
});

describe('reading a verification', () => {
  it('shows its holder the live state and never the client secret', async () => {
    const { body: started } = await server.start(BODY);
    const { clientSecret, ...view } = started;
    const answer = await server.read(started);

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(view);
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
    expect(JSON.stringify(answer.body)).not.toContain(clientSecret);
  });

  it('tells each end: approved, failed, expired, canceled', async () => {
    const { body: approved } = await server.start(BODY);
    await server.check(approved, await server.codeFor(PHONE));
    const { body: failed } = await server.start(BODY);
    for (let guess = 0; guess < 5; guess += 1) {
      await server.check(failed, wrong(await server.codeFor(PHONE)));
    }
    const { body: canceled } = await server.start(BODY);
    await server.cancel(canceled);
    const { body: expired } = await server.start(BODY);
    server.clock.advance(300_000);

    const statusOf = async (one: typeof approved) => (await server.read(one)).body.status;
    expect(await statusOf(approved)).toBe('approved');
    expect(await statusOf(failed)).toBe('failed');
    expect(await statusOf(canceled)).toBe('canceled');
    expect(await statusOf(expired)).toBe('expired');
  });
});

describe('checking a code', () => {
  it('answers the right one with a proof and its expiry', async () => {
    const { body } = await server.start(BODY);
    const answer = await server.check(body, await server.codeFor(PHONE));

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      status: 'approved',
      proof: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      proofExpiresAt: '2026-11-23T12:10:00.000Z',
    });
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
  });

  it.each([
    ['spaces', (code: string) => ` ${code.slice(0, 3)} ${code.slice(3)} `],
    ['dashes', (code: string) => `${code.slice(0, 3)}-${code.slice(3)}`],
    ['an en dash', (code: string) => `${code.slice(0, 3)}–${code.slice(3)}`],
    ['Arabic-Indic digits', (code: string) => shifted(code, 0x660)],
    ['Devanagari digits', (code: string) => shifted(code, 0x966)],
    ['full-width digits', (code: string) => shifted(code, 0xff10)],
    ['mathematical bold digits', (code: string) => shifted(code, 0x1d7ce)],
    ['invisible marks around it', (code: string) => `\u200e${code}\u200f\ufeff`],
  ])('accepts %s', async (_, write) => {
    const { body } = await server.start(BODY);
    expect((await server.check(body, write(await server.codeFor(PHONE)))).status).toBe(200);
  });

  it('counts a wrong one down to failed, and then refuses the right one', async () => {
    const { body } = await server.start(BODY);
    const code = await server.codeFor(PHONE);
    for (const attemptsRemaining of [4, 3, 2, 1, 0]) {
      const status = attemptsRemaining > 0 ? 'pending' : 'failed';
      const answer = await server.check(body, wrong(code));
      expectProblem(answer, 422, 'incorrect-code', { attemptsRemaining, status });
    }
    expectProblem(await server.check(body, code), 409, 'verification-closed', { status: 'failed' });
  });

  it.each(['12345', '1234567', 'abcdef', '12345a', '٣٤٥', '🙂🙂🙂', ' '])(
    'refuses %j as no code at all, at no cost',
    async (typed) => {
      const { body } = await server.start(BODY);
      expectMalformed(await server.check(body, typed), 'code');
      expect((await server.read(body)).body.attemptsRemaining).toBe(5);
    },
  );

  it('refuses a second correct check without an idempotency key', async () => {
    const { body } = await server.start(BODY);
    const code = await server.codeFor(PHONE);
    await server.check(body, code);
    expectProblem(await server.check(body, code), 409, 'verification-closed', { status: 'approved' });
  });

  it('refuses the right code once the verification has expired', async () => {
    const { body } = await server.start(BODY);
    const code = await server.codeFor(PHONE);
    server.clock.advance(299_999);
    expect((await server.read(body)).body.status).toBe('pending');
    server.clock.advance(1);
    expectProblem(await server.check(body, code), 410, 'verification-expired', { status: 'expired' });
  });
});

describe('sending again', () => {
  it('asks for patience, says how long, and sends nothing', async () => {
    const { body } = await server.start(BODY);
    server.clock.advance(10_001);
    const answer = await server.resend(body);

    expectProblem(answer, 429, 'resend-too-early', { resend: body.resend });
    expect(answer.headers.get('Retry-After')).toBe('20');
    expect(answer.body.detail).toContain('20 seconds');
    expect(await server.messagesTo(PHONE)).toHaveLength(1);
  });

  it('sends the same code, doubles the wait, and leaves guesses and expiry alone', async () => {
    const { body } = await server.start(BODY);
    await server.check(body, wrong(await server.codeFor(PHONE)));
    server.clock.advance(30_000);
    const first = await server.resend(body);

    expect(first.status).toBe(200);
    expect(first.body).toEqual({
      ...without(body, 'clientSecret'),
      attemptsRemaining: 4,
      delivery: { status: 'sent', channel: 'sms', at: '2026-11-23T12:00:30.000Z' },
      resend: { at: '2026-11-23T12:01:30.000Z', remaining: 2, channels: ['sms'] },
    });
    const codes = (await server.messagesTo(PHONE)).map(({ code }) => code);
    expect(codes).toHaveLength(2);
    expect(new Set(codes).size).toBe(1);
    server.clock.advance(60_000);
    expect((await server.resend(body)).body.resend).toEqual({
      at: '2026-11-23T12:03:30.000Z',
      remaining: 1,
      channels: ['sms'],
    });
  });

  it('says when there are no resends left', async () => {
    const { body } = await server.start(BODY);
    for (const waitMs of [30_000, 60_000, 120_000]) {
      server.clock.advance(waitMs);
      expect((await server.resend(body)).status).toBe(200);
    }
    expectProblem(await server.resend(body), 409, 'resends-exhausted', {
      resend: expect.objectContaining({ remaining: 0 }),
    });
  });

  it('is refused once the verification is over', async () => {
    const { body: approved } = await server.start(BODY);
    await server.check(approved, await server.codeFor(PHONE));
    const { body: expired } = await server.start(BODY);
    server.clock.advance(300_000);
    expectProblem(await server.resend(approved), 409, 'verification-closed', { status: 'approved' });
    expectProblem(await server.resend(expired), 410, 'verification-expired', { status: 'expired' });
  });
});

describe('canceling', () => {
  it('answers 204 without a body, and the code is dead', async () => {
    const { body } = await server.start(BODY);
    const answer = await server.cancel(body);

    expect(answer.status).toBe(204);
    expect(answer.body).toEqual({});
    const code = await server.codeFor(PHONE);
    expectProblem(await server.check(body, code), 409, 'verification-closed', { status: 'canceled' });
    expectProblem(await server.resend(body), 409, 'verification-closed', { status: 'canceled' });
    expect((await server.cancel(body)).status).toBe(204);
  });

  it('does not undo an approval', async () => {
    const { body } = await server.start(BODY);
    await server.check(body, await server.codeFor(PHONE));
    expect((await server.cancel(body)).status).toBe(204);
    expect((await server.read(body)).body.status).toBe('approved');
  });
});

const shifted = (code: string, zero: number) =>
  [...code].map((digit) => String.fromCodePoint(zero + Number(digit))).join('');

function without<T extends object, K extends keyof T>(from: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = from;
  return rest;
}
