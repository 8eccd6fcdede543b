import { decodeJwt } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { NO_LIMITS, startTestServer, type TestServer, testSite } from '../testing/server.ts';

const PHONE = '+31612345678';

let server: TestServer;
afterEach(() => server.close());

const pairwise = (id: string, keys: { publishableKey?: string; secretKey?: string } = {}) =>
  testSite({ id, privacy: 'pairwise', limits: NO_LIMITS, ...keys });

describe('pairwise privacy', () => {
  it('puts a hash in place of the number: steady for a site, different between sites and numbers', async () => {
    server = await startTestServer({
      config: {
        sites: [pairwise('shop'), pairwise('other', { publishableKey: 'pk_other', secretKey: 'sk_other' })],
      },
    });
    const hashOf = async (phone: string, siteKey: string) => {
      const proof = await server.proofFor(phone, { siteKey });
      const claims = decodeJwt(proof);
      expect(claims).not.toHaveProperty('phone_number');
      expect(claims.phone_number_verified).toBe(true);
      expect(Buffer.from(proof.split('.')[1]!, 'base64url').toString()).not.toContain('612345678');
      return claims.phone_hash;
    };
    const hash = await hashOf(PHONE, 'pk_test');
    expect(hash).toMatch(/^[\w-]{43}$/);
    expect(await hashOf(PHONE, 'pk_test')).toBe(hash);
    expect(await hashOf(PHONE, 'pk_other')).not.toBe(hash);
    expect(await hashOf('+31687654321', 'pk_test')).not.toBe(hash);
  });

  it('holds for what a redeem tells, too', async () => {
    server = await startTestServer({ config: { sites: [pairwise('shop')] } });
    const { body } = await server.backend('POST', '/v1/proofs/redeem', {
      proof: await server.proofFor(PHONE),
    });
    expect(body).toMatchObject({ active: true, claims: { phone_hash: expect.any(String) } });
    expect(JSON.stringify(body)).not.toContain('612345678');
  });

  it('is not what a site gets that did not ask for it', async () => {
    server = await startTestServer();
    const claims = decodeJwt(await server.proofFor(PHONE));
    expect(claims.phone_number).toBe(PHONE);
    expect(claims).not.toHaveProperty('phone_hash');
  });
});

describe('the claims', () => {
  it('leave out what there was not, and name the site’s own audience and lifetime', async () => {
    server = await startTestServer({
      config: { sites: [testSite({ audience: 'shop-backend', proofTtl: '2m', limits: NO_LIMITS })] },
    });
    const claims = decodeJwt(await server.proofFor(PHONE));
    for (const absent of ['sub', 'nonce', 'transaction', 'phone_hash'])
      expect(claims).not.toHaveProperty(absent);
    expect(claims).toMatchObject({ aud: 'shop-backend', site: 'shop' });
    expect(claims.exp! - claims.iat!).toBe(120);
  });

  it('follow the purpose’s own lifetime', async () => {
    server = await startTestServer({
      config: { sites: [testSite({ limits: NO_LIMITS, purposes: { registration: { proofTtl: '1m' } } })] },
    });
    const claims = decodeJwt(await server.proofFor(PHONE));
    expect(claims.exp! - claims.iat!).toBe(60);
  });
});
