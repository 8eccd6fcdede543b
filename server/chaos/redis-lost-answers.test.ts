/** What was done although nobody heard of it: an answer of Redis's got lost on its way to the server. */
import { decodeJwt } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { keysOf } from '../store/redis/keys.ts';
import { scripts } from '../store/redis/scripts.ts';
import { portForCluster } from '../store/testing/redis-cluster.ts';
import { type RedisServer, redisCli, startRedis } from '../store/testing/redis-server.ts';
import { until } from '../testing/poll.ts';
import type { TestServer } from '../testing/server.ts';
import { startTcpProxy, type TcpProxy } from '../testing/tcp-proxy.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { insist, newPhone, serverOn, wrongFor } from './harness.ts';

const KEY = { 'Idempotency-Key': 'k-1' };

/** A server on a network of its own that can fail. */
async function through(target: number, scheme: string): Promise<{ server: TestServer; proxy: TcpProxy }> {
  const proxy = await startTcpProxy(target);
  onTestFinished(() => proxy.stop());
  return {
    server: await serverOn({ store: { engine: 'redis', url: `${scheme}://127.0.0.1:${proxy.port}` } }),
    proxy,
  };
}

/** So that a step is one call. */
async function loadScripts(redis: RedisServer): Promise<void> {
  for (const { source } of Object.values(scripts)) await redisCli(redis, 'script', 'load', source);
}

/** Two servers of a fleet on one Redis. */
async function fleet() {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  await loadScripts(redis);
  return { redis, first: await through(redis.port, 'redis'), second: await through(redis.port, 'redis') };
}

/** A cluster of two, whose clients are told to come through a proxy; of the two one loses its answer. */
async function clusterBehindProxies() {
  const nodes = [];
  for (const slots of ['0 8191', '8192 16383']) {
    const port = await portForCluster();
    const proxy = await startTcpProxy(port);
    onTestFinished(() => proxy.stop());
    const announced = ['--cluster-announce-ip', '127.0.0.1', '--cluster-announce-port', String(proxy.port)];
    const redis = await startRedis({
      port,
      args: ['--cluster-enabled', 'yes', '--dir', tempDir(), ...announced],
    });
    onTestFinished(() => redis.stop());
    await redisCli(redis, 'cluster', 'addslotsrange', ...slots.split(' '));
    await loadScripts(redis);
    nodes.push({ redis, proxy });
  }
  const [one, two] = nodes;
  const at = [one!.proxy.port, one!.redis.port + 10_000].map(String);
  await redisCli(two!.redis, 'cluster', 'meet', '127.0.0.1', ...at);
  for (const { redis } of nodes) {
    await until(
      async () => (await redisCli(redis, 'cluster', 'info')).includes('cluster_state:ok'),
      'the cluster',
    );
  }
  const proxies = nodes.map(({ proxy }) => proxy);
  const proxy: Unheard = {
    withholdAnswers: () => proxies.forEach((one) => void one.withholdAnswers()),
    isHolding: () => proxies.some((one) => one.isHolding()),
    cut: () => proxies.find((one) => one.isHolding())?.cut(),
    resume: () => proxies.forEach((one) => void one.resume()),
  };
  return {
    nodes,
    proxy,
    server: await serverOn({
      store: { engine: 'redis', url: `redis-cluster://127.0.0.1:${proxies[0]!.port}` },
    }),
  };
}

type Unheard = Pick<TcpProxy, 'withholdAnswers' | 'isHolding' | 'cut' | 'resume'>;

/** Makes a request that Redis does and never answers; its first so many calls of Redis are answered. */
async function unheard(proxy: Unheard, call: () => Promise<{ status: number }>, answered = 0): Promise<void> {
  proxy.withholdAnswers(answered);
  const lost = call();
  await until(() => proxy.isHolding(), 'an answer of Redis');
  proxy.cut();
  proxy.resume();
  expect((await lost).status).toBe(503);
}

describe('a start whose answer got lost', () => {
  const start = (server: TestServer, phone: string) => server.start({ phone, purpose: 'registration' }, KEY);

  it('sends its message with the first of many repeats', async () => {
    const { server, proxy } = (await fleet()).first;
    const phone = newPhone();
    await unheard(proxy, () => start(server, phone));
    expect(await server.messagesTo(phone)).toHaveLength(0);

    const answers = await Promise.all(Array.from({ length: 20 }, () => insist(() => start(server, phone))));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.clientSecret}`)).size).toBe(1);
    expect(await server.messagesTo(phone)).toHaveLength(1);
    const { body } = answers[0]!;
    expect(body.delivery.status).toBe('sent');
    expect((await server.check(body, await server.codeFor(phone))).status).toBe(200);
  });

  it('is taken over by another process, once it is sure that the first one gave up', async () => {
    const { redis, first, second } = await fleet();
    const phone = newPhone();
    await unheard(first.proxy, () => start(first.server, phone));

    let answered = 0;
    const repeats = Promise.all(
      Array.from({ length: 5 }, async () => {
        const answer = await start(second.server, phone);
        answered += 1;
        return answer;
      }),
    );
    // It sees a delivery that the first one may be about to send, and looks again and again.
    const before = await commandsOf(redis);
    await until(async () => (await commandsOf(redis)) > before + 20, 'a second look');
    expect(answered).toBe(0);
    second.server.clock.advance(10_000);
    for (const { status, body } of await repeats) {
      expect([status, body.delivery.status]).toEqual([201, 'sent']);
    }
    expect(await second.server.messagesTo(phone)).toHaveLength(1);

    const late = await insist(() => start(first.server, phone));
    expect([late.status, late.body.delivery.status]).toEqual([201, 'sent']);
    expect(await first.server.messagesTo(phone)).toHaveLength(0);
  });

  it('is not sent after its code has expired', async () => {
    const { server, proxy } = (await fleet()).first;
    const phone = newPhone();
    await unheard(proxy, () => start(server, phone));
    server.clock.advance(300_000);
    const { status, body } = await insist(() => start(server, phone));
    expect([status, body.delivery.status]).toEqual([201, 'queued']);
    expect(await server.messagesTo(phone)).toHaveLength(0);
  });
});

describe('a resend whose answer got lost', () => {
  it('sends its message with the first of many repeats', async () => {
    const { server, proxy } = (await fleet()).first;
    const phone = newPhone();
    const { body } = await server.start({ phone, purpose: 'registration' });
    server.clock.advance(30_000);
    // Its first call only reads; the step is the second one.
    await unheard(proxy, () => server.resend(body, KEY), 1);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => insist(() => server.resend(body, KEY))),
    );
    for (const { status, body } of answers)
      expect([status, body.resend]).toMatchObject([200, { remaining: 2 }]);
    expect(await server.messagesTo(phone)).toHaveLength(2);
  });
});

describe('a check whose answer got lost', () => {
  it('is approved once, with one proof', async () => {
    const { first, second } = await fleet();
    const { server, proxy } = first;
    const phone = newPhone();
    const { body } = await server.start({ phone, purpose: 'registration' });
    const code = await server.codeFor(phone);
    await unheard(proxy, () => server.check(body, code, KEY));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, nth) =>
        insist(() => (nth % 2 ? server : second.server).check(body, code, KEY)),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body: { proof } }) => decodeJwt(proof).jti)).size).toBe(1);
    expect((await server.check(body, code)).status).toBe(409);
  });

  it('costs its guess once, and five guesses remain five', async () => {
    const { server, proxy } = (await fleet()).first;
    const phone = newPhone();
    const { body } = await server.start({ phone, purpose: 'registration' });
    const code = await server.codeFor(phone);
    const guess = (nth: number) =>
      server.check(body, wrongFor(code).slice(0, 5) + nth, {
        'Idempotency-Key': `guess ${nth}`.replace(' ', '-'),
      });
    const left: unknown[] = [];
    for (let nth = 2; nth < 7; nth += 1) {
      await unheard(proxy, () => guess(nth));
      left.push((await insist(() => guess(nth))).body.attemptsRemaining);
    }
    expect(left).toEqual([4, 3, 2, 1, 0]);
    expect((await guess(8)).status).toBe(409);
    expect((await server.check(body, code)).status).toBe(409);
  });
});

describe('a step whose answer got lost is never done a second time by itself', () => {
  it.each([
    { on: 'one server', open: async () => (await fleet()).first },
    { on: 'a cluster', open: clusterBehindProxies },
  ])('on $on', async ({ open }) => {
    const { server, proxy } = await open();
    const phone = newPhone();
    const { body } = await server.start({ phone, purpose: 'registration' });
    const wrong = wrongFor(await server.codeFor(phone));
    await unheard(proxy, () => server.check(body, wrong));
    expect((await insist(() => server.check(body, wrong))).body.attemptsRemaining).toBe(3);
  });
});

describe('a slot on its way to a node that hangs', () => {
  it('is waited for, and the server lives on', async () => {
    const { nodes, server } = await clusterBehindProxies();
    const phone = newPhone();
    const { body } = await server.start({ phone, purpose: 'registration' });
    const code = await server.codeFor(phone);
    const slot = await redisCli(nodes[0]!.redis, 'cluster', 'keyslot', keysOf('pp').verification(body.id));
    const [from, to] = Number(slot) < 8_192 ? nodes : nodes.toReversed();
    const setSlot = (node: (typeof nodes)[number] | undefined, ...state: string[]) =>
      redisCli(node!.redis, 'cluster', 'setslot', slot, ...state);
    await setSlot(to, 'importing', await redisCli(from!.redis, 'cluster', 'myid'));
    await setSlot(from, 'migrating', await redisCli(to!.redis, 'cluster', 'myid'));
    // What is not there any more is asked for where it may be by now.
    await redisCli(from!.redis, 'flushall');

    to!.proxy.stall();
    expect((await server.check(body, code)).status).toBe(503);
    to!.proxy.resume();
    for (const node of nodes) await setSlot(node, 'stable');
    expect((await insist(() => server.check(body, code))).status).toBe(404);
    expect((await server.call('GET', '/livez')).status).toBe(200);
  });
});

describe('a redeem whose answer got lost', () => {
  it('is told the same again, and nobody else redeems', async () => {
    const { server, proxy } = (await fleet()).first;
    const proof = await server.proofFor(newPhone());
    const redeem = (headers = {}) => server.backend('POST', '/v1/proofs/redeem', { proof }, headers);
    await unheard(proxy, () => redeem(KEY));
    expect((await insist(() => redeem(KEY))).body).toMatchObject({ active: true });
    expect((await redeem()).status).toBe(409);
  });
});

const commandsOf = async (redis: { port: number }): Promise<number> =>
  Number(/total_commands_processed:(\d+)/.exec(await redisCli(redis, 'info', 'stats'))?.[1]);
