import { decodeJwt, importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectMalformed, expectProblem } from '../testing/problems.ts';
import { NO_LIMITS, startTestServer, type TestServer, testSite } from '../testing/server.ts';

const PHONE = '+31612345678';
const TRANSFER = { amount: '250.00', currency: 'EUR', payee: 'Jansen', reference: 'Invoice 12' };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    config: {
      sites: [
        testSite({ limits: NO_LIMITS }),
        testSite({ id: 'other', publishableKey: 'pk_other', secretKey: 'sk_other', limits: NO_LIMITS }),
      ],
    },
  });
});
afterAll(() => server.close());

const redeem = (body: Record<string, unknown>, key = 'sk_test') =>
  server.backend('POST', '/v1/proofs/redeem', body, { Authorization: `Bearer ${key}` });
const invalid = (reason: string) => ['invalid-proof', { reason }] as const;

describe('redeeming a proof', () => {
  it('says once that it is active, with its claims, and then that it was redeemed, and when', async () => {
    const proof = await server.proofFor(PHONE);
    const redeemedAt = new Date(server.clock.now()).toISOString();
    const answer = await redeem({ proof });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ active: true, claims: decodeJwt(proof), redeemedAt });
    expect(answer.headers.get('Cache-Control')).toBe('no-store');

    server.clock.advance(1_000);
    expectProblem(await redeem({ proof }), 409, 'proof-redeemed', { redeemedAt });
  });

  it('takes the expectations that the proof meets', async () => {
    const proof = await server.proofByIntent(PHONE, {
      purpose: 'transaction',
      nonce: 'n-1',
      transaction: TRANSFER,
    });
    const reordered = { reference: 'Invoice 12', payee: 'Jansen', currency: 'EUR', amount: '250.00' };
    const answer = await redeem({ proof, purpose: 'transaction', nonce: 'n-1', transaction: reordered });
    expect(answer.status).toBe(200);
  });

  it.each([
    ['wrong-purpose', { purpose: 'login' }],
    ['wrong-nonce', { nonce: 'n-2' }],
    ['wrong-transaction', { transaction: { ...TRANSFER, amount: '250' } }],
    ['wrong-transaction', { transaction: { ...TRANSFER, currency: 'USD' } }],
    ['wrong-transaction', { transaction: { ...TRANSFER, payee: 'Janssen' } }],
    ['wrong-transaction', { transaction: { ...TRANSFER, reference: undefined } }],
  ])('refuses %s, and the proof stays good', async (reason, wrong) => {
    const proof = await server.proofByIntent(PHONE, {
      purpose: 'transaction',
      nonce: 'n-1',
      transaction: TRANSFER,
    });
    const good = { proof, purpose: 'transaction', nonce: 'n-1', transaction: TRANSFER };
    expectProblem(await redeem({ ...good, ...wrong }), 422, ...invalid(reason));
    expect((await redeem(good)).status).toBe(200);
  });

  it('refuses what the proof says nothing of', async () => {
    const proof = await server.proofFor(PHONE);
    expectProblem(await redeem({ proof, nonce: 'n-1' }), 422, ...invalid('wrong-nonce'));
    expectProblem(await redeem({ proof, transaction: TRANSFER }), 422, ...invalid('wrong-transaction'));
  });

  it('refuses another site’s proof as just that, and leaves it to its own', async () => {
    const proof = await server.proofFor(PHONE);
    expectProblem(await redeem({ proof }, 'sk_other'), 422, ...invalid('wrong-site'));
    expect((await redeem({ proof })).status).toBe(200);
  });

  it('does not tell another site whether a proof was redeemed', async () => {
    const proof = await server.proofFor(PHONE);
    await redeem({ proof });
    expectProblem(await redeem({ proof }, 'sk_other'), 422, ...invalid('wrong-site'));
  });

  it('refuses one that has expired, to the second', async () => {
    const proof = await server.proofFor(PHONE);
    const late = await server.proofFor(PHONE);
    server.clock.advance(599_000);
    expect((await redeem({ proof })).status).toBe(200);
    server.clock.advance(1_000);
    expectProblem(await redeem({ proof: late }), 422, ...invalid('expired'));
  });

  it.each([
    ['garbage', 'malformed'],
    ['a.b.c', 'malformed'],
    ['eyJhbGciOiJub25lIiwidHlwIjoicGhvbmUtcHJvb2Yrand0In0.e30.', 'wrong-algorithm'],
  ])('refuses %j: %s', async (proof, reason) => {
    expectProblem(await redeem({ proof }), 422, ...invalid(reason));
  });

  it('refuses what it did not sign', async () => {
    const proof = await server.proofFor(PHONE);
    const at = proof.lastIndexOf('.') + 5;
    const altered = `${proof.slice(0, at)}${proof[at] === 'A' ? 'B' : 'A'}${proof.slice(at + 1)}`;
    expectProblem(await redeem({ proof: altered }), 422, ...invalid('bad-signature'));

    const { keys } = (await (await fetch(`${server.url}/.well-known/jwks.json`)).json()) as {
      keys: { kid: string }[];
    };
    const oct = await importJWK({
      kty: 'oct',
      k: Buffer.from(JSON.stringify(keys[0])).toString('base64url'),
    });
    const confused = await new SignJWT(decodeJwt(proof))
      .setProtectedHeader({ alg: 'HS256', typ: 'phone-proof+jwt', kid: keys[0]!.kid })
      .sign(oct);
    expectProblem(await redeem({ proof: confused }), 422, ...invalid('wrong-algorithm'));
    expect((await redeem({ proof })).status).toBe(200);
  });

  it('says which member is wrong', async () => {
    expectMalformed(await redeem({}), 'proof');
    expectMalformed(await redeem({ proof: '' }), 'proof');
    expectMalformed(await redeem({ proof: 7, purpose: 'X' }), 'proof', 'purpose');
    expectMalformed(await redeem({ proof: 'x'.repeat(8_193) }), 'proof');
    expectMalformed(
      await redeem({ proof: 'x', transaction: { amount: '1' } }),
      'transaction.currency',
      'transaction.payee',
    );
  });
});
