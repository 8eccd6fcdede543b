import { decodeProtectedHeader } from 'jose';
import { createProofVerifier } from 'phone-proof/verify';
import { afterEach, describe, expect, it } from 'vitest';
import { ISSUER, ORIGIN, startTestServer, type TestServer } from '../testing/server.ts';

const PHONE = '+31612345678';
const OVERLAP_MS = 24 * 3_600_000;
/** The proof's ten minutes, and an hour for clocks that are off. */
const KEEP_MS = 600_000 + 3_600_000;

let server: TestServer;
afterEach(() => server.close());

const published = async () => {
  const { keys } = (await (await fetch(`${server.url}/.well-known/jwks.json`)).json()) as {
    keys: { kid: string }[];
  };
  return keys.map(({ kid }) => kid);
};
const signingKid = async () => decodeProtectedHeader(await server.proofFor(PHONE)).kid;

describe('rotation', () => {
  it('publishes the next key before it signs, and the old one until its last proof is over', async () => {
    server = await startTestServer();
    const old = await signingKid();
    expect(await published()).toEqual([old]);

    const next = await server.keys.rotate();
    expect(next).not.toBe(old);
    expect(await published()).toEqual([old, next]);
    expect(await signingKid()).toBe(old);

    server.clock.advance(OVERLAP_MS - 1);
    expect(await signingKid()).toBe(old);
    server.clock.advance(1);
    expect(await signingKid()).toBe(next);
    expect(await published()).toEqual([old, next]);

    server.clock.advance(KEEP_MS - 1);
    expect(await published()).toEqual([old, next]);
    server.clock.advance(1);
    expect(await published()).toEqual([next]);
    await server.keys.refresh();
    expect(server.keys.list().map(({ kid }) => kid)).toEqual([next]);
    expect(await server.store.signingKeys()).toHaveLength(1);
  });

  it('tells what each key does', async () => {
    server = await startTestServer();
    await server.keys.rotate();
    const states = () => server.keys.list().map(({ state }) => state);
    expect(states()).toEqual(['signing', 'next']);
    server.clock.advance(OVERLAP_MS);
    expect(states()).toEqual(['published', 'signing']);
  });

  it('adds no second key while one is waiting', async () => {
    server = await startTestServer();
    const kids = await Promise.all([server.keys.rotate(), server.keys.rotate(), server.keys.rotate()]);
    expect(new Set(kids).size).toBe(1);
    expect(await published()).toHaveLength(2);
  });

  it('takes over at once where a key has leaked', async () => {
    server = await startTestServer();
    const old = await signingKid();
    const waiting = await server.keys.rotate();
    const now = await server.keys.rotate({ immediately: true });
    expect(await signingKid()).toBe(now);
    expect(await published()).toEqual([old, waiting, now]);

    // The one that leaked is not kept for as long as the one that was waiting would have waited.
    server.clock.advance(KEEP_MS);
    expect(await published()).toEqual([now]);
    server.clock.advance(OVERLAP_MS);
    expect(await signingKid()).toBe(now);
  });

  it('leaves old proofs good, for backends and for a redeem', async () => {
    server = await startTestServer({ now: 'real', config: { proof: { keyOverlap: '0s' } } });
    const before = await server.proofFor(PHONE);
    await server.keys.rotate({ immediately: true });
    const after = await server.proofFor(PHONE);
    expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid);

    const verifier = createProofVerifier({
      issuer: ISSUER,
      audience: ORIGIN,
      jwksUrl: `${server.url}/.well-known/jwks.json`,
    });
    for (const proof of [before, after]) {
      await expect(verifier.verify(proof, { purpose: 'registration' })).resolves.toMatchObject({
        phone_number: PHONE,
      });
      expect((await server.backend('POST', '/v1/proofs/redeem', { proof })).status).toBe(200);
    }
  });
});

describe('another algorithm', () => {
  it.each([
    ['ES256', { kty: 'EC', crv: 'P-256' }],
    ['EdDSA', { kty: 'OKP', crv: 'Ed25519' }],
    ['RS256', { kty: 'RSA' }],
  ] as const)('%s signs what a backend and a redeem accept', async (algorithm, jwk) => {
    server = await startTestServer({ now: 'real', config: { proof: { algorithm } } });
    const proof = await server.proofFor(PHONE);
    expect(decodeProtectedHeader(proof)).toEqual({
      alg: algorithm,
      typ: 'phone-proof+jwt',
      kid: (await published())[0],
    });
    const { keys } = (await (await fetch(`${server.url}/.well-known/jwks.json`)).json()) as {
      keys: object[];
    };
    expect(keys[0]).toMatchObject({ ...jwk, alg: algorithm, use: 'sig' });
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(keys[0]).not.toHaveProperty(secret);

    const verifier = createProofVerifier({
      issuer: ISSUER,
      audience: ORIGIN,
      jwksUrl: `${server.url}/.well-known/jwks.json`,
    });
    await verifier.verify(proof, { purpose: 'registration' });
    expect((await server.backend('POST', '/v1/proofs/redeem', { proof })).status).toBe(200);
  });
});
