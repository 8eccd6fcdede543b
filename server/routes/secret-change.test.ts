/** The server's secret is changed by putting a new one in front; what the old one made goes on working. */
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { expectProblem } from '../testing/problems.ts';
import { NO_LIMITS, SECRET, startTestServer, type TestServer, testSite } from '../testing/server.ts';
import { tempDir } from '../testing/temp-dir.ts';

const PHONE = '+31612345678';
const BODY = { phone: PHONE, purpose: 'registration' };
const NEW_SECRET = 'another secret for tests, of the same length at least';
const KEY = { 'Idempotency-Key': 'k-1' };

let server: TestServer;
afterEach(() => server.close());

type Site = NonNullable<Parameters<typeof testSite>[0]>;

async function open(dataDir: string, secrets: [string, ...string[]], site: Site = {}) {
  server = await startTestServer({
    config: { dataDir, secrets, sites: [testSite({ limits: NO_LIMITS, ...site })] },
  });
}

async function changeSecret(dataDir: string, site: Site = {}) {
  await server.close();
  await open(dataDir, [NEW_SECRET, SECRET], site);
}

describe('after a change of the secret', () => {
  it('a verification that was under way is read, resent with the same code, and approved', async () => {
    const dataDir = tempDir();
    await open(dataDir, [SECRET]);
    const { body } = await server.start(BODY);
    const code = await server.codeFor(PHONE);
    await changeSecret(dataDir);

    expect((await server.read(body)).body).toMatchObject({ phone: PHONE, status: 'pending' });
    server.clock.advance(30_000);
    expect((await server.resend(body)).status).toBe(200);
    expect(await server.codeFor(PHONE)).toBe(code);
    const wrong = code === '000000' ? '111111' : '000000';
    expect((await server.check(body, wrong)).body).toMatchObject({ attemptsRemaining: 4 });
    const checked = await server.check(body, code);
    expect(checked.status).toBe(200);
    expect(decodeJwt(checked.body.proof)).toMatchObject({ phone_number: PHONE });
  });

  it('intents, proofs, keys and hashes go on', async () => {
    const dataDir = tempDir();
    const site: Site = { privacy: 'pairwise' };
    await open(dataDir, [SECRET], site);
    const before = await server.proofFor(PHONE);
    const { body: intent } = await server.backend('POST', '/v1/intents', { phone: PHONE, purpose: 'login' });
    await changeSecret(dataDir, site);

    const after = await server.proofFor(PHONE);
    expect(decodeProtectedHeader(after)).toEqual(decodeProtectedHeader(before));
    expect(decodeJwt(after).phone_hash).toBe(decodeJwt(before).phone_hash);
    expect((await server.start({ intent: intent.intent })).status).toBe(201);
    expect((await server.backend('POST', '/v1/proofs/redeem', { proof: before })).status).toBe(200);
    expectProblem(
      await server.backend('POST', '/v1/proofs/redeem', { proof: before }),
      409,
      'proof-redeemed',
      {
        redeemedAt: expect.any(String),
      },
    );
  });

  it('an answer that was lost is given again', async () => {
    const dataDir = tempDir();
    await open(dataDir, [SECRET]);
    const first = await server.start(BODY, KEY);
    const checked = await server.check(first.body, await server.codeFor(PHONE), KEY);
    await changeSecret(dataDir);

    const again = await server.check(first.body, await server.codeFor(PHONE), KEY);
    expect(again.status).toBe(200);
    expect(decodeJwt(again.body.proof).jti).toBe(decodeJwt(checked.body.proof).jti);
    expect((await server.start(BODY, KEY)).body).toEqual(first.body);
    expect(await server.messagesTo(PHONE)).toHaveLength(1);
  });

  it('failed guesses and limits still count', async () => {
    const dataDir = tempDir();
    const site: Site = {
      limits: {
        ...NO_LIMITS,
        phone: [{ limit: 3, window: '1h' }],
        failedGuesses: { perNetwork: { limit: 5, window: '24h' } },
      },
    };
    await open(dataDir, [SECRET], site);
    const { body } = await server.start(BODY);
    const wrong = (await server.codeFor(PHONE)) === '000000' ? '111111' : '000000';
    for (let n = 0; n < 5; n += 1) await server.check(body, wrong);
    expect((await server.start(BODY)).status).toBe(429);
    await changeSecret(dataDir, site);
    expect((await server.start(BODY)).status).toBe(429);
  });

  it('what the old one sealed is sealed anew, so that the old one may go once nothing is under way', async () => {
    const dataDir = tempDir();
    await open(dataDir, [SECRET]);
    const before = await server.proofFor(PHONE);
    await changeSecret(dataDir);
    await server.close();
    await open(dataDir, [NEW_SECRET]);
    expect(decodeProtectedHeader(await server.proofFor(PHONE))).toEqual(decodeProtectedHeader(before));
  });

  it('a client secret made under one that has gone is simply not known', async () => {
    const dataDir = tempDir();
    await open(dataDir, [SECRET]);
    const { body } = await server.start(BODY);
    const { body: intent } = await server.backend('POST', '/v1/intents', { phone: PHONE, purpose: 'login' });
    await changeSecret(dataDir);
    await server.close();
    await open(dataDir, [NEW_SECRET]);
    expectProblem(await server.read(body), 404, 'verification-not-found');
    expectProblem(await server.check(body, '123456'), 404, 'verification-not-found');
    expectProblem(await server.start({ intent: intent.intent }), 404, 'intent-not-found');
    const seen = await server.backend('GET', `/v1/verifications/${body.id}`);
    expect(seen.status).toBeLessThan(500);
  });
});
