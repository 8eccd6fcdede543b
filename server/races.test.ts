/** What must hold when everybody asks at once, over real HTTP. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StartedVerification } from './contract.ts';
import { type Served, serve, writeConfig } from './testing/command-line.ts';
import { ORIGIN, startTestServer, type TestServer } from './testing/server.ts';
import { type SharedStore, sharedStores } from './testing/stores.ts';
import { tempDir } from './testing/temp-dir.ts';

const PHONE = '+31612345678';
const BODY = { phone: PHONE, purpose: 'registration' };

let server: TestServer;
let started: StartedVerification;
let code: string;
let wrong: string;
beforeEach(async () => {
  server = await startTestServer();
  started = (await server.start(BODY)).body;
  code = await server.codeFor(PHONE);
  wrong = code === '000000' ? '111111' : '000000';
});
afterEach(() => server.close());

const times = <T>(count: number, act: (n: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, n) => act(n)));
const withStatus = (answers: { status: number }[], status: number) =>
  answers.filter((answer) => answer.status === status).length;

describe('checks at the same time', () => {
  it('five hundred right ones yield exactly one proof', async () => {
    const answers = await times(500, () => server.check(started, code));
    expect(withStatus(answers, 200)).toBe(1);
    expect(withStatus(answers, 409)).toBe(499);
    expect(answers.filter(({ body }) => 'proof' in body)).toHaveLength(1);
  });

  it('of five hundred wrong ones five are looked at, and then the right one is refused', async () => {
    const answers = await times(500, () => server.check(started, wrong));
    expect(withStatus(answers, 422)).toBe(5);
    expect(withStatus(answers, 409)).toBe(495);
    const left = answers.flatMap(({ status, body }) => (status === 422 ? [body.attemptsRemaining] : []));
    expect(left.toSorted()).toEqual([0, 1, 2, 3, 4]);
    expect((await server.check(started, code)).body).toMatchObject({
      code: 'verification-closed',
      status: 'failed',
    });
  });

  it('of five hundred different guesses five are looked at', async () => {
    const guesses = Array.from({ length: 500 }, (_, n) => String(n).padStart(6, '0')).filter(
      (one) => one !== code,
    );
    const answers = await Promise.all(guesses.map((guess) => server.check(started, guess)));
    expect(withStatus(answers, 422)).toBe(5);
    expect((await server.check(started, code)).status).toBe(409);
  });

  it('right and wrong ones end in one approval or in none, and never in both', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { body } = await server.start(BODY);
      const right = await server.codeFor(PHONE);
      const other = right === '000000' ? '111111' : '000000';
      const answers = await times(12, (n) => server.check(body, n % 4 === round % 4 ? right : other));
      const approvals = withStatus(answers, 200);
      const looked = withStatus(answers, 422);
      const { status } = (await server.read(body)).body;

      expect(approvals).toBe(status === 'approved' ? 1 : 0);
      expect(status).toBe(approvals === 1 ? 'approved' : 'failed');
      expect(looked).toBeLessThanOrEqual(approvals === 1 ? 4 : 5);
      expect(withStatus(answers, 409)).toBe(12 - approvals - looked);
    }
  });

  it('and a cancel: either the proof was given, or the code is dead', async () => {
    const seen = new Set<unknown>();
    for (let round = 0; round < 40; round += 1) {
      const { body } = await server.start(BODY);
      const right = await server.codeFor(PHONE);
      // From well before to well after: other requests stand between the two.
      const delayed = async () => {
        for (let n = 0; n < round % 4; n += 1) await server.read(body);
        return server.cancel(body);
      };
      const [checked] = await Promise.all([server.check(body, right), delayed()]);
      const { status } = (await server.read(body)).body;

      seen.add(status);
      expect([checked.status, status]).toEqual(
        checked.status === 200 ? [200, 'approved'] : [409, 'canceled'],
      );
      expect((await server.check(body, right)).status).toBe(409);
    }
    expect(seen).toEqual(new Set(['approved', 'canceled']));
  });
});

describe('resends', () => {
  it('twenty attempts never buy a sixth guess, and always bring the same code', async () => {
    let looked = 0;
    for (let attempt = 0; attempt < 20; attempt += 1) {
      server.clock.advance(10_000);
      await times(2, () => server.resend(started));
      if ((await server.check(started, wrong)).status === 422) looked += 1;
    }
    expect(looked).toBe(5);
    expect((await server.check(started, code)).status).toBe(409);
    expect(new Set((await server.messagesTo(PHONE)).map((message) => message.code))).toEqual(new Set([code]));
  });

  it('at the same time as guesses leave five of them', async () => {
    server.clock.advance(30_000);
    const answers = await times(60, (n) =>
      n % 3 === 0 ? server.resend(started) : server.check(started, wrong),
    );
    const guesses = answers.filter((_, n) => n % 3 !== 0);
    expect(withStatus(guesses, 422)).toBe(5);
    expect(await server.messagesTo(PHONE)).toHaveLength(1 + withStatus(answers, 200));
  });
});

describe('redeems at the same time', () => {
  it.each([2, 100])('%i of one proof: one is told yes', async (count) => {
    const { proof } = (await server.check(started, code)).body;
    const answers = await times(count, () => server.backend('POST', '/v1/proofs/redeem', { proof }));
    expect(withStatus(answers, 200)).toBe(1);
    expect(withStatus(answers, 409)).toBe(count - 1);
    expect(answers.filter(({ body }) => 'claims' in body)).toHaveLength(1);
  });
});

describe('a stranger', () => {
  it('who knows the number, the id and even the code changes nothing', async () => {
    const before = (await server.read(started)).body;
    const secrets = ['', 'cs_', `cs_${'A'.repeat(54)}`, started.clientSecret.slice(0, -1), 'pk_test'];
    server.clock.advance(30_000);
    const answers = await times(100, async (n) => {
      const stranger = { id: started.id, clientSecret: secrets[n % secrets.length]! };
      const calls = [
        () => server.check(stranger, wrong),
        () => server.check(stranger, code),
        () => server.resend(stranger),
        () => server.cancel(stranger),
        () => server.read(stranger),
      ];
      return calls[n % 4]!();
    });
    expect(withStatus(answers, 404)).toBe(100);
    expect((await server.read(started)).body).toEqual(before);
    expect(await server.messagesTo(PHONE)).toHaveLength(1);
    expect((await server.check(started, code)).status).toBe(200);
  });

  it('who starts verifications for the same number does not disturb the owner’s', async () => {
    await times(10, () => server.start(BODY));
    expect((await server.check(started, code)).status).toBe(200);
  });
});

type Group = {
  name: string;
  store: SharedStore;
  start(options: Parameters<typeof serve>[0]): Promise<Served[]>;
};

const groups = sharedStores.flatMap((store): Group[] => [
  {
    name: `two processes on ${store.name}`,
    store,
    // At once, so that making the schema and the first key races as well.
    start: (options) => Promise.all([serve(options), serve(options)]),
  },
  {
    name: `four workers on ${store.name}`,
    store,
    start: async (options) => [await serve(options, ['--workers', '4'])],
  },
]);

describe.each(groups)('$name', ({ store, start: startGroup }) => {
  /** The nth request's server; behind one port, the nth connection's worker. */
  async function open(): Promise<(n: number) => Served> {
    const dir = tempDir();
    writeConfig(dir);
    const servers = await startGroup({ cwd: dir, env: await store.open() });
    return (n) => servers[n % servers.length]!;
  }

  async function post({ url }: Served, path: string, body: object, secret = '', key?: string) {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: {
        Origin: ORIGIN,
        'Content-Type': 'application/json',
        Authorization: `Bearer ${secret}`,
        ...(key !== undefined && { 'Idempotency-Key': key }),
      },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  }
  const inbox = async ({ url }: Served) =>
    (await (await fetch(`${url}/simulator/messages`)).json()) as { code: string }[];
  const start = (one: Served, key?: string) =>
    post(one, '/v1/verifications', { siteKey: 'pk_test', ...BODY }, '', key);
  const jwks = async ({ url }: Served) => (await fetch(`${url}/.well-known/jwks.json`)).json();

  it.skipIf(!store.isHere)('agree on the key that signs', async () => {
    const nth = await open();
    const sets = await times(20, (n) => jwks(nth(n)));
    for (const set of sets) expect(set).toEqual(sets[0]);
  });

  it.skipIf(!store.isHere)(
    'give one proof for a code, send one message for a key, and redeem once',
    async () => {
      const nth = await open();
      const starts = await times(50, (n) => start(nth(n), 'k-1'));
      expect(new Set(starts.map(({ body }) => body.clientSecret)).size).toBe(1);
      expect(withStatus(starts, 201)).toBe(50);
      expect(await inbox(nth(0))).toHaveLength(1);

      const { id, clientSecret } = starts[0]!.body;
      const right = (await inbox(nth(1)))[0]!.code;
      const checks = await times(200, (n) =>
        post(nth(n), `/v1/verifications/${id}/check`, { code: right }, clientSecret),
      );
      expect(withStatus(checks, 200)).toBe(1);
      expect(withStatus(checks, 409)).toBe(199);

      const proof = checks.find(({ status }) => status === 200)!.body.proof;
      const redeems = await times(40, (n) => post(nth(n), '/v1/proofs/redeem', { proof }, 'sk_test'));
      expect(withStatus(redeems, 200)).toBe(1);
      expect(withStatus(redeems, 409)).toBe(39);
    },
  );

  it.skipIf(!store.isHere)('look at five guesses between them', async () => {
    const nth = await open();
    const { body } = await start(nth(0));
    const right = (await inbox(nth(0)))[0]!.code;
    const guess = right === '000000' ? '111111' : '000000';
    const checks = await times(200, (n) =>
      post(nth(n), `/v1/verifications/${body.id}/check`, { code: guess }, body.clientSecret),
    );
    expect(withStatus(checks, 422)).toBe(5);
    expect(withStatus(checks, 409)).toBe(195);
  });
});
