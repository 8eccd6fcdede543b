/** When what the server stands on gives way: the provider refuses, or the store is gone. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { expectProblem } from '../testing/problems.ts';
import { startTestServer, type TestServer } from '../testing/server.ts';
import { tempDir } from '../testing/temp-dir.ts';

const PHONE = '+31612345678';
const BODY = { phone: PHONE, purpose: 'registration' };
const KEY = { 'Idempotency-Key': 'k-1' };

let server: TestServer;
afterEach(() => server.close());

describe('a provider that refuses', () => {
  let inbox: DatabaseSync;

  /** A simulator whose inbox can be taken away and given back. */
  async function open() {
    const dataDir = tempDir();
    server = await startTestServer({ config: { dataDir } });
    inbox = new DatabaseSync(join(dataDir, 'simulator.sqlite'));
    return {
      breakDown: () => inbox.exec('ALTER TABLE message RENAME TO away'),
      repair: () => inbox.exec('ALTER TABLE away RENAME TO message'),
    };
  }
  afterEach(() => inbox?.isOpen && inbox.close());

  it('is no success: 502 with the verification and its client secret, which may be resent at once', async () => {
    const provider = await open();
    provider.breakDown();
    const answer = await server.start(BODY);

    expectProblem(answer, 502, 'delivery-failed', {
      reason: expect.stringMatching(/^[a-z-]+$/),
      verification: expect.objectContaining({
        id: expect.stringMatching(/^vrf_/),
        status: 'pending',
        attemptsRemaining: 5,
        clientSecret: expect.stringMatching(/^cs_/),
        delivery: { status: 'failed', channel: 'sms', at: '2026-11-23T12:00:00.000Z' },
        resend: { at: '2026-11-23T12:00:00.000Z', remaining: 3, channels: ['sms'] },
      }),
    });
    provider.repair();
    const { verification } = answer.body as unknown as { verification: { id: string; clientSecret: string } };
    const resent = await server.resend(verification);
    expect(resent.status).toBe(200);
    expect(resent.body.delivery).toMatchObject({ status: 'sent' });
    expect((await server.check(verification, await server.codeFor(PHONE))).status).toBe(200);
  });

  it('gets the same refusal repeated under the same idempotency key', async () => {
    const provider = await open();
    provider.breakDown();
    const first = await server.start(BODY, KEY);
    provider.repair();
    const again = await server.start(BODY, KEY);
    expect(again.status).toBe(502);
    expect(Reflect.get(again.body, 'verification')).toEqual(Reflect.get(first.body, 'verification'));
    expect(await server.messagesTo(PHONE)).toEqual([]);
  });

  it('on a resend, too, and the answer then has no client secret', async () => {
    const provider = await open();
    const { body } = await server.start(BODY);
    server.clock.advance(30_000);
    provider.breakDown();
    const answer = await server.resend(body);
    expectProblem(answer, 502, 'delivery-failed', {
      reason: expect.any(String),
      verification: expect.not.objectContaining({ clientSecret: expect.anything() }),
    });
    provider.repair();
    expect((await server.read(body)).body.delivery).toMatchObject({ status: 'failed' });
    const whole = await server.backend('GET', `/v1/verifications/${body.id}`);
    expect(whole.body.deliveries).toMatchObject([
      { status: 'sent' },
      { status: 'failed', reason: expect.any(String) },
    ]);
  });

  it('keeps its order of deliveries however many fail at the same moment', async () => {
    const provider = await open();
    provider.breakDown();
    const first = await server.start(BODY);
    const { verification } = first.body as unknown as { verification: { id: string; clientSecret: string } };
    await server.resend(verification);
    await server.resend(verification);
    provider.repair();
    expect((await server.resend(verification)).body.delivery).toMatchObject({ status: 'sent' });
    expect((await server.read(verification)).body.delivery).toMatchObject({ status: 'sent' });
  });
});

describe('a store that is gone', () => {
  it('means 503 for whatever must be decided, and nothing else', async () => {
    server = await startTestServer();
    const { body } = await server.start(BODY);
    const code = await server.codeFor(PHONE);
    const proof = await server.proofFor(PHONE);
    const { body: intent } = await server.backend('POST', '/v1/intents', { phone: PHONE, purpose: 'login' });
    const sent = (await server.messagesTo(PHONE)).length;
    await server.store.close();

    const refused = await Promise.all([
      server.start(BODY),
      server.start({ intent: intent.intent }),
      server.check(body, code),
      server.resend(body),
      server.cancel(body),
      server.read(body),
      server.backend('POST', '/v1/intents', { phone: PHONE, purpose: 'login' }),
      server.backend('POST', '/v1/proofs/redeem', { proof }),
      server.backend('GET', `/v1/verifications/${body.id}`),
      server.call('GET', `/v1/widget-config?siteKey=pk_test&intent=${intent.intent}`),
      server.call('GET', '/readyz'),
    ]);
    for (const answer of refused) expectProblem(answer, 503, 'unavailable');
    expect(await server.messagesTo(PHONE)).toHaveLength(sent);

    for (const path of [
      '/livez',
      '/.well-known/jwks.json',
      '/.well-known/openid-configuration',
      '/openapi.json',
    ]) {
      expect((await fetch(`${server.url}${path}`)).status).toBe(200);
    }
    expect((await server.call('GET', '/v1/widget-config?siteKey=pk_test')).status).toBe(200);
  });

  it('is told from a wrong request: strangers and nonsense are refused as ever', async () => {
    server = await startTestServer();
    const { body } = await server.start(BODY);
    await server.store.close();
    expect((await server.check({ ...body, clientSecret: 'cs_x' }, '123456')).status).toBe(404);
    expect((await server.check(body, 'x')).status).toBe(400);
    expect((await server.start({ phone: 'x', purpose: 'registration' })).status).toBe(422);
    expect((await server.backend('POST', '/v1/proofs/redeem', { proof: 'x' })).status).toBe(422);
  });

  it('that is locked by somebody does not keep health and keys waiting', async () => {
    const dataDir = tempDir();
    server = await startTestServer({ config: { dataDir } });
    const holder = new DatabaseSync(join(dataDir, 'phone-proof.sqlite'));
    holder.exec('BEGIN IMMEDIATE');
    let undecided = 3;
    const starts = Array.from({ length: 3 }, async () => {
      const answer = await server.start(BODY);
      undecided -= 1;
      return answer;
    });
    // Answers to health checks while the starts wait: a handful means that they waited, too.
    let healthy = 0;
    while (undecided > 0) {
      expect((await fetch(`${server.url}/livez`)).status).toBe(200);
      healthy += 1;
    }
    const answers = await Promise.all(starts);
    holder.exec('ROLLBACK');
    holder.close();
    for (const answer of answers) expectProblem(answer, 503, 'unavailable');
    expect(healthy).toBeGreaterThan(50);
  });
});
