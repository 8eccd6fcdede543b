/** A proof is an ordinary JWT: libraries that know nothing of us accept it from the issuer's metadata alone. */
import { createPublicKey, type JsonWebKey, verify as verifySignature } from 'node:crypto';
import type { Server } from 'node:http';
import express from 'express';
import { auth } from 'express-oauth2-jwt-bearer';
import jwt from 'jsonwebtoken';
import jwksRsa from 'jwks-rsa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { ORIGIN, startTestServer, type TestServer } from '../testing/server.ts';

const PHONE = '+31612345678';

let server: TestServer;
let issuer: string;

async function open(algorithm: 'ES256' | 'EdDSA' | 'RS256') {
  const port = await freePort();
  issuer = `http://127.0.0.1:${port}`;
  server = await startTestServer({
    now: 'real',
    config: { port, publicUrl: `${issuer}/`, proof: { algorithm } },
  });
}
afterEach(() => server.close());

/** `proof` with another last character of its signature that matters. */
function forged(proof: string): string {
  const at = proof.lastIndexOf('.') + 5;
  return `${proof.slice(0, at)}${proof[at] === 'A' ? 'B' : 'A'}${proof.slice(at + 1)}`;
}

describe('jsonwebtoken with jwks-rsa', () => {
  type Options = Omit<jwt.VerifyOptions, 'complete'>;
  const verifyWith = (proof: string, options: Options) =>
    new Promise<jwt.JwtPayload>((resolve, reject) => {
      const client = jwksRsa({ jwksUri: `${issuer}/.well-known/jwks.json` });
      const getKey: jwt.GetPublicKeyOrSecret = ({ kid }, callback) =>
        client.getSigningKey(kid).then((key) => callback(null, key.getPublicKey()), callback);
      jwt.verify(proof, getKey, options, (error, claims) =>
        claims && typeof claims === 'object' ? resolve(claims as jwt.JwtPayload) : reject(error),
      );
    });

  it.each(['ES256', 'RS256'] as const)(
    'accepts %s, and the claims are those of the contract',
    async (algorithm) => {
      await open(algorithm);
      const proof = await server.proofFor(PHONE, { nonce: 'n-1' });
      const options: Options = { algorithms: [algorithm], issuer, audience: ORIGIN, nonce: 'n-1' };
      const claims = await verifyWith(proof, options);

      expect(claims).toEqual({
        iss: issuer,
        aud: ORIGIN,
        iat: expect.any(Number),
        exp: claims.iat! + 600,
        auth_time: claims.iat,
        jti: expect.stringMatching(/^prf_/),
        phone_number: PHONE,
        phone_number_verified: true,
        purpose: 'registration',
        site: 'shop',
        amr: ['sms', 'otp'],
        nonce: 'n-1',
        verification_id: expect.stringMatching(/^vrf_/),
      });
      expect(jwt.decode(proof, { complete: true })?.header).toEqual({
        alg: algorithm,
        typ: 'phone-proof+jwt',
        kid: expect.any(String),
      });
      await expect(verifyWith(forged(proof), options)).rejects.toThrow('invalid signature');
      await expect(verifyWith(proof, { ...options, audience: 'https://other.example' })).rejects.toThrow(
        'audience',
      );
      await expect(verifyWith(proof, { ...options, issuer: 'https://other.example' })).rejects.toThrow(
        'issuer',
      );
      await expect(verifyWith(proof, { ...options, nonce: 'n-2' })).rejects.toThrow('nonce');
    },
  );
});

describe('express-oauth2-jwt-bearer by issuer discovery', () => {
  let listening: Server;
  let url: string;
  beforeEach(() => {
    listening = undefined as never;
  });
  afterEach(() => listening?.close());

  async function protect(tokenSigningAlg?: string) {
    const app = express();
    app.use(auth({ issuerBaseURL: issuer, audience: ORIGIN, ...(tokenSigningAlg && { tokenSigningAlg }) }));
    app.get('/', (request, response) => {
      response.json(request.auth?.payload);
    });
    app.use(((error, _request, response, _next) => {
      response.status(error.status ?? 500).json({ message: error.message });
    }) satisfies express.ErrorRequestHandler);
    listening = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => listening.once('listening', resolve));
    const address = listening.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }
  const call = (proof: string) => fetch(url, { headers: { Authorization: `Bearer ${proof}` } });

  it.each([
    ['ES256', 'told the algorithm', 'ES256'],
    ['RS256', 'told the algorithm', 'RS256'],
    ['EdDSA', 'told the algorithm', 'EdDSA'],
    ['ES256', 'knowing nothing but issuer and audience', undefined],
    ['RS256', 'knowing nothing but issuer and audience', undefined],
  ] as const)('accepts %s, %s', async (algorithm, _, told) => {
    await open(algorithm);
    await protect(told);
    const proof = await server.proofFor(PHONE);
    const accepted = await call(proof);
    const claims = await accepted.json();

    expect([accepted.status, claims]).toEqual([
      200,
      expect.objectContaining({ iss: issuer, aud: ORIGIN, phone_number: PHONE, phone_number_verified: true }),
    ]);
    expect((await call(forged(proof))).status).toBe(401);
    expect((await call(`${proof.split('.').slice(0, 2).join('.')}.`)).status).toBe(401);
  });
});

describe('a few lines of node:crypto', () => {
  it('verify EdDSA with the published key', async () => {
    await open('EdDSA');
    const proof = await server.proofFor(PHONE);
    const [header, payload, signature] = proof.split('.') as [string, string, string];
    const { kid, alg } = JSON.parse(Buffer.from(header, 'base64url').toString());
    const { keys } = (await (await fetch(`${issuer}/.well-known/jwks.json`)).json()) as {
      keys: (JsonWebKey & { kid: string })[];
    };
    const jwk = keys.find((one) => one.kid === kid)!;
    expect([alg, jwk.kty, jwk.crv]).toEqual(['EdDSA', 'OKP', 'Ed25519']);
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const isGenuine = (content: string) =>
      verifySignature(null, Buffer.from(content), key, Buffer.from(signature, 'base64url'));
    expect(isGenuine(`${header}.${payload}`)).toBe(true);
    expect(isGenuine(`${header}.${payload}A`)).toBe(false);
  });
});
