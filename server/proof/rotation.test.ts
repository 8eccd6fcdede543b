/** Keys that rotate by themselves: over a year, between servers, and past whatever goes wrong meanwhile. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../config.ts';
import { createKeyring } from '../secrets.ts';
import { StoreUnavailable } from '../store/store.ts';
import { type RedisServer, startRedis } from '../store/testing/redis-server.ts';
import { signingKeyOf } from '../store/testing/steps.ts';
import { SECRET, startTestServer, type TestServer } from '../testing/server.ts';
import { tempDir } from '../testing/temp-dir.ts';

const PHONE = '+31612345678';
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The defaults. */
const ROTATION = 90 * DAY;
const OVERLAP = DAY;
const PROOF = 10 * MINUTE;
/** A key's time after its successor took over: its last proof, and an hour. */
const KEPT = PROOF + HOUR;

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function open(config: Partial<ConfigInput> = {}, now?: number): Promise<TestServer> {
  const server = await startTestServer({ config, ...(now !== undefined && { now }) });
  servers.push(server);
  return server;
}

const jwksOf = async ({ url }: TestServer) =>
  (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as JSONWebKeySet;
const publishedBy = async (server: TestServer) => (await jwksOf(server)).keys.map(({ kid }) => kid);
const kidOf = (proof: string) => decodeProtectedHeader(proof).kid ?? '';
const signingKid = async (server: TestServer) => kidOf(await server.proofFor(PHONE));
const advance = (ms: number) => {
  for (const { clock } of servers) clock.advance(ms);
};
const eventsOf = ({ logLines }: TestServer, event: string) =>
  logLines.filter((line) => line.includes(`"${event}"`)).map((line) => JSON.parse(line));
const redeem = (server: TestServer, proof: string) => server.backend('POST', '/v1/proofs/redeem', { proof });

const verifies = (proof: string, set: JSONWebKeySet, at: number) =>
  jwtVerify(proof, createLocalJWKSet(set), { currentDate: new Date(at) });

/**
 * Takes proofs until `lasting` is over, and holds each to every set that somebody may hold: those published
 * when it was made and until it ends, and those that were cached at most `cachedFor` before.
 */
async function live(lasting: number, { every, cachedFor }: { every: number; cachedFor: number }) {
  const signed = new Set<string>();
  const cached: { at: number; set: JSONWebKeySet }[] = [];
  const first = servers[0]!;
  const until = first.clock.now() + lasting;
  while (first.clock.now() < until) {
    await Promise.all(servers.map(({ keys }) => keys.refresh()));
    const now = first.clock.now();
    // Each to a number of its own: they may share the simulated phone.
    const made = await Promise.all(servers.map((server, nth) => server.proofFor(`+3161234567${nth}`)));
    for (const server of servers) cached.push({ at: now, set: await jwksOf(server) });
    while (cached[0] && cached[0].at < now - cachedFor) cached.shift();
    advance(PROOF - 30_000);
    await Promise.all(servers.map(({ keys }) => keys.refresh()));
    const atTheEnd = await Promise.all(servers.map(jwksOf));
    for (const proof of made) {
      signed.add(kidOf(proof));
      for (const set of [...cached.map((one) => one.set), ...atTheEnd])
        await verifies(proof, set, now + PROOF / 2);
    }
    advance(every - (PROOF - 30_000));
  }
  return [...signed];
}

describe('a year', () => {
  it('brings a new key every ninety days, and no proof that a cached key set does not know', async () => {
    const server = await open();
    const signed = await live(365 * DAY, { every: 10 * HOUR, cachedFor: OVERLAP });
    expect(signed).toHaveLength(5);
    expect(await publishedBy(server)).toEqual(signed.slice(-1));
    const rotated = eventsOf(server, 'keys.rotated');
    expect(rotated.map(({ kid }) => kid)).toEqual(signed.slice(1));
  }, 120_000);

  it('brings none where that is left to the operator', async () => {
    const server = await open({ proof: { keyRotation: false } });
    expect(await live(365 * DAY, { every: 5 * DAY, cachedFor: OVERLAP })).toHaveLength(1);
    expect(server.keys.rotatesAt()).toBeUndefined();
    await server.keys.rotate();
    expect(await publishedBy(server)).toHaveLength(2);
  });
});

describe('the next key', () => {
  it('comes an overlap before the old one is as old as it may be, and takes over then', async () => {
    const server = await open();
    const old = await signingKid(server);
    expect(server.keys.rotatesAt()).toBe(server.clock.now() + ROTATION - OVERLAP);
    advance(ROTATION - OVERLAP - 1);
    await server.keys.refresh();
    expect(await publishedBy(server)).toEqual([old]);
    advance(1);
    await server.keys.refresh();
    const next = (await publishedBy(server)).at(-1);
    expect(await publishedBy(server)).toEqual([old, next]);
    expect(eventsOf(server, 'keys.rotated')).toMatchObject([
      { level: 'info', kid: next, signsFrom: new Date(server.clock.now() + OVERLAP).toISOString() },
    ]);
    advance(OVERLAP - 1);
    expect(await signingKid(server)).toBe(old);
    advance(1);
    expect(await signingKid(server)).toBe(next);
    advance(KEPT);
    expect(await publishedBy(server)).toEqual([next]);
  });

  it('is counted from the one that an operator added', async () => {
    const server = await open();
    advance(60 * DAY);
    const added = await server.keys.rotate();
    advance(60 * DAY);
    await server.keys.refresh();
    expect(await publishedBy(server)).toEqual([added]);
    expect(server.keys.rotatesAt()).toBe(server.clock.now() + 30 * DAY);
  });

  it('comes at once after a long sleep, and still only takes over when everybody can know it', async () => {
    const server = await open();
    const old = await signingKid(server);
    advance(3 * 365 * DAY);
    await server.keys.refresh();
    expect(await signingKid(server)).toBe(old);
    expect(await publishedBy(server)).toHaveLength(2);
    await server.keys.refresh();
    expect(await publishedBy(server)).toHaveLength(2);
  });

  it('may overlap for as long as it signs', async () => {
    const server = await open({ proof: { keyRotation: '1d', keyOverlap: '1d' } });
    const signed = await live(10 * DAY, { every: HOUR, cachedFor: DAY - HOUR });
    expect(signed.length).toBeGreaterThanOrEqual(5);
    expect((await publishedBy(server)).length).toBeLessThanOrEqual(3);
  });

  it('has the algorithm that was configured in the meantime, which needs no rotation of its own', async () => {
    const dataDir = tempDir();
    const before = await open({ dataDir });
    const old = await signingKid(before);
    await before.close();
    servers.length = 0;

    const after = await open({ dataDir, proof: { algorithm: 'EdDSA' } });
    const [, next] = await publishedBy(after);
    expect(after.keys.list()).toMatchObject([
      { kid: old, algorithm: 'ES256', state: 'signing' },
      { kid: next, algorithm: 'EdDSA', state: 'next' },
    ]);
    await after.keys.refresh();
    expect(await publishedBy(after)).toEqual([old, next]);
    expect(after.keys.rotatesAt()).toBe(after.clock.now() + ROTATION);
  });

  it('takes over at once although another one was added for tomorrow in the same moment', async () => {
    const dataDir = tempDir();
    const [one, other] = [await open({ dataDir }), await open({ dataDir })];
    for (let round = 0; round < 10; round += 1) {
      advance(OVERLAP);
      const tomorrow = other.keys.rotate();
      const atOnce = await one.keys.rotate({ immediately: true });
      await tomorrow;
      expect(await signingKid(one)).toBe(atOnce);
    }
  });
});

describe('without the store', () => {
  it('the server goes on with the keys it has, and says so', async () => {
    const server = await open();
    const before = await jwksOf(server);
    await server.store.close();
    await expect(server.keys.refresh()).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await jwksOf(server)).toEqual(before);
    expect((await server.keys.current()).kid).toBe(before.keys[0]?.kid);
  });

  it('it does not sign for longer than others publish what it knows', async () => {
    const server = await open();
    await server.store.close();
    advance(HOUR / 2);
    await server.keys.current();
    advance(1);
    await expect(server.keys.current()).rejects.toBeInstanceOf(StoreUnavailable);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    advance(-HOUR / 2 - 1);
    await server.keys.current();
    advance(-HOUR / 2 - 1);
    await expect(server.keys.current()).rejects.toBeInstanceOf(StoreUnavailable);
  });
});

describe.each(['one SQLite file', 'one Redis'])('two servers on %s', (engine) => {
  let redis: RedisServer | undefined;
  let prefixes = 0;
  beforeAll(async () => {
    if (engine === 'one Redis') redis = await startRedis();
  });
  afterAll(() => redis?.stop());

  const shared = (): Partial<ConfigInput> => {
    prefixes += 1;
    return redis
      ? { store: { engine: 'redis', url: redis.url, prefix: `pp${prefixes}` } }
      : { dataDir: tempDir() };
  };
  async function two(config: Partial<ConfigInput> = {}): Promise<[TestServer, TestServer]> {
    const all = { ...shared(), ...config };
    return [await open(all), await open(all)];
  }

  it('that decide at once add one successor, and both publish and use it', async () => {
    const [one, other] = await two();
    for (let rotation = 1; rotation <= 5; rotation += 1) {
      advance(ROTATION - OVERLAP);
      await Promise.all([one, other, one, other].map(({ keys }) => keys.refresh()));
      expect(await one.store.signingKeys()).toHaveLength(2);
      expect(await publishedBy(one)).toEqual(await publishedBy(other));
      advance(OVERLAP);
      expect(await signingKid(one)).toBe(await signingKid(other));
      expect([...eventsOf(one, 'keys.rotated'), ...eventsOf(other, 'keys.rotated')]).toHaveLength(rotation);
      advance(KEPT);
      await Promise.all([one, other].map(({ keys }) => keys.refresh()));
      expect(await one.store.signingKeys()).toHaveLength(1);
    }
  });

  it('accept each other’s proofs through a year, although one clock is off', async () => {
    const config = { ...shared(), proof: { keyRotation: '60d' } };
    const now = Date.parse('2026-11-23T12:00:00Z');
    await open(config, now);
    await open(config, now + 4 * MINUTE);
    await open(config, now - 4 * MINUTE);
    // Those who cache must leave the clocks their error.
    const signed = await live(365 * DAY, { every: DAY, cachedFor: OVERLAP - 10 * MINUTE });
    expect(signed).toHaveLength(7);
  }, 120_000);

  it('never meet under a key that one of them does not publish, whoever was cut off', async () => {
    const [one, cutOff] = await two();
    const old = await signingKid(cutOff);
    const next = await one.keys.rotate({ immediately: true });
    // It has not heard of the successor, and signs with what the others keep for it.
    advance(HOUR / 2);
    const late = await cutOff.proofFor(PHONE);
    expect(kidOf(late)).toBe(old);
    advance(PROOF - 1_000);
    await one.keys.refresh();
    await verifies(late, await jwksOf(one), one.clock.now());
    expect((await redeem(one, late)).status).toBe(200);
    // Then it looks before it signs.
    expect(kidOf(await cutOff.proofFor(PHONE))).toBe(next);
    advance(DAY);
    await one.keys.refresh();
    expect(await publishedBy(one)).toEqual([next]);
  });

  it('redeem what the other signed with a key that took over this moment', async () => {
    const [one, other] = await two();
    await one.keys.rotate({ immediately: true });
    const proof = await one.proofFor(PHONE);
    expect((await redeem(other, proof)).status).toBe(200);
    expect(await publishedBy(other)).toEqual(await publishedBy(one));

    await one.keys.rotate({ immediately: true });
    const another = await one.proofFor(PHONE);
    await other.store.close();
    const answer = await redeem(other, another);
    expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
  });

  it('put the keys back into a store that lost them', async () => {
    const [one, other] = await two();
    await one.keys.rotate();
    await other.keys.refresh();
    const before = await one.store.signingKeys();
    const published = await jwksOf(one);
    for (const { kid } of before) await one.store.removeSigningKey(kid);

    await Promise.all([one, other].map(({ keys }) => keys.refresh()));
    expect(await one.store.signingKeys()).toEqual(before);
    const told = [one, other].flatMap((server) => eventsOf(server, 'keys.put-back'));
    expect(told[0]).toMatchObject({ level: 'warn', kids: before.map(({ kid }) => kid) });
    // Whoever looked while the other had put back half of them sees the rest the next time.
    await Promise.all([one, other].map(({ keys }) => keys.refresh()));
    for (const server of [one, other]) expect(await jwksOf(server)).toEqual(published);
  });
});

describe('a key that cannot be used here', () => {
  const sealed = (kid: string, privateJwk: object, secret = SECRET) =>
    createKeyring([secret]).seal('signing-key', JSON.stringify(privateJwk), kid);
  const newest = async ({ store }: TestServer) => (await store.signingKeys()).at(-1)?.kid ?? null;

  it('because a newer release chose its algorithm is published, and another one signs while it may', async () => {
    const server = await open();
    const old = await signingKid(server);
    const signsFrom = server.clock.now() + OVERLAP;
    const stored = signingKeyOf({
      kid: 'new',
      algorithm: 'ML-DSA-44',
      publicJwk: JSON.stringify({ kty: 'AKP', pub: 'x', kid: 'new', alg: 'ML-DSA-44', use: 'sig' }),
      sealedPrivateJwk: sealed('new', { kty: 'AKP', pub: 'x', priv: 'y' }),
      signsFrom,
    });
    await server.store.addSigningKey(stored, await newest(server));
    await server.keys.refresh();
    expect(await publishedBy(server)).toEqual([old, 'new']);

    advance(OVERLAP + HOUR / 2 - 1);
    const proof = await server.proofFor(PHONE);
    expect(kidOf(proof)).toBe(old);
    advance(PROOF - 1_000);
    expect((await redeem(server, proof)).status).toBe(200);

    const { body } = await server.start({ phone: PHONE, purpose: 'registration' });
    const refused = await server.check(body, await server.codeFor(PHONE));
    expect([refused.status, refused.body.code]).toEqual([503, 'unavailable']);
  });

  it('because it is sealed under another secret is neither published nor signs', async () => {
    const server = await open();
    const old = await signingKid(server);
    const stored = signingKeyOf({
      kid: 'theirs',
      publicJwk: JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'theirs' }),
      sealedPrivateJwk: sealed(
        'theirs',
        { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' },
        `${SECRET} of theirs`,
      ),
      signsFrom: server.clock.now(),
    });
    await server.store.addSigningKey(stored, await newest(server));
    await server.keys.refresh();
    await server.keys.refresh();
    expect(await publishedBy(server)).toEqual([old]);
    expect(await signingKid(server)).toBe(old);
    expect(eventsOf(server, 'keys.unusable')).toMatchObject([{ level: 'error', kid: 'theirs' }]);
  });

  it('because somebody changed its public part in the database is refused', async () => {
    const dataDir = tempDir();
    const server = await open({ dataDir });
    const [own] = (await jwksOf(server)).keys;
    const db = new DatabaseSync(join(dataDir, 'phone-proof.sqlite'));
    const forged = JSON.stringify({ ...own, x: own?.y, y: own?.x });
    db.prepare('UPDATE signing_keys SET public_jwk = ?').run(forged);
    db.close();
    await expect(open({ dataDir })).rejects.toThrow('not its own');
    await server.keys.refresh();
    expect((await jwksOf(server)).keys).toEqual([own]);
  });
});
