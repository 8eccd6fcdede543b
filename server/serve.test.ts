/** A server's life as a process, and how it ends. Being killed has a test of its own: `kills.test.ts`. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { linesOf, type Served, serve, writeConfig } from './testing/command-line.ts';
import { until } from './testing/poll.ts';
import { ORIGIN, startTestServer } from './testing/server.ts';
import { tempDir } from './testing/temp-dir.ts';

const PHONE = '+31612345678';

type Answer = { status: number; body: Record<string, string> };

async function call(
  { url }: { url: string },
  method: string,
  path: string,
  { body, secret = '', key }: { body?: object; secret?: string | undefined; key?: string } = {},
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      Origin: ORIGIN,
      Authorization: `Bearer ${secret}`,
      'Content-Type': 'application/json',
      ...(key !== undefined && { 'Idempotency-Key': key }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}

/** A connection of our own: what is written, and all that was read so far. */
async function dial(port: number): Promise<{ socket: Socket; read: () => string; closed: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  const closed = once(socket, 'close').catch(() => undefined);
  await once(socket, 'connect');
  return { socket, read: () => received, closed };
}

describe.each([
  ['a server', []],
  ['a server of three workers', ['--workers', '3']],
])('%s that is told to stop', (_, args) => {
  const open = async (config: Parameters<typeof writeConfig>[1] = {}) => {
    const dir = tempDir();
    writeConfig(dir, config);
    return serve({ cwd: dir }, args);
  };
  const isDraining = (server: Served) => until(() => server.output.stdout.includes('"server.draining"'));

  it('finishes the requests that are under way, takes no new ones, and ends with 0', async () => {
    const server = await open();
    const body = JSON.stringify({ siteKey: 'pk_test', phone: PHONE, purpose: 'registration' });
    const head = `POST /v1/verifications HTTP/1.1\r\nHost: x\r\nOrigin: ${ORIGIN}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`;
    const requests = await Promise.all(Array.from({ length: 12 }, () => dial(server.port)));
    for (const { socket } of requests) socket.write(head);
    // "Go on" is the server's word that the request is under way.
    for (const { read } of requests) await until(() => read().startsWith('HTTP/1.1 100'));

    server.child.kill('SIGTERM');
    await isDraining(server);
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow();
    for (const { socket } of requests) socket.write(body);
    for (const { read, closed } of requests) {
      await closed;
      expect(read()).toMatch(/HTTP\/1\.1 201/);
      expect(read()).toMatch(/connection: close/i);
      expect(read()).toContain('"clientSecret"');
    }
    expect(await server.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    const told = linesOf(server).map(({ event }) => event);
    expect(told.filter((event) => event.startsWith('server.'))).toEqual([
      'server.started',
      'server.draining',
      'server.stopped',
    ]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('twice, the second time by %s, ends at once', async (second) => {
    const server = await open();
    const { socket, read, closed } = await dial(server.port);
    socket.write(
      'POST /v1/proofs/redeem HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n',
    );
    await until(() => read().startsWith('HTTP/1.1 100'));
    server.child.kill('SIGTERM');
    await isDraining(server);
    server.child.kill(second);
    expect(await server.ended).toMatchObject({ code: null, signal: second });
    await closed;
    expect(read()).not.toContain('HTTP/1.1 2');
  });

  it('is no longer ready at first, and takes requests for as long as balancers need to notice', async () => {
    const server = await open({ drainDelay: '3s' });
    server.child.kill('SIGTERM');
    await isDraining(server);
    for (let connection = 0; connection < 10; connection += 1) {
      const ready = await fetch(`${server.url}/readyz`, { headers: { Connection: 'close' } });
      expect(ready.status).toBe(503);
      expect(ready.headers.get('Retry-After')).toMatch(/^\d+$/);
      expect(await ready.json()).toMatchObject({ code: 'unavailable' });
    }
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
    expect((await server.ended).code).toBe(0);
  });

  it.each([
    ['that are kept alive after an answer', 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n', '"ok"'],
    ['that a browser opened in advance', '', ''],
    ['that began to ask and went no further', 'GET /li', ''],
  ])('does not wait for connections %s', async (_, sent, answer) => {
    const server = await open();
    const { socket, read } = await dial(server.port);
    socket.write(sent);
    await call(server, 'GET', '/livez');
    await until(() => read().includes(answer));
    server.child.kill('SIGINT');
    await until(() => server.child.exitCode !== null, 'the end of the process');
    expect(server.child.exitCode).toBe(0);
  });

  it('under load answers whom it let in: nobody gets half an answer', async () => {
    const server = await open();
    const outcomes: (number | 'refused')[] = [];
    let isOver = false;
    const load = Array.from({ length: 10 }, async (_, worker) => {
      for (let n = 0; !isOver; n += 1) {
        const phone = `+316${String(10_000_000 + worker * 10_000 + n)}`;
        const body = { siteKey: 'pk_test', phone, purpose: 'registration' };
        outcomes.push(
          await call(server, 'POST', '/v1/verifications', { body }).then(
            ({ status }) => status,
            () => 'refused',
          ),
        );
        if (outcomes.at(-1) === 'refused') return;
      }
    });
    await until(() => outcomes.length > 50);
    server.child.kill('SIGTERM');
    const { code } = await server.ended;
    isOver = true;
    await Promise.all(load);
    expect(code).toBe(0);
    const answers = outcomes.filter((one) => one !== 'refused');
    expect(new Set(answers)).toEqual(new Set([201]));
    const started = linesOf(server).filter(({ event }) => event === 'verification.started');
    expect(started).toHaveLength(answers.length);
  });
});

describe('a server in a program of one’s own', () => {
  it('tells its clients how long it keeps an idle connection: longer than most balancers do', async () => {
    const keptFor = async (config: Parameters<typeof startTestServer>[0] = {}) => {
      const server = await startTestServer(config);
      const { headers } = await fetch(`${server.url}/livez`);
      await server.close();
      return headers.get('Keep-Alive');
    };
    expect(await keptFor()).toBe('timeout=75');
    expect(await keptFor({ config: { keepAlive: '20s' } })).toBe('timeout=20');
  });

  it('stops once, however often it is asked to', async () => {
    const server = await startTestServer();
    await Promise.all([server.close(), server.close()]);
    await server.close();
    expect(server.logLines.filter((line) => line.includes('"server.stopped"'))).toHaveLength(1);
  });
});

describe('what is logged', () => {
  it('holds no code, number, client secret, intent, proof or key, in a whole run with all its failures', async () => {
    const dataDir = tempDir();
    const server = await startTestServer({ config: { dataDir } });
    const secrets: string[] = ['sk_test', '612345678', '687654321', 'user-7-subject', 'nonce-7'];
    const key = { 'Idempotency-Key': 'idempotency-7' };

    const { body } = await server.start({ phone: PHONE, purpose: 'registration', nonce: 'nonce-7' }, key);
    const code = await server.codeFor(PHONE);
    const wrong = code === '000000' ? '111111' : '000000';
    secrets.push(body.clientSecret, code, wrong, 'idempotency-7');
    await server.check(body, wrong);
    await server.check({ ...body, clientSecret: `${body.clientSecret}AAAA` }, code);
    server.clock.advance(30_000);
    await server.resend(body);
    await server.resend(body);
    const { proof } = (await server.check(body, code, key)).body;
    secrets.push(proof, proof.split('.')[1]!, proof.split('.')[2]!);
    for (let n = 0; n < 2; n += 1) await server.backend('POST', '/v1/proofs/redeem', { proof });
    await server.backend('POST', '/v1/proofs/redeem', { proof: `${proof}x` });

    const { body: intent } = await server.backend<{ intent: string }>('POST', '/v1/intents', {
      phone: '+31687654321',
      purpose: 'login',
      subject: 'user-7-subject',
    });
    secrets.push(intent.intent);
    const started = await server.start({ intent: intent.intent });
    secrets.push(started.body.clientSecret, await server.codeFor('+31687654321'));
    await server.call('GET', `/v1/widget-config?siteKey=pk_test&intent=${intent.intent}`);
    await server.cancel(started.body);
    for (let n = 0; n < 5; n += 1) await server.check(started.body, wrong);
    await server.start({ phone: '0687654321', country: 'NL', purpose: 'nothing' });
    await server.call('POST', '/v1/verifications', { body: `{"phone":"${PHONE}",` });
    await server.call('GET', `/v1/verifications/${encodeURIComponent(PHONE)}`);
    await server.store.close();
    await server.start({ phone: PHONE, purpose: 'registration' });
    await server.check(body, code);
    await server.close();

    expect(server.logLines.length).toBeGreaterThan(20);
    for (const event of [
      'verification.started',
      'verification.approved',
      'verification.incorrect',
      'proof.redeemed',
    ]) {
      expect(server.logLines.filter((line) => line.includes(`"${event}"`)).length).toBeGreaterThan(0);
    }
    for (const line of server.logLines) {
      expect(JSON.parse(line)).toMatchObject({ event: expect.any(String), time: expect.any(String) });
      // Random ids, in which any six digits may stand by chance.
      const told = line.replace(/"(time|requestId|verification|delivery)":("[^"]*"|\d+)/g, '');
      for (const secret of secrets) expect(told).not.toContain(secret);
    }
  });
});
