/** The same seven requests to each framework's middleware. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import express from 'express';
import fastify, { type FastifyRequest } from 'fastify';
import { Hono } from 'hono';
import { createProofVerifier, type ProofClaims, type ProofVerifier } from 'phone-proof/verify';
import { requireProof as requireProofExpress } from 'phone-proof/verify/express';
import { requireProof as requireProofFastify } from 'phone-proof/verify/fastify';
import { requireProof as requireProofHono } from 'phone-proof/verify/hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ISSUER, ORIGIN, startTestServer, type TestServer } from '../../testing/server.ts';

const PHONE = '+31612345678';

let server: TestServer;
let verifier: ProofVerifier;
beforeAll(async () => {
  server = await startTestServer({ now: 'real' });
  verifier = createProofVerifier({
    issuer: ISSUER,
    audience: ORIGIN,
    jwksUrl: `${server.url}/.well-known/jwks.json`,
  });
});
afterAll(() => server.close());

type Running = { url: string; close(): Promise<unknown> };

/** Each guards `/signup` with fixed options, and `/nonce` with a nonce from a header. */
const frameworks: Record<string, { isForm: boolean; open(): Promise<Running> }> = {
  Hono: {
    isForm: true,
    async open() {
      const app = new Hono()
        .post('/signup', requireProofHono(verifier, { purpose: 'registration' }), (c) =>
          c.json({ phone: c.get('proof').phone_number }),
        )
        .post(
          '/nonce',
          requireProofHono(verifier, (c) => ({
            purpose: 'registration',
            field: 'token',
            nonce: c.req.header('X-Nonce') ?? '',
          })),
          (c) => c.json({ phone: c.get('proof').phone_number }),
        );
      const listening = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
      await once(listening, 'listening');
      const { port } = listening.address() as AddressInfo;
      return {
        url: `http://127.0.0.1:${port}`,
        close: () => new Promise((resolve) => listening.close(resolve)),
      };
    },
  },
  Express: {
    isForm: true,
    async open() {
      const app = express();
      app.use(express.json(), express.urlencoded());
      const answer: express.RequestHandler = (request, response) => {
        const { proof } = request as { proof?: ProofClaims };
        response.json({ phone: proof?.phone_number });
      };
      app.post('/signup', requireProofExpress(verifier, { purpose: 'registration' }), answer);
      app.post(
        '/nonce',
        requireProofExpress<express.Request>(verifier, async (request) => ({
          purpose: 'registration',
          field: 'token',
          nonce: request.get('X-Nonce') ?? '',
        })),
        answer,
      );
      const listening = app.listen(0, '127.0.0.1');
      await once(listening, 'listening');
      const { port } = listening.address() as AddressInfo;
      return {
        url: `http://127.0.0.1:${port}`,
        close: () => new Promise((resolve) => listening.close(resolve)),
      };
    },
  },
  Fastify: {
    isForm: false,
    async open() {
      const app = fastify();
      app.decorateRequest('proof');
      const answer = async (request: FastifyRequest) => ({
        phone: (request as { proof?: ProofClaims }).proof?.phone_number,
      });
      app.post('/signup', { preHandler: requireProofFastify(verifier, { purpose: 'registration' }) }, answer);
      app.post(
        '/nonce',
        {
          preHandler: requireProofFastify<FastifyRequest>(verifier, (request) => ({
            purpose: 'registration',
            field: 'token',
            nonce: String(request.headers['x-nonce']),
          })),
        },
        answer,
      );
      return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() };
    },
  },
};

describe.each(Object.entries(frameworks))('requireProof for %s', (_, { isForm, open }) => {
  let running: Running;
  beforeAll(async () => {
    running = await open();
  });
  afterAll(() => running.close());

  async function post(path: string, body: object | string, headers: Record<string, string> = {}) {
    const response = await fetch(`${running.url}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
  }

  it('lets a genuine proof through, with its claims', async () => {
    const answer = await post('/signup', { phone_proof: await server.proofFor(PHONE) });
    expect(answer).toEqual({ status: 200, body: { phone: PHONE } });
  });

  // Fastify reads forms with a plugin of its own.
  if (isForm) {
    it('reads a form', async () => {
      const form = new URLSearchParams({ name: 'x', phone_proof: await server.proofFor(PHONE) });
      const answer = await post('/signup', String(form), {
        'Content-Type': 'application/x-www-form-urlencoded',
      });
      expect(answer).toEqual({ status: 200, body: { phone: PHONE } });
    });
  }

  it('refuses a missing, altered or foreign proof, with its code', async () => {
    const refused = (code: string) => ({ status: 403, body: { code, detail: expect.stringMatching(/\S/) } });
    const proof = await server.proofFor(PHONE);
    expect(await post('/signup', {})).toEqual(refused('malformed'));
    expect(await post('/signup', { phone_proof: ['x'] })).toEqual(refused('malformed'));
    expect(await post('/signup', { phone_proof: `${proof.slice(0, -20)}${'A'.repeat(20)}` })).toEqual(
      refused('bad-signature'),
    );
    expect(
      await post('/signup', { phone_proof: await server.proofFor(PHONE, { purpose: 'checkout' }) }),
    ).toEqual(refused('wrong-purpose'));
  });

  it('does not fall over odd JSON bodies', async () => {
    for (const body of ['null', '[]', '"x"', '1', '{"__proto__":{"phone_proof":"x"}}']) {
      const { status } = await post('/signup', body);
      expect([body, status]).toEqual([body, status === 400 ? 400 : 403]);
    }
  });

  it('does not fall over a body that is no JSON, or is missing', async () => {
    expect((await post('/signup', '{')).status).toBeLessThan(500);
    expect((await post('/signup', '')).status).toBeLessThan(500);
    expect((await post('/signup', 'x', { 'Content-Type': 'text/plain' })).status).toBeLessThan(500);
    expect(
      (await post('/signup', 'x', { 'Content-Type': 'multipart/form-data; boundary=y' })).status,
    ).toBeLessThan(500);
  });

  it('takes options made for each request, and another field', async () => {
    const token = await server.proofFor(PHONE, { nonce: 'n-1' });
    expect((await post('/nonce', { token }, { 'X-Nonce': 'n-1' })).status).toBe(200);
    expect(await post('/nonce', { token }, { 'X-Nonce': 'n-2' })).toMatchObject({
      status: 403,
      body: { code: 'wrong-nonce' },
    });
    expect(await post('/nonce', { token })).toMatchObject({ status: 403, body: { code: 'wrong-nonce' } });
  });
});
