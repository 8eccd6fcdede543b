import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  base64url,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';
import { createProofVerifier, ProofError, type ProofVerifierOptions } from 'phone-proof/verify';
import { beforeAll, describe, expect, it } from 'vitest';

const ISSUER = 'https://verify.example';
const AUDIENCE = 'https://shop.example';
const TRANSFER = { amount: '250.00', currency: 'EUR', payee: 'Jansen', reference: 'Invoice 12' };

type Pair = { publicKey: CryptoKey; privateKey: CryptoKey };
let pair: Pair;
let stranger: Pair;
let jwks: JSONWebKeySet;
beforeAll(async () => {
  pair = await generateKeyPair('ES256', { extractable: true });
  stranger = await generateKeyPair('ES256');
  jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] };
});

const seconds = () => Math.floor(Date.now() / 1_000);
const claims = () => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'user-7',
  iat: seconds(),
  exp: seconds() + 600,
  auth_time: seconds(),
  jti: 'prf_1',
  phone_number: '+31612345678',
  phone_number_verified: true,
  purpose: 'transaction',
  site: 'shop',
  amr: ['sms', 'otp'],
  nonce: 'n-1',
  transaction: TRANSFER,
  verification_id: 'vrf_1',
});

/** A proof with some claims or header members changed; `undefined` takes one away. */
function sign(
  changes: Record<string, unknown> = {},
  header: Partial<JWTHeaderParameters> = {},
  key: CryptoKey = pair.privateKey,
): Promise<string> {
  return new SignJWT({ ...claims(), ...changes })
    .setProtectedHeader({ alg: 'ES256', typ: 'phone-proof+jwt', kid: 'k1', ...header })
    .sign(key);
}

const verifier = (options: Partial<ProofVerifierOptions> = {}) =>
  createProofVerifier({ issuer: ISSUER, audience: AUDIENCE, jwks, ...options });

const everything = { purpose: 'transaction', nonce: 'n-1', subject: 'user-7', transaction: TRANSFER };
type Expected = Parameters<ReturnType<typeof createProofVerifier>['verify']>[1];

async function refusal(proof: unknown, expected: Expected = everything, options = {}): Promise<unknown> {
  const outcome = await verifier(options)
    .verify(proof, expected)
    .then(
      () => 'accepted',
      (error: unknown) => error,
    );
  if (outcome === 'accepted') return outcome;
  expect(outcome).toBeInstanceOf(ProofError);
  const { code, message, name } = outcome as ProofError;
  expect([name, message]).toEqual(['ProofError', expect.stringMatching(/\S/)]);
  return code;
}

describe('createProofVerifier', () => {
  it('resolves to the claims of a genuine proof', async () => {
    const verified = await verifier().verify(await sign(), everything);
    expect(verified).toEqual({
      ...claims(),
      iat: verified.iat,
      exp: verified.exp,
      auth_time: verified.auth_time,
    });
  });

  it('compares only what it is given, beside the purpose', async () => {
    expect(await refusal(await sign(), { purpose: 'transaction' })).toBe('accepted');
  });

  it('insists on a purpose, of its caller and not of the proof', async () => {
    const proof = await sign();
    for (const expected of [undefined, null, {}, { purpose: '' }, { purpose: undefined }]) {
      await expect(verifier().verify(proof, expected as never)).rejects.toThrow(TypeError);
    }
  });

  it('does not take an expectation that came out undefined for none', async () => {
    const proof = await sign();
    for (const lost of [{ nonce: undefined }, { subject: undefined }, { transaction: undefined }]) {
      const outcome = await verifier()
        .verify(proof, { purpose: 'transaction', ...lost } as never)
        .then(
          () => 'accepted',
          () => 'refused',
        );
      expect([Object.keys(lost)[0], outcome]).toEqual([Object.keys(lost)[0], 'refused']);
    }
  });

  it.each([
    ['another purpose', 'wrong-purpose', { purpose: 'login' }],
    ['another nonce', 'wrong-nonce', { nonce: 'n-2' }],
    ['no nonce', 'wrong-nonce', { nonce: undefined }],
    ['another subject', 'wrong-subject', { sub: 'user-8' }],
    ['no subject', 'wrong-subject', { sub: undefined }],
    ['another amount', 'wrong-transaction', { transaction: { ...TRANSFER, amount: '2500.00' } }],
    [
      'the same amount otherwise written',
      'wrong-transaction',
      { transaction: { ...TRANSFER, amount: '250.0' } },
    ],
    ['another currency', 'wrong-transaction', { transaction: { ...TRANSFER, currency: 'USD' } }],
    ['another payee', 'wrong-transaction', { transaction: { ...TRANSFER, payee: 'Janssen' } }],
    ['another reference', 'wrong-transaction', { transaction: { ...TRANSFER, reference: '13' } }],
    ['no reference', 'wrong-transaction', { transaction: { ...TRANSFER, reference: undefined } }],
    ['no transaction', 'wrong-transaction', { transaction: undefined }],
    ['a null transaction', 'wrong-transaction', { transaction: null }],
    ['another issuer', 'wrong-issuer', { iss: 'https://evil.example' }],
    ['no issuer', 'wrong-issuer', { iss: undefined }],
    ['an issuer that only begins alike', 'wrong-issuer', { iss: `${ISSUER}.evil.example` }],
    ['another audience', 'wrong-audience', { aud: 'https://other.example' }],
    ['no audience', 'wrong-audience', { aud: undefined }],
    ['an end that has come', 'expired', { exp: seconds() - 1 }],
    ['a beginning that has not', 'not-yet-valid', { iat: seconds() + 60 }],
    ['a nbf that has not', 'not-yet-valid', { nbf: seconds() + 60 }],
    ['no end', 'malformed', { exp: undefined }],
    ['no iat', 'malformed', { iat: undefined }],
    ['no auth_time', 'malformed', { auth_time: undefined }],
    ['an auth_time in words', 'malformed', { auth_time: 'now' }],
    ['no jti', 'malformed', { jti: undefined }],
    ['no site', 'malformed', { site: undefined }],
    ['no verification id', 'malformed', { verification_id: undefined }],
    ['a number that was not verified', 'malformed', { phone_number_verified: false }],
    ['nothing about verification', 'malformed', { phone_number_verified: undefined }],
  ])('rejects %s: %s', async (_, code, changes) => {
    expect(await refusal(await sign(changes))).toBe(code);
  });

  it.each([
    ['another reference where none was agreed', { amount: '250.00', currency: 'EUR', payee: 'Jansen' }],
  ])('rejects %s', async (_, transaction) => {
    expect(await refusal(await sign(), { purpose: 'transaction', transaction })).toBe('wrong-transaction');
  });

  it('rejects what is older than maxAge, to the second', async () => {
    const proof = await sign({ auth_time: seconds() - 100 });
    expect(await refusal(proof, { purpose: 'transaction', maxAge: 90 })).toBe('too-old');
    expect(await refusal(proof, { purpose: 'transaction', maxAge: 110 })).toBe('accepted');
  });

  it('rejects another type of token', async () => {
    for (const typ of ['JWT', 'at+jwt', 'phone-proof', undefined]) {
      expect(await refusal(await sign({}, { typ: typ as string }))).toBe('wrong-type');
    }
  });

  it('rejects a signature of somebody else, or an altered one, or none', async () => {
    const proof = await sign();
    const [header, payload, signature] = proof.split('.') as [string, string, string];
    const other = await sign({ phone_number: '+31687654321' });
    expect(await refusal(await sign({}, {}, stranger.privateKey))).toBe('bad-signature');
    expect(await refusal(`${header}.${other.split('.')[1]}.${signature}`)).toBe('bad-signature');
    expect(await refusal(`${header}.${payload}.`)).toBe('bad-signature');
    expect(await refusal(`${header}.${payload}.${'A'.repeat(signature.length)}`)).toBe('bad-signature');
  });

  it('rejects other algorithms, above all none, and HS256 under the public key', async () => {
    const encode = (value: object) => base64url.encode(JSON.stringify(value));
    const header = { typ: 'phone-proof+jwt', kid: 'k1' };
    for (const alg of ['none', 'None', 'NONE']) {
      const proof = `${encode({ ...header, alg })}.${encode(claims())}.`;
      expect([alg, await refusal(proof)]).toEqual([alg, 'wrong-algorithm']);
    }
    const jwk = JSON.stringify(jwks.keys[0]);
    for (const secret of [await exportSPKI(pair.publicKey), jwk]) {
      const proof = await new SignJWT(claims())
        .setProtectedHeader({ ...header, alg: 'HS256' })
        .sign(new TextEncoder().encode(secret));
      expect(await refusal(proof)).toBe('wrong-algorithm');
    }
    const other = await generateKeyPair('ES384');
    expect(await refusal(await sign({}, { alg: 'ES384' }, other.privateKey))).toBe('wrong-algorithm');
  });

  it('rejects a key that is not published', async () => {
    expect(await refusal(await sign({}, { kid: 'k2' }))).toBe('unknown-key');
  });

  it('rejects a proof that names no key as its own fault, also while two keys are published', async () => {
    const second = { ...(await exportJWK(stranger.publicKey)), kid: 'k2', alg: 'ES256', use: 'sig' };
    const { kid: _, ...header } = { kid: 'k1', alg: 'ES256', typ: 'phone-proof+jwt' };
    const nameless = await new SignJWT(claims()).setProtectedHeader(header).sign(pair.privateKey);
    const code = await refusal(nameless, everything, { jwks: { keys: [...jwks.keys, second] } });
    expect(['malformed', 'unknown-key', 'bad-signature']).toContain(code);
  });

  it.each([
    undefined,
    null,
    '',
    ' ',
    42,
    {},
    [],
    'garbage',
    'a.b.c',
    '..',
    'eyJ.eyJ.x',
    `${'a'.repeat(100_000)}.b.c`,
    '🙂.🙂.🙂',
    'e30.e30.e30',
  ])('rejects %j as no proof at all', async (proof) => {
    expect(await refusal(proof)).toBe('malformed');
  });

  it('rejects a payload that is no object', async () => {
    const [header] = (await sign()).split('.') as [string];
    for (const payload of ['null', '[]', '1', '"x"', '{']) {
      const encoded = base64url.encode(payload);
      const signature = await crypto.subtle.sign(
        { name: 'ECDSA', hash: 'SHA-256' },
        pair.privateKey,
        new TextEncoder().encode(`${header}.${encoded}`),
      );
      const proof = `${header}.${encoded}.${base64url.encode(new Uint8Array(signature))}`;
      expect([payload, await refusal(proof)]).toEqual([payload, 'malformed']);
    }
  });

  it('does not care for a slash at the end of the issuer', async () => {
    expect(await refusal(await sign(), everything, { issuer: `${ISSUER}/` })).toBe('accepted');
  });
});

describe('keys that are fetched', () => {
  async function withKeyServer(
    answer: { status?: number; body?: string; type?: string },
    use: (url: string, count: () => number) => Promise<void>,
  ) {
    let requests = 0;
    const keyServer = createServer((_, response) => {
      requests += 1;
      response.writeHead(answer.status ?? 200, { 'Content-Type': answer.type ?? 'application/json' });
      response.end(answer.body ?? JSON.stringify(jwks));
    });
    await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve));
    const { port } = keyServer.address() as AddressInfo;
    try {
      await use(`http://127.0.0.1:${port}`, () => requests);
    } finally {
      keyServer.closeAllConnections();
      await new Promise((resolve) => keyServer.close(resolve));
    }
  }

  it('come from the issuer’s well-known address, once', async () => {
    await withKeyServer({}, async (issuer, count) => {
      const fetched = createProofVerifier({ issuer: `${issuer}/`, audience: AUDIENCE });
      const proof = await sign({ iss: issuer });
      for (let n = 0; n < 5; n += 1) await fetched.verify(proof, everything);
      expect(count()).toBe(1);
    });
  });

  it('may stand elsewhere, and be fetched by another fetch', async () => {
    const asked: string[] = [];
    const fetched = createProofVerifier({
      issuer: ISSUER,
      audience: AUDIENCE,
      jwksUrl: 'https://keys.example/set',
      fetch: async (url) => {
        asked.push(String(url));
        return Response.json(jwks);
      },
    });
    await fetched.verify(await sign(), everything);
    expect(asked).toEqual(['https://keys.example/set']);
  });

  it.each([
    ['a server error', { status: 500 }],
    ['not found', { status: 404 }],
    ['no JSON', { body: '<html>' }],
    ['no key set', { body: '{"keys":7}' }],
    ['null', { body: 'null' }],
  ])('that cannot be read are told from a bad proof: %s', async (_, answer) => {
    await withKeyServer(answer, async (url) => {
      expect(await refusal(await sign(), everything, { jwks: undefined, jwksUrl: url })).toBe(
        'keys-unavailable',
      );
    });
  });

  it('that cannot be reached are told from a bad proof, and asked for again', async () => {
    let isUp = false;
    const fetched = createProofVerifier({
      issuer: ISSUER,
      audience: AUDIENCE,
      fetch: async () => {
        if (!isUp) throw new TypeError('fetch failed');
        return Response.json(jwks);
      },
    });
    await expect(fetched.verify(await sign(), everything)).rejects.toMatchObject({
      code: 'keys-unavailable',
    });
    isUp = true;
    await expect(fetched.verify(await sign(), everything)).resolves.toMatchObject({ jti: 'prf_1' });
  });
});
