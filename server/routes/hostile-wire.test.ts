/** Odd methods, paths, headers and framing, down to bytes that no client library would send. */
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StartedVerification } from '../contract.ts';
import { oddHeaders, oddPaths } from '../testing/corpus.ts';
import { expectDecent, expectUnharmed } from '../testing/decency.ts';
import { type RawAnswer, rawRequest } from '../testing/raw-http.ts';
import { ORIGIN, startTestServer, type TestServer } from '../testing/server.ts';

const PHONE = '+31612345678';

let server: TestServer;
let held: StartedVerification;
beforeAll(async () => {
  server = await startTestServer({ config: { trustedProxies: ['loopback'] } });
});
afterAll(() => server.close());
beforeEach(async () => {
  held = (await server.start({ phone: PHONE, purpose: 'registration' })).body;
});

function decent(answer: RawAnswer | undefined, sent: string): number {
  if (!answer) return 0;
  expectDecent(
    {
      status: answer.status,
      contentType: answer.headers.get('content-type') ?? null,
      requestId: answer.headers.get('x-request-id') ?? null,
      body: answer.body,
    },
    sent,
  );
  return answer.status;
}

const base = { Host: 'verify.example', Origin: ORIGIN, Connection: 'close' };

function head(requestLine: string, headers: Record<string, string>): string {
  const lines = Object.entries({ ...base, ...headers }).map(([name, value]) => `${name}: ${value}`);
  return `${requestLine} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

const json = (body: string) => ({
  'Content-Type': 'application/json',
  'Content-Length': String(Buffer.byteLength(body)),
});

const START = JSON.stringify({ siteKey: 'pk_test', phone: PHONE, purpose: 'registration' });

/** Sent as Latin-1, one byte a character. */
async function send(text: string, options?: { halfClose?: boolean }): Promise<number> {
  const [answer] = await rawRequest(server.port, Buffer.from(text, 'latin1'), options);
  return decent(answer, text);
}

describe('paths', () => {
  it.each(['GET', 'POST', 'DELETE', 'OPTIONS'])('odd ones get a decent answer: %s', async (method) => {
    for (const path of oddPaths) {
      const text =
        method === 'POST' ? `${head(`POST ${path}`, json('{}'))}{}` : head(`${method} ${path}`, {});
      expect(await send(text)).toBeGreaterThan(0);
    }
    await expectUnharmed(server);
  });

  it.each([
    'GET http://evil.example/livez',
    'GET http://evil.example:99999/livez',
    'GET //evil.example/livez',
    'OPTIONS *',
    'GET *',
    'GET livez',
    'GET ?x',
    'GET \\livez',
    'GET /livez\\..',
    'GET /\xff\xfe',
    'GET /v1/widget-config?siteKey=\xff',
  ])('odd targets, too: %j', async (line) => {
    await send(head(line, {}));
    await expectUnharmed(server);
  });
});

describe('methods', () => {
  it.each([
    'HEAD',
    'PUT',
    'PATCH',
    'TRACE',
    'TRACK',
    'CONNECT',
    'PROPFIND',
    'M-SEARCH',
    'PURGE',
    'QUERY',
    'get',
    'FOO',
    'G\u0000T',
    '',
  ])('%j gets a decent answer or none', async (method) => {
    for (const path of ['/v1/verifications', `/v1/verifications/${held.id}`, '/livez', '/nothing']) {
      const [answer] = await rawRequest(server.port, head(`${method} ${path}`, {}));
      // An answer to HEAD has no body to look at.
      if (method === 'HEAD') expect(answer?.status).toBeLessThan(500);
      else decent(answer, `${method} ${path}`);
    }
    await expectUnharmed(server);
  });
});

describe('headers', () => {
  it.each(oddHeaders)('%s: %j does no harm', async (name, value) => {
    const requests = [
      head('POST /v1/verifications', { ...json(START), [name]: value }) + START,
      head(`POST /v1/verifications/${held.id}/check`, { ...json('{"code":"000000"}'), [name]: value }) +
        '{"code":"000000"}',
      `${head('POST /v1/intents', { ...json('{}'), [name]: value })}{}`,
      head(`GET /v1/verifications/${held.id}`, { [name]: value }),
      head('GET /v1/widget-config?siteKey=pk_test', { [name]: value }),
      head('GET /livez', { [name]: value }),
    ];
    for (const text of requests) expect(await send(text)).toBeGreaterThan(0);
    await expectUnharmed(server);
  });

  it.each([
    '',
    'a b',
    'evil.example:99999',
    'evil.example/path',
    'a@b',
    '[::1',
    '\xff',
    'x'.repeat(5_000),
    'a,b',
    '../..',
  ])('a host called %j gets a decent answer', async (host) => {
    for (const path of ['/livez', '/v1/widget-config?siteKey=pk_test', '/nothing']) {
      expect(await send(head(`GET ${path}`, { Host: host }))).toBeGreaterThan(0);
    }
    expect(
      await send(head('POST /v1/verifications', { ...json(START), Host: host }) + START),
    ).toBeGreaterThan(0);
    await expectUnharmed(server);
  });

  it('repeated, missing, huge, many or folded do no harm', async () => {
    const lines = (text: string) => `GET /livez HTTP/1.1\r\n${text}\r\n\r\n`;
    const requests = [
      'GET /livez HTTP/1.1\r\n\r\n',
      'GET /livez HTTP/1.0\r\n\r\n',
      'GET /livez HTTP/0.9\r\n\r\n',
      'GET /livez HTTP/2.0\r\n\r\n',
      'GET /livez\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      '\r\n\r\n\r\n',
      lines('Host: a\r\nHost: b'),
      lines('Host: x\r\nOrigin: https://shop.example\r\nOrigin: https://evil.example'),
      lines('Host: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b'),
      lines(`Host: x\r\nX-Big: ${'x'.repeat(100_000)}`),
      lines(`Host: x\r\n${'X-Many: y\r\n'.repeat(3_000)}X: y`),
      lines('Host: x\r\n folded: yes'),
      lines('Host: x\r\nBad Header: yes'),
      lines('Host: x\r\nX-Null: a\u0000b'),
      lines('Host: x\r\nContent-Length: 0\r\nContent-Length: 5'),
      lines('Host: x\r\nConnection: upgrade\r\nUpgrade: websocket'),
      lines('Host: x\r\nExpect: the-impossible'),
    ];
    for (const text of requests) await send(text);
    await expectUnharmed(server);
  });

  it('a header that is repeated does not get past the origin check', async () => {
    const twice = `POST /v1/verifications HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\nOrigin: ${ORIGIN}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${START.length}\r\n\r\n${START}`;
    expect(await send(twice)).toBe(403);
  });
});

describe('framing', () => {
  const chunked = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
  const line = 'POST /v1/verifications';
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

  it('reads chunks without a length', async () => {
    const pieces = [...START].map(chunk).join('');
    expect(await send(`${head(line, chunked)}${pieces}0\r\n\r\n`)).toBe(201);
    expect(await send(`${head(line, chunked)}0\r\n\r\n`)).toBe(400);
  });

  it('stops reading chunks beyond 16 KiB', async () => {
    const endless = chunk('x'.repeat(1_000)).repeat(40);
    expect(await send(head(line, chunked) + endless)).toBe(413);
    expect(await send(head(line, { ...json(''), 'Content-Length': '99999999999' }))).toBe(413);
  });

  it('refuses or drops what is framed wrongly', async () => {
    const requests = [
      `${head(line, { ...json(START), 'Content-Length': '-1' })}${START}`,
      `${head(line, { ...json(START), 'Content-Length': '1e3' })}${START}`,
      `${head(line, { ...json(START), 'Content-Length': '0x10' })}${START}`,
      `${head(line, { ...json(START), 'Content-Length': '99999999999999999999' })}${START}`,
      `${head(line, { ...chunked, 'Content-Length': '5' })}0\r\n\r\n`,
      `${head(line, { ...chunked, 'Transfer-Encoding': 'gzip, chunked' })}0\r\n\r\n`,
      `${head(line, { ...chunked, 'Transfer-Encoding': 'identity' })}${START}`,
      `${head(line, { ...chunked, 'Transfer-Encoding': '\u000bchunked' })}0\r\n\r\n`,
      `${head(line, chunked)}zz\r\n{}\r\n0\r\n\r\n`,
      `${head(line, chunked)}-1\r\n{}\r\n0\r\n\r\n`,
      `${head(line, chunked)}ffffffffffffffff\r\n{}\r\n0\r\n\r\n`,
      `${head(line, chunked)}2;ext="\r\n{}\r\n0\r\n\r\n`,
    ];
    for (const text of requests) expect([0, 400, 413, 501]).toContain(await send(text));
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  it('takes a length that says too little for what it is', async () => {
    expect(await send(head(line, { ...json(START), 'Content-Length': '5' }) + START)).toBe(400);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  it('does nothing for a client that goes away in the middle of its body', async () => {
    const before = (await server.messagesTo(PHONE)).length;
    for (let n = 0; n < 20; n += 1) {
      await send(head(line, { ...json(START), 'Content-Length': '5000' }) + START, { halfClose: true });
      await send(head(line, chunked) + chunk('{"siteKey":'), { halfClose: true });
      await send('POST /v1/verif', { halfClose: true });
    }
    expect(await server.messagesTo(PHONE)).toHaveLength(before);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  it('does not take a client that went away for an error of its own', async () => {
    server.logLines.length = 0;
    await send(head(line, { ...json(START), 'Content-Length': '5000' }) + START, { halfClose: true });
    await expectUnharmed(server);
  });

  it('answers pipelined requests in order, each for itself', async () => {
    const { Connection: _, ...kept } = base;
    const one = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ${kept.Host}\r\n\r\n`;
    const last = head('GET /openapi.json', {});
    // `Connection: close` stands on the last one.
    const text = await readUntilClose(one('/livez') + one('/nothing') + last);
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
    expect(statuses).toEqual([200, 404, 200]);
  });
});

function readUntilClose(text: string): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    connect(server.port, '127.0.0.1')
      .on('data', (chunk) => {
        received += chunk.toString('latin1');
      })
      .on('close', () => resolve(received))
      .end(text);
  });
}
