/** A server's life as a process: going down in order, and being killed. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { type Served, serve, writeConfig } from './testing/command-line.ts';
import { until } from './testing/poll.ts';
import { NO_LIMITS, ORIGIN, startTestServer, testSite } from './testing/server.ts';
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

describe('a server that is told to stop', () => {
  const open = async () => {
    const dir = tempDir();
    writeConfig(dir);
    return serve({ cwd: dir });
  };
  const isDraining = (server: Served) => until(() => server.output.stdout.includes('"server.draining"'));

  it('finishes the requests that are under way, takes no new ones, and ends with 0', async () => {
    const server = await open();
    const body = JSON.stringify({ siteKey: 'pk_test', phone: PHONE, purpose: 'registration' });
    const head = `POST /v1/verifications HTTP/1.1\r\nHost: x\r\nOrigin: ${ORIGIN}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`;
    const requests = await Promise.all(Array.from({ length: 5 }, () => dial(server.port)));
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
    expect(server.output.stdout).toContain('"server.stopped"');
  });

  it('is no longer ready at first, and takes requests for as long as balancers need to notice', async () => {
    const dir = tempDir();
    writeConfig(dir, { drainDelay: '3s' });
    const server = await serve({ cwd: dir });
    server.child.kill('SIGTERM');
    await isDraining(server);
    const ready = await fetch(`${server.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(ready.headers.get('Retry-After')).toMatch(/^\d+$/);
    expect(await ready.json()).toMatchObject({ code: 'unavailable' });
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
    const started = server.output.stdout
      .split('\n')
      .filter((line) => line.includes('"verification.started"'));
    expect(started).toHaveLength(answers.length);
  });

  it('as a library stops once, however often it is asked to', async () => {
    const server = await startTestServer();
    await Promise.all([server.close(), server.close()]);
    await server.close();
    expect(server.logLines.filter((line) => line.includes('"server.stopped"'))).toHaveLength(1);
  });
});

describe('a server that is killed in the middle of load', () => {
  const WORKERS = 12;
  /** Answers to wait for before the kill; different in each round, so that it comes at different moments. */
  const ROUNDS = [60, 150, 260];

  type Record = {
    id: string;
    secret: string;
    phone: string;
    /** What the last answer said was left. */
    attempts: number;
    wrongAsked: number;
    /** A right check was asked for; its answer may not have come. */
    isAsked: boolean;
    proof?: string;
    isRedeemAsked?: boolean;
    isRedeemed?: boolean;
  };

  const codeOf = async (server: { url: string }, phone: string): Promise<string> => {
    const response = await fetch(`${server.url}/simulator/messages?to=${encodeURIComponent(phone)}`);
    const [message] = (await response.json()) as [{ code: string }];
    return message.code;
  };
  const checkOf = (server: { url: string }, { id, secret }: Record, code: string, key?: string) =>
    call(server, 'POST', `/v1/verifications/${id}/check`, { body: { code }, secret, ...(key && { key }) });
  const redeemOf = (server: { url: string }, proof: string) =>
    call(server, 'POST', '/v1/proofs/redeem', { body: { proof }, secret: 'sk_test' });

  it('loses nothing it answered for, and lets nothing happen twice', async () => {
    const dir = tempDir();
    const limits = { ...NO_LIMITS, phone: [{ limit: 2, window: '24h' }] };
    writeConfig(dir, { logLevel: 'info', sites: [testSite({ limits })] });
    let nextPhone = 10_000_000;

    for (const answersBeforeKill of ROUNDS) {
      const records: Record[] = [];
      let answers = 0;
      const first = await serve({ cwd: dir });
      const limited = `+316${nextPhone++}`;
      const start = (phone: string) =>
        call(first, 'POST', '/v1/verifications', {
          body: { siteKey: 'pk_test', phone, purpose: 'registration' },
        });
      await start(limited);
      await start(limited);
      expect((await start(limited)).status).toBe(429);

      const work = async (worker: number) => {
        for (let n = worker; ; n += 1) {
          const phone = `+316${nextPhone++}`;
          const { status, body } = await start(phone);
          expect(status).toBe(201);
          answers += 1;
          const record: Record = {
            id: body.id!,
            secret: body.clientSecret!,
            phone,
            attempts: 5,
            wrongAsked: 0,
            isAsked: false,
          };
          records.push(record);
          if (n % 4 === 0) continue;
          const code = await codeOf(first, phone);
          record.wrongAsked += 1;
          const wrong = await checkOf(first, record, code === '000000' ? '111111' : '000000');
          answers += 1;
          record.attempts = Number(wrong.body.attemptsRemaining);
          if (n % 4 === 1) continue;
          record.isAsked = true;
          record.proof = (await checkOf(first, record, code, `key-${record.id}`)).body.proof!;
          answers += 1;
          if (n % 4 === 2) continue;
          record.isRedeemAsked = true;
          record.isRedeemed = (await redeemOf(first, record.proof)).status === 200;
          answers += 1;
        }
      };
      // Whoever was in the middle of something when the server died stops there.
      const load = Array.from({ length: WORKERS }, (_, worker) => work(worker).catch(() => undefined));
      await until(() => answers >= answersBeforeKill);
      first.child.kill('SIGKILL');
      expect((await first.ended).signal).toBe('SIGKILL');
      await Promise.all(load);

      const second = await serve({ cwd: dir });
      expect(
        (
          await call(second, 'POST', '/v1/verifications', {
            body: { siteKey: 'pk_test', phone: limited, purpose: 'registration' },
          })
        ).status,
      ).toBe(429);
      const seen = { pending: 0, approved: 0, redeemed: 0 };
      for (const record of records) {
        const view = await call(second, 'GET', `/v1/verifications/${record.id}`, { secret: record.secret });
        expect([record.id, view.status]).toEqual([record.id, 200]);
        // An answer may have been lost, a guess may not.
        expect(view.body.attemptsRemaining).toBeLessThanOrEqual(record.attempts);
        expect(view.body.attemptsRemaining).toBeGreaterThanOrEqual(5 - record.wrongAsked);
        const code = await codeOf(second, record.phone);

        if (record.proof) expect(view.body.status).toBe('approved');
        if (!record.isAsked) expect(view.body.status).toBe('pending');
        if (view.body.status === 'pending') {
          seen.pending += 1;
          expect((await checkOf(second, record, code)).status).toBe(200);
          expect((await checkOf(second, record, code)).status).toBe(409);
          continue;
        }
        seen.approved += 1;
        expect((await checkOf(second, record, code)).status).toBe(409);
        // The lost or the known answer: the same proof either way.
        const again = await checkOf(second, record, code, `key-${record.id}`);
        expect(again.status).toBe(200);
        if (record.proof) expect(decodeJwt(again.body.proof!)).toEqual(decodeJwt(record.proof));
        const redeems = [
          await redeemOf(second, again.body.proof!),
          await redeemOf(second, record.proof ?? again.body.proof!),
        ];
        const wins = redeems.filter(({ status }) => status === 200).length;
        if (record.isRedeemed) seen.redeemed += 1;
        if (record.isRedeemed) expect(wins).toBe(0);
        else if (!record.isRedeemAsked) expect(wins).toBe(1);
        else expect(wins).toBeLessThanOrEqual(1);
      }
      for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
      second.child.kill('SIGKILL');
      await second.ended;
    }
  }, 180_000);
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
