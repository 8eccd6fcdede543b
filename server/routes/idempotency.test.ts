import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectMalformed, expectProblem } from '../testing/problems.ts';
import { type Answer, NO_LIMITS, startTestServer, type TestServer, testSite } from '../testing/server.ts';

const PHONE = '+31612345678';
const BODY = { phone: PHONE, purpose: 'registration' };
const KEY = { 'Idempotency-Key': 'k-1' };
const OTHER_KEY = { 'Idempotency-Key': 'k-2' };
const TEN_MINUTES = 600_000;

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.close());

const wrong = (code: string) => (code === '000000' ? '111111' : '000000');
const repeat = <T>(times: number, act: () => Promise<T>) => Promise.all(Array.from({ length: times }, act));
const claimsOf = ({ body }: Answer<{ proof?: unknown }>) => decodeJwt(String(body.proof));

describe('a start with an idempotency key', () => {
  it('that is repeated gets the first answer again: same id, same client secret, one message', async () => {
    const first = await server.start(BODY, KEY);
    server.clock.advance(TEN_MINUTES - 1);
    const second = await server.start(BODY, KEY);

    expect(second.status).toBe(201);
    expect(second.body).toEqual(first.body);
    expect(await server.messagesTo(PHONE)).toHaveLength(1);
  });

  it('answers as the first time, whatever became of the verification since', async () => {
    const first = await server.start(BODY, KEY);
    await server.check(first.body, wrong(await server.codeFor(PHONE)));
    server.clock.advance(30_000);
    await server.resend(first.body);
    await server.cancel(first.body);
    expect((await server.start(BODY, KEY)).body).toEqual(first.body);
  });

  it('is the same however its JSON is spaced and ordered', async () => {
    const first = await server.start(BODY, KEY);
    const second = await server.call('POST', '/v1/verifications', {
      body: `{ "purpose":"registration",\n "phone":"${PHONE}", "siteKey":"pk_test" }`,
      headers: KEY,
    });
    expect(second.body).toEqual(first.body);
  });

  it('is refused with another body', async () => {
    await server.start(BODY, KEY);
    for (const body of [
      { ...BODY, purpose: 'checkout' },
      { ...BODY, phone: '+31687654321' },
      { ...BODY, nonce: 'n' },
    ]) {
      expectProblem(await server.start(body, KEY), 409, 'idempotency-key-reused');
    }
    expect(await server.messagesTo('+31687654321')).toEqual([]);
  });

  it('starts anew under another key, and after ten minutes', async () => {
    const first = await server.start(BODY, KEY);
    const second = await server.start(BODY, OTHER_KEY);
    server.clock.advance(TEN_MINUTES);
    const third = await server.start(BODY, KEY);
    expect(new Set([first, second, third].map(({ body }) => body.id)).size).toBe(3);
  });

  it('fifty times at once sends one message and gives fifty equal answers', async () => {
    const answers = await repeat(50, () => server.start(BODY, KEY));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await server.messagesTo(PHONE)).toHaveLength(1);
  });

  it('is charged once', async () => {
    await server.close();
    const one = [{ limit: 1, window: '1h' }];
    server = await startTestServer({
      config: { sites: [testSite({ limits: { ...NO_LIMITS, phone: one } })] },
    });
    const answers = await repeat(10, () => server.start(BODY, KEY));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expectProblem(await server.start(BODY, OTHER_KEY), 429, 'too-many-requests', {
      scope: 'phone',
      retryAt: '2026-11-23T13:00:00.000Z',
    });
  });

  it('that was refused may be tried again under the same key', async () => {
    await server.close();
    const one = [{ limit: 1, window: '1m' }];
    server = await startTestServer({
      config: { sites: [testSite({ limits: { ...NO_LIMITS, phone: one } })] },
    });
    await server.start(BODY);
    expect((await server.start(BODY, KEY)).status).toBe(429);
    server.clock.advance(60_000);
    expect((await server.start(BODY, KEY)).status).toBe(201);
  });

  it('from an intent is answered again, even once the intent has run out', async () => {
    const { body: intent } = await server.backend('POST', '/v1/intents', {
      phone: PHONE,
      purpose: 'login',
      expiresIn: 60,
    });
    const first = await server.start({ intent: intent.intent }, KEY);
    expect((await server.start({ intent: intent.intent }, KEY)).body).toEqual(first.body);
    server.clock.advance(60_000);
    expect((await server.start({ intent: intent.intent }, KEY)).body).toEqual(first.body);
    expect(await server.messagesTo(PHONE)).toHaveLength(1);
  });

  it('of one site is not another’s', async () => {
    await server.close();
    const other = testSite({
      id: 'other',
      publishableKey: 'pk_other',
      secretKey: 'sk_other',
      limits: NO_LIMITS,
    });
    server = await startTestServer({ config: { sites: [testSite({ limits: NO_LIMITS }), other] } });
    const first = await server.start(BODY, KEY);
    const second = await server.start({ ...BODY, siteKey: 'pk_other' }, KEY);
    expect(second.status).toBe(201);
    expect(second.body.id).not.toBe(first.body.id);
  });

  it.each(['', ' ', 'x'.repeat(256), 'a b', 'é'])('refuses the key %j', async (key) => {
    expectMalformed(await server.start(BODY, { 'Idempotency-Key': key }), 'Idempotency-Key');
    expect(await server.messagesTo(PHONE)).toEqual([]);
  });
});

describe('a resend with an idempotency key', () => {
  it('that is repeated, also at once, sends one message', async () => {
    const { body } = await server.start(BODY);
    server.clock.advance(30_000);
    const first = await server.resend(body, KEY);
    const again = await repeat(20, () => server.resend(body, KEY));

    expect(first.status).toBe(200);
    for (const answer of again) {
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual(first.body);
    }
    expect(await server.messagesTo(PHONE)).toHaveLength(2);
    server.clock.advance(120_000);
    expect((await server.resend(body, KEY)).body).toEqual(first.body);
    expect((await server.read(body)).body.resend).toMatchObject({ remaining: 2 });
  });

  it('is refused with another body', async () => {
    const { body } = await server.start(BODY);
    server.clock.advance(30_000);
    await server.resend(body, KEY);
    const headers = { ...KEY, Authorization: `Bearer ${body.clientSecret}` };
    expectProblem(
      await server.call('POST', `/v1/verifications/${body.id}/resend`, { body: { channel: 'sms' }, headers }),
      409,
      'idempotency-key-reused',
    );
  });

  it('without one, at once, sends one message', async () => {
    const { body } = await server.start(BODY);
    server.clock.advance(30_000);
    const answers = await repeat(20, () => server.resend(body));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(19);
    expect(await server.messagesTo(PHONE)).toHaveLength(2);
  });
});

describe('a check with an idempotency key', () => {
  it('whose answer was lost gets the same proof again: same jti, same claims', async () => {
    const { body } = await server.start(BODY);
    const code = await server.codeFor(PHONE);
    const first = await server.check(body, code, KEY);
    server.clock.advance(TEN_MINUTES - 1);
    const second = await server.check(body, code, KEY);

    expect(second.status).toBe(200);
    expect(claimsOf(second)).toEqual(claimsOf(first));
    expect(second.body.proofExpiresAt).toBe(first.body.proofExpiresAt);
  });

  it('fifty times at once gives fifty proofs with one jti, of which one is redeemed', async () => {
    const { body } = await server.start(BODY);
    const code = await server.codeFor(PHONE);
    const answers = await repeat(50, () => server.check(body, code, KEY));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map((answer) => JSON.stringify(claimsOf(answer)))).size).toBe(1);

    const redeemed = await Promise.all(
      answers.map(({ body: { proof } }) => server.backend('POST', '/v1/proofs/redeem', { proof })),
    );
    expect(redeemed.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(redeemed.filter(({ status }) => status === 409)).toHaveLength(49);
  });

  it('that is wrong spends one guess, however often it is repeated', async () => {
    const { body } = await server.start(BODY);
    const code = await server.codeFor(PHONE);
    for (const answer of await repeat(20, () => server.check(body, wrong(code), KEY))) {
      expectProblem(answer, 422, 'incorrect-code', { attemptsRemaining: 4, status: 'pending' });
    }
    await server.check(body, wrong(code), OTHER_KEY);
    expectProblem(await server.check(body, wrong(code), KEY), 422, 'incorrect-code', {
      attemptsRemaining: 4,
      status: 'pending',
    });
    expect((await server.read(body)).body.attemptsRemaining).toBe(3);
  });

  it('is refused with another code, and no guess is spent', async () => {
    const { body } = await server.start(BODY);
    const code = await server.codeFor(PHONE);
    await server.check(body, wrong(code), KEY);
    expectProblem(await server.check(body, code, KEY), 409, 'idempotency-key-reused');
    expect((await server.read(body)).body.attemptsRemaining).toBe(4);
  });

  it('is of no use to whoever lacks the client secret', async () => {
    const { body } = await server.start(BODY);
    const code = await server.codeFor(PHONE);
    await server.check(body, code, KEY);
    const stranger = { ...body, clientSecret: 'cs_stranger' };
    expectProblem(await server.check(stranger, code, KEY), 404, 'verification-not-found');
  });

  it('and another after a right one is closed', async () => {
    const { body } = await server.start(BODY);
    const code = await server.codeFor(PHONE);
    await server.check(body, code, KEY);
    expectProblem(await server.check(body, code, OTHER_KEY), 409, 'verification-closed', {
      status: 'approved',
    });
  });
});

describe('a redeem with an idempotency key', () => {
  const redeem = (body: object, headers: Record<string, string> = {}) =>
    server.backend('POST', '/v1/proofs/redeem', body, headers);

  it('that is repeated, also at once, gets the first answer again', async () => {
    const proof = await server.proofFor(PHONE);
    const first = await redeem({ proof }, KEY);
    server.clock.advance(60_000);
    for (const answer of await repeat(20, () => redeem({ proof }, KEY))) {
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual(first.body);
    }
    expectProblem(await redeem({ proof }, OTHER_KEY), 409, 'proof-redeemed', {
      redeemedAt: '2026-11-23T12:00:00.000Z',
    });
  });

  it('gets it again even once the proof has expired in between', async () => {
    const proof = await server.proofFor(PHONE);
    server.clock.advance(590_000);
    const first = await redeem({ proof }, KEY);
    expect(first.status).toBe(200);
    server.clock.advance(60_000);
    expect((await redeem({ proof }, KEY)).body).toEqual(first.body);
  });

  it('is refused with another body', async () => {
    const proof = await server.proofFor(PHONE);
    await redeem({ proof }, KEY);
    expectProblem(await redeem({ proof, purpose: 'registration' }, KEY), 409, 'idempotency-key-reused');
  });
});
