import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectMalformed, expectProblem } from '../testing/problems.ts';
import { ORIGIN, startTestServer, type TestServer } from '../testing/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const BODY = { siteKey: 'pk_test', phone: '+31612345678', purpose: 'registration' };
const posts = [
  '/v1/verifications',
  '/v1/verifications/vrf_x/resend',
  '/v1/verifications/vrf_x/check',
  '/v1/intents',
  '/v1/proofs/redeem',
];

/** A body and its type exactly as given. */
async function post(path: string, body: RequestInit['body'], contentType: string | null) {
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    body: body ?? null,
    headers: {
      Origin: ORIGIN,
      Authorization: 'Bearer sk_test',
      ...(contentType !== null && { 'Content-Type': contentType }),
    },
    ...(body instanceof ReadableStream && { duplex: 'half' as const }),
  });
  const { status, headers } = response;
  return { status, headers, body: (await response.json()) as Record<string, unknown> };
}

const streamed = (text: string) => new Blob([text]).stream();

describe('a request body', () => {
  it.each(posts)('above 16 KiB is too large: %s', async (path) => {
    const body = JSON.stringify({ ...BODY, padding: 'x'.repeat(16 * 1024) });
    expectProblem(await post(path, body, 'application/json'), 413, 'payload-too-large');
    expectProblem(await post(path, streamed(body), 'application/json'), 413, 'payload-too-large');
    const endless = streamed('['.repeat(5_000_000));
    expectProblem(await post(path, endless, 'application/json'), 413, 'payload-too-large');
  });

  it('of exactly 16 KiB is read', async () => {
    const shell = JSON.stringify({ ...BODY, padding: '' }).length;
    const body = JSON.stringify({ ...BODY, padding: 'x'.repeat(16 * 1024 - shell) });
    expect(body).toHaveLength(16_384);
    expect((await post('/v1/verifications', body, 'application/json')).status).toBe(201);
    expectProblem(await post('/v1/verifications', `${body} `, 'application/json'), 413, 'payload-too-large');
  });

  it.each(posts)('of another media type is unsupported: %s', async (path) => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'application/jsonp',
      'application/json; charset=utf-16',
      'text/plain; application/json',
      'json',
      null,
    ]) {
      const answer = await post(path, new TextEncoder().encode('{}'), type);
      expectProblem(answer, 415, 'unsupported-media-type');
    }
  });

  it.each([
    'application/json',
    'application/json;charset=utf-8',
    'application/json; charset=UTF-8',
    'application/json; charset="utf-8"',
    'Application/JSON',
    'application/json ; charset=utf-8',
    'application/json;',
    'application/json; q=1; charset=utf8',
  ])('as %j is read', async (type) => {
    expect((await post('/v1/verifications', JSON.stringify(BODY), type)).status).toBe(201);
  });

  it('that comes in pieces without a length is read', async () => {
    expect((await post('/v1/verifications', streamed(JSON.stringify(BODY)), 'application/json')).status).toBe(
      201,
    );
  });

  it.each([
    ['truncated', '{"siteKey":"pk_te'],
    ['two values', '{}{}'],
    ['a trailing comma', '{"code":"123456",}'],
    ['single quotes', "{'code':'123456'}"],
    ['a comment', '{}//'],
    ['NaN', '{"code":NaN}'],
    ['only white space', ' \n\t '],
    ['invalid UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ['an overlong encoding', new Uint8Array([0x22, 0xc0, 0xaf, 0x22])],
    ['an encoded surrogate', new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['UTF-16', new Uint8Array(Buffer.from('\ufeff{}', 'utf16le'))],
  ])('that is no JSON in UTF-8 is malformed: %s', async (_, body) => {
    for (const path of posts) expectMalformed(await post(path, body, 'application/json'), '');
  });

  it.each(['null', 'true', '42', '1e999', '"text"', '[]', '[{}]'])(
    'that is JSON but no object is malformed: %s',
    async (body) => {
      for (const path of posts) expectMalformed(await post(path, body, 'application/json'), '');
    },
  );

  it('that is missing counts as empty: a resend needs none', async () => {
    const { body } = await server.start({ phone: '+31612345678', purpose: 'registration' });
    server.clock.advance(30_000);
    const answer = await server.call('POST', `/v1/verifications/${body.id}/resend`, {
      headers: { Authorization: `Bearer ${body.clientSecret}` },
    });
    expect(answer.status).toBe(200);
    expectMalformed(await post('/v1/verifications', null, null), 'siteKey', 'phone', 'purpose');
  });

  it('keeps members it does not know to itself', async () => {
    const text = `{"__proto__":{"channel":"pigeon"},"constructor":1,${JSON.stringify(BODY).slice(1)}`;
    const answer = await post('/v1/verifications', text, 'application/json');
    expect(answer.status).toBe(201);
    expect(answer.body).not.toHaveProperty('constructor', 1);
  });

  it('says where it is wrong, not what it was', async () => {
    const answer = await post(
      '/v1/intents',
      JSON.stringify({ phone: ['+31699999999'], purpose: 'SECRET PURPOSE', nonce: 5 }),
      'application/json',
    );
    expectMalformed(answer, 'phone', 'purpose', 'nonce');
    expect(JSON.stringify(answer.body)).not.toMatch(/31699999999|SECRET PURPOSE/);
  });
});
