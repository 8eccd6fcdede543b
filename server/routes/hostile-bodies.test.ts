/** Every field of every call, with everything that nobody in good faith sends. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StartedVerification } from '../contract.ts';
import { oddBodies, oddContentTypes, oddStrings, oddValues } from '../testing/corpus.ts';
import { expectDecentResponse, expectUnharmed } from '../testing/decency.ts';
import { ORIGIN, startTestServer, type TestServer } from '../testing/server.ts';

const PHONE = '+31612345678';
const TRANSFER = { amount: '250.00', currency: 'EUR', payee: 'Jansen', reference: 'r' };

let server: TestServer;
let held: StartedVerification;
let proof: string;
beforeAll(async () => {
  server = await startTestServer();
  proof = await server.proofFor(PHONE);
});
afterAll(() => server.close());
beforeEach(async () => {
  held = (await server.start({ phone: PHONE, purpose: 'registration' })).body;
});

type Call = { path: () => string; body: Record<string, unknown>; secret: () => string; fields: string[] };

const calls: Record<string, Call> = {
  'a start': {
    path: () => '/v1/verifications',
    body: { siteKey: 'pk_test', phone: PHONE, purpose: 'registration' },
    secret: () => '',
    fields: ['siteKey', 'phone', 'country', 'purpose', 'channel', 'locale', 'nonce', 'intent', 'challenge'],
  },
  'a start from an intent': {
    path: () => '/v1/verifications',
    body: { siteKey: 'pk_test', intent: 'int_x' },
    secret: () => '',
    fields: ['siteKey', 'intent', 'channel', 'locale'],
  },
  'a check': {
    path: () => `/v1/verifications/${held.id}/check`,
    body: { code: '000000' },
    secret: () => held.clientSecret,
    fields: ['code'],
  },
  'a resend': {
    path: () => `/v1/verifications/${held.id}/resend`,
    body: {},
    secret: () => held.clientSecret,
    fields: ['channel'],
  },
  'an intent': {
    path: () => '/v1/intents',
    body: { phone: PHONE, purpose: 'transaction', transaction: TRANSFER },
    secret: () => 'sk_test',
    fields: [
      'phone',
      'country',
      'purpose',
      'subject',
      'transaction',
      'transaction.amount',
      'transaction.currency',
      'transaction.payee',
      'transaction.reference',
      'nonce',
      'locale',
      'expiresIn',
    ],
  },
  'a redeem': {
    path: () => '/v1/proofs/redeem',
    body: { proof: 'x' },
    secret: () => 'sk_test',
    fields: ['proof', 'purpose', 'nonce', 'transaction', 'transaction.amount'],
  },
};

/** The body with one field as this JSON text. */
function withField(body: Record<string, unknown>, field: string, json: string): string {
  const marker = '"\u0001here\u0001"';
  const [outer = '', inner] = field.split('.');
  const value = inner === undefined ? '\u0001here\u0001' : { ...TRANSFER, [inner]: '\u0001here\u0001' };
  return JSON.stringify({ ...body, [outer]: value }).replace(
    JSON.stringify(JSON.parse(marker.replaceAll('\u0001', '\\u0001'))),
    () => json,
  );
}

async function send({ path, secret }: Call, body: RequestInit['body'], contentType = 'application/json') {
  const response = await fetch(`${server.url}${path()}`, {
    method: 'POST',
    body: body ?? null,
    headers: { Origin: ORIGIN, Authorization: `Bearer ${secret()}`, 'Content-Type': contentType },
  });
  return expectDecentResponse(response, `${path()} ${typeof body === 'string' ? body : '(bytes)'}`);
}

describe.each(Object.entries(calls))('%s', (_, call) => {
  it.each(call.fields)('takes or refuses everything odd in its %s', async (field) => {
    const statuses = new Set<number>();
    for (const json of oddValues) {
      const body = withField(call.body, field, json);
      expect(body).toContain(json);
      statuses.add(await send(call, body));
    }
    // Had the field been ignored, or the call refused for another reason, there were one status only.
    if (field !== 'challenge') expect(statuses).toContain(400);
    await expectUnharmed(server);
  });

  it('refuses bodies that are none', async () => {
    for (const body of oddBodies) {
      // Nothing at all is a resend's ordinary body; a BOM may be dropped (RFC 8259 §8.1).
      const isFine = body === '' || body === '\ufeff{}';
      const status = await send(call, body);
      if (!isFine) expect(status).toBe(400);
    }
    await expectUnharmed(server);
  });

  it('reads or refuses odd content types', async () => {
    for (const type of oddContentTypes) {
      expect([200, 201, 400, 404, 415, 422, 429]).toContain(
        await send(call, JSON.stringify(call.body), type),
      );
    }
    await expectUnharmed(server);
  });

  it('survives whatever a generator thinks of', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue({ depthSize: 'small' }),
        fc.constantFrom(...call.fields),
        async (value, field) => {
          const outer = field.split('.')[0]!;
          await send(call, JSON.stringify({ ...call.body, [outer]: value }));
        },
      ),
      { numRuns: 100 },
    );
    await expectUnharmed(server);
  });
});

describe('what was accepted', () => {
  const subject = { purpose: 'login', phone: PHONE };
  const transfer = { purpose: 'transaction', phone: PHONE, transaction: TRANSFER };

  it.each([
    ['subject', subject],
    ['nonce', subject],
    ['locale', subject],
    ['transaction.amount', transfer],
    ['transaction.currency', transfer],
    ['transaction.payee', transfer],
    ['transaction.reference', transfer],
  ])('as the %s of an intent serves to the end, and the proof says the same', async (field, body) => {
    let served = 0;
    const more = [
      '"0"',
      '"999999999999999.9999"',
      '"0.0001"',
      '"JPY"',
      '"BHD"',
      '"zh-Hant-TW"',
      '"ar-EG"',
      '"xx"',
      '"he"',
    ];
    for (const json of [...oddValues, ...more]) {
      const intent = await server.backend('POST', '/v1/intents', withField(body, field, json));
      if (intent.status !== 201) continue;
      const started = await server.start({ intent: String(intent.body.intent) });
      const checked = await server.check(started.body, await server.codeFor(PHONE));
      expect([json, started.status, checked.status]).toEqual([json, 201, 200]);
      const claims = decodeJwt(checked.body.proof);
      const asked = JSON.parse(json) as unknown;
      const [outer = '', inner] = field.split('.');
      const said = outer === 'subject' ? claims.sub : claims[outer];
      if (outer !== 'locale') expect(inner ? Reflect.get(said as object, inner) : said).toEqual(asked);
      const redeemed = await server.backend('POST', '/v1/proofs/redeem', { proof: checked.body.proof });
      expect([json, redeemed.status]).toEqual([json, 200]);
      served += 1;
    }
    expect(served).toBeGreaterThan(0);
    await expectUnharmed(server);
  });
});

describe('a proof that somebody altered', () => {
  it('is refused with a reason, whatever was done to it', async () => {
    const parts = proof.split('.') as [string, string, string];
    const header = (changes: object) =>
      Buffer.from(
        JSON.stringify({ ...JSON.parse(Buffer.from(parts[0], 'base64url').toString()), ...changes }),
      ).toString('base64url');
    const altered = [
      ...oddStrings,
      `${parts[0]}..${parts[2]}`,
      `${parts[0]}.${parts[1]}.`,
      `${parts[0]}.${parts[1]}.${parts[2]}x`,
      `${parts[0]}.${parts[1]}.${'A'.repeat(7_000)}`,
      `${proof}.${proof}`,
      ...[
        { alg: 'none' },
        { alg: 'HS256' },
        { alg: null },
        { alg: ['ES256'] },
        { alg: 'RS256' },
        { typ: 'JWT' },
        { typ: 7 },
        { kid: 'unknown' },
        { kid: '../../dev/null' },
        { kid: "' OR 1=1 --" },
        { kid: {} },
        { kid: undefined },
        { crit: ['exp'] },
        { crit: [] },
        { b64: false, crit: ['b64'] },
        { zip: 'DEF' },
        { jku: 'https://evil.example/jwks.json' },
        { jwk: { kty: 'oct', k: 'AAAA' } },
        { x5u: 'https://evil.example' },
      ].map((changes) => `${header(changes)}.${parts[1]}.${parts[2]}`),
    ].filter((text) => text.length > 0 && text.length <= 8_192);
    const reasons = new Set<unknown>();
    for (const text of altered) {
      const { status, body } = await server.backend('POST', '/v1/proofs/redeem', { proof: text });
      expect([text, status, body.code]).toEqual([text, 422, 'invalid-proof']);
      reasons.add(body.reason);
    }
    expect(reasons).not.toContain('keys-unavailable');
    expect((await server.backend('POST', '/v1/proofs/redeem', { proof })).status).toBe(200);
    await expectUnharmed(server);
  });
});

describe('memory', () => {
  it('stays flat under thousands of odd requests', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const round = async () => {
      for (const call of Object.values(calls)) {
        const bodies = oddValues.map((json) => withField(call.body, call.fields[0]!, json));
        await Promise.all([...bodies, ...oddBodies].map((body) => send(call, body)));
      }
      server.logLines.length = 0;
      collect();
      return process.memoryUsage().heapUsed;
    };
    for (let warmUp = 0; warmUp < 2; warmUp += 1) await round();
    const before = await round();
    let after = before;
    for (let n = 0; n < 5; n += 1) after = await round();
    // Some 3,500 requests lie between: a kilobyte kept of each would show.
    expect(after - before).toBeLessThan(2_500_000);
  });
});
