import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectMalformed, expectProblem } from '../testing/problems.ts';
import { NO_LIMITS, startTestServer, type TestServer, testSite } from '../testing/server.ts';

const PHONE = '+31612345678';
const TRANSFER = { amount: '250.00', currency: 'EUR', payee: 'Jansen Bakkerij', reference: 'Invoice 12' };

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer({
    config: {
      sites: [
        testSite({ limits: NO_LIMITS }),
        testSite({ id: 'other', publishableKey: 'pk_other', secretKey: 'sk_other', limits: NO_LIMITS }),
      ],
    },
  });
});
afterEach(() => server.close());

type IntentAnswer = { intent: string; phoneMasked: string; expiresAt: string };
const create = (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
  server.backend<IntentAnswer>('POST', '/v1/intents', { phone: PHONE, purpose: 'login', ...body }, headers);

describe('creating an intent', () => {
  it('answers 201 with an opaque token, the masked number and the expiry', async () => {
    const answer = await create({});
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      intent: expect.stringMatching(/^int_[\w-]{24}$/),
      phoneMasked: '+31 6 •••• 5678',
      expiresAt: '2026-11-23T12:15:00.000Z',
    });
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
    expect(await server.messagesTo(PHONE)).toEqual([]);
  });

  it('lives as long as it is asked to', async () => {
    expect((await create({ expiresIn: 60 })).body.expiresAt).toBe('2026-11-23T12:01:00.000Z');
  });

  it('reads any written form together with a country', async () => {
    expect((await create({ phone: '06 1234 5678', country: 'NL' })).body.phoneMasked).toBe('+31 6 •••• 5678');
    expectProblem(await create({ phone: '06 1234 5678' }), 422, 'invalid-phone');
    expectProblem(await create({ phone: '+31201234567' }), 422, 'number-type-not-allowed', {
      numberType: 'fixed-line',
    });
  });

  it.each([
    ['an unknown purpose', { purpose: 'other' }, ['purpose']],
    ['a transaction that is needed', { purpose: 'transaction' }, ['transaction']],
    ['an amount as a number', { transaction: { ...TRANSFER, amount: 250 } }, ['transaction.amount']],
    ['an amount with a comma', { transaction: { ...TRANSFER, amount: '250,00' } }, ['transaction.amount']],
    ['an amount below nothing', { transaction: { ...TRANSFER, amount: '-1' } }, ['transaction.amount']],
    ['a currency that is none', { transaction: { ...TRANSFER, currency: 'EURO' } }, ['transaction.currency']],
    ['a payee of two lines', { transaction: { ...TRANSFER, payee: 'a\nb' } }, ['transaction.payee']],
    [
      'a payee that turns its text',
      { transaction: { ...TRANSFER, payee: 'a\u202eb' } },
      ['transaction.payee'],
    ],
    ['no payee', { transaction: { amount: '1', currency: 'EUR' } }, ['transaction.payee']],
    ['a lifetime beyond a day', { expiresIn: 86_401 }, ['expiresIn']],
    ['a lifetime in parts', { expiresIn: 60.5 }, ['expiresIn']],
    ['an empty subject', { subject: '' }, ['subject']],
  ])('says which member is wrong: %s', async (_, body, paths) => {
    expectMalformed(await create(body), ...paths);
  });
});

describe('starting from an intent', () => {
  it('sends to its number, and the page never sees that number', async () => {
    const { body: intent } = await create({ locale: 'en-GB' });
    const answer = await server.start({ intent: intent.intent });

    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      purpose: 'login',
      phone: null,
      phoneMasked: '+31 6 •••• 5678',
      transaction: null,
    });
    expect(JSON.stringify(answer.body)).not.toContain('61234');
    expect(await server.messagesTo(PHONE)).toHaveLength(1);
  });

  it('lets the page choose neither number nor purpose nor nonce', async () => {
    const { body: intent } = await create({ nonce: 'the backend’s' });
    const { body } = await server.start({
      intent: intent.intent,
      phone: '+31687654321',
      purpose: 'registration',
      nonce: 'the page’s',
    });
    expect(await server.messagesTo('+31687654321')).toEqual([]);
    const checked = await server.check(body, await server.codeFor(PHONE));
    expect(decodeJwt(checked.body.proof)).toMatchObject({
      purpose: 'login',
      phone_number: PHONE,
      nonce: 'the backend’s',
    });
  });

  it('shows a transaction to the page, in the message and in the proof, all the same', async () => {
    const { body: intent } = await create({
      purpose: 'transaction',
      subject: 'user-7',
      nonce: 'n-1',
      transaction: TRANSFER,
    });
    const { body } = await server.start({ intent: intent.intent });
    expect(body.transaction).toEqual(TRANSFER);
    const [message] = await server.messagesTo(PHONE);
    expect(message?.body).toContain('250');
    expect(message?.body).toContain('Jansen Bakkerij');

    const checked = await server.check(body, message!.code);
    expect(decodeJwt(checked.body.proof)).toMatchObject({
      sub: 'user-7',
      nonce: 'n-1',
      transaction: TRANSFER,
      purpose: 'transaction',
    });
  });

  it.each(['int_unknown', `int_${'A'.repeat(24)}`, 'x', '\u0000', '__proto__'])(
    'does not know %j',
    async (intent) => {
      expectProblem(await server.start({ intent }), 404, 'intent-not-found');
    },
  );

  it('does not know another site’s', async () => {
    const { body: intent } = await create({}, { Authorization: 'Bearer sk_other' });
    expectProblem(await server.start({ intent: intent.intent }), 404, 'intent-not-found');
    expect((await server.start({ intent: intent.intent, siteKey: 'pk_other' })).status).toBe(201);
  });

  it('ends with its lifetime', async () => {
    const { body: intent } = await create({ expiresIn: 60 });
    server.clock.advance(59_999);
    expect((await server.start({ intent: intent.intent })).status).toBe(201);
    const { body: late } = await create({ expiresIn: 60 });
    server.clock.advance(60_000);
    expectProblem(await server.start({ intent: late.intent }), 404, 'intent-not-found');
  });

  it('works once', async () => {
    const { body: intent } = await create({});
    const { body } = await server.start({ intent: intent.intent });
    expectProblem(await server.start({ intent: intent.intent }), 409, 'intent-used');
    await server.check(body, await server.codeFor(PHONE));
    expectProblem(await server.start({ intent: intent.intent }), 409, 'intent-used');
    expect(await server.messagesTo(PHONE)).toHaveLength(1);
  });

  it('works once, however many pages ask at the same time', async () => {
    const { body: intent } = await create({});
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => server.start({ intent: intent.intent })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(29);
    expect(await server.messagesTo(PHONE)).toHaveLength(1);
  });

  it('is free again once its verification was canceled or has expired', async () => {
    const { body: intent } = await create({ expiresIn: 3_600 });
    const { body: first } = await server.start({ intent: intent.intent });
    await server.cancel(first);
    const second = await server.start({ intent: intent.intent });
    expect(second.status).toBe(201);
    expectProblem(await server.start({ intent: intent.intent }), 409, 'intent-used');
    server.clock.advance(300_000);
    expect((await server.start({ intent: intent.intent })).status).toBe(201);
  });

  it('is not free again once its verification failed: five guesses an intent, not a retry', async () => {
    const { body: intent } = await create({ expiresIn: 3_600 });
    const { body } = await server.start({ intent: intent.intent });
    const wrong = (await server.codeFor(PHONE)) === '000000' ? '111111' : '000000';
    for (let guess = 0; guess < 5; guess += 1) await server.check(body, wrong);
    expectProblem(await server.start({ intent: intent.intent }), 409, 'intent-used');
  });
});

describe('what a proof is bound to', () => {
  it('carries a subject to the letter, or refuses it', async () => {
    const answer = await create({ subject: ' user 7 ' });
    if (answer.status !== 201) return expectMalformed(answer, 'subject');
    const { body } = await server.start({ intent: answer.body.intent });
    const { proof } = (await server.check(body, await server.codeFor(PHONE))).body;
    expect(decodeJwt(proof).sub).toBe(' user 7 ');
  });

  it('carries a payee to the letter, or refuses it', async () => {
    const transaction = { ...TRANSFER, payee: 'Jansen ' };
    const answer = await create({ purpose: 'transaction', transaction });
    if (answer.status !== 201) return expectMalformed(answer, 'transaction.payee');
    const { body } = await server.start({ intent: answer.body.intent });
    const { proof } = (await server.check(body, await server.codeFor(PHONE))).body;
    expect(decodeJwt(proof).transaction).toEqual(transaction);
  });

  it('takes names as people write them', async () => {
    const names = ['فروشگاه می‌خواهم', 'Café “Zürich” & Søn', '👨‍👩‍👧 Shop', 'ক্ষ্‌যা স্টোর'];
    for (const payee of names) {
      const answer = await create({ purpose: 'transaction', transaction: { ...TRANSFER, payee } });
      expect([payee, answer.status]).toEqual([payee, 201]);
    }
  });
});
