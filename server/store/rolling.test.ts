/**
 * Two releases on one store at the same time, as while a fleet is updated: this one, and one that knows a
 * schema version more. What the newer one would write, these tests write by hand.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer } from '../testing/server.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { keysOf } from './redis/keys.ts';
import { openRedisStore } from './redis/redis.ts';
import { versions } from './redis/schema.ts';
import { migrations } from './sqlite/migrations.ts';
import { parseAnswers, parseDeliveries } from './sqlite/rows.ts';
import { openSqliteStore } from './sqlite/sqlite.ts';
import { type Store, StoreUnavailable } from './store.ts';
import { type RedisServer, startRedis } from './testing/redis-server.ts';
import {
  chargeOf,
  checkStep,
  DAY,
  HOUR,
  idempotencyOf,
  intentOf,
  redeemStep,
  resendStep,
  SECOND,
  signingKeyOf,
  startStep,
  T0,
} from './testing/steps.ts';
import { walk } from './testing/walk.ts';

/** How many versions a process knows more than this release does. */
type Ahead = 0 | 1 | 2;

type Place = {
  open(ahead: Ahead): Promise<Store>;
  version(): Promise<number>;
  /** As a newer release would: a value that this one does not know, or a member of its own. */
  write(
    change:
      | { verification: string; set: 'status' | 'channel' | 'note'; to: string }
      | { verification: string; delivery: string; to: string }
      | { idempotencyKey: string; verification: string; to: string }
      | { signingKey: string; note: string },
  ): Promise<void>;
  noteOf(kid: string): Promise<unknown>;
  close(): Promise<void>;
};

const steps = [
  `ALTER TABLE verifications ADD COLUMN note TEXT;
   ALTER TABLE intents ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE signing_keys ADD COLUMN note TEXT;
   CREATE TABLE receipts (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
   CREATE INDEX verifications_status ON verifications (status);`,
  'ALTER TABLE redemptions ADD COLUMN note TEXT',
];

function sqlitePlace(): Place {
  const file = join(tempDir(), 'phone-proof.sqlite');
  const raw = (sql: string, ...values: string[]) => {
    const db = new DatabaseSync(file, { timeout: 5_000 });
    try {
      return db.prepare(sql).all(...values);
    } finally {
      db.close();
    }
  };
  return {
    open: async (ahead) => openSqliteStore({ file, schema: [...migrations, ...steps.slice(0, ahead)] }),
    version: async () => Number(raw('PRAGMA user_version')[0]?.user_version),
    write: async (change) => {
      if ('signingKey' in change) {
        raw('UPDATE signing_keys SET note = ? WHERE kid = ?', change.note, change.signingKey);
        return;
      }
      const [row] = raw('SELECT deliveries, answers FROM verifications WHERE id = ?', change.verification);
      if ('idempotencyKey' in change) {
        const answers = parseAnswers(String(row?.answers));
        answers[change.idempotencyKey]!.facts = JSON.parse(change.to);
        raw(
          'UPDATE verifications SET answers = ? WHERE id = ?',
          JSON.stringify(answers),
          change.verification,
        );
      } else if ('delivery' in change) {
        const deliveries = parseDeliveries(String(row?.deliveries)).map((one) =>
          one.id === change.delivery ? { ...one, status: change.to, cost: 7 } : one,
        );
        raw(
          'UPDATE verifications SET deliveries = ? WHERE id = ?',
          JSON.stringify(deliveries),
          change.verification,
        );
      } else {
        raw(`UPDATE verifications SET ${change.set} = ? WHERE id = ?`, change.to, change.verification);
      }
    },
    noteOf: async (kid) => raw('SELECT note FROM signing_keys WHERE kid = ?', kid)[0]?.note,
    close: async () => {},
  };
}

let redis: RedisServer;
let places = 0;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

function redisPlace(): Place {
  places += 1;
  const prefix = `rolling${places}`;
  const raw = new Redis(redis.url);
  const keys = keysOf(prefix);
  const schema = [...versions, 'one more', 'another'];
  return {
    open: (ahead) =>
      openRedisStore({ url: redis.url, prefix, schema: schema.slice(0, versions.length + ahead) }),
    version: async () => Number(await raw.get(keys.schemaVersion)),
    write: async (change) => {
      if ('signingKey' in change) {
        const key: object = JSON.parse((await raw.hget(keys.signingKeys, change.signingKey)) ?? '');
        await raw.hset(keys.signingKeys, change.signingKey, JSON.stringify({ ...key, note: change.note }));
      } else if ('idempotencyKey' in change) {
        const key = keys.idempotencyAt(change.verification, change.idempotencyKey);
        const [fingerprint, expiresAt] = ((await raw.get(key)) ?? '').split(' ');
        await raw.set(key, `${fingerprint} ${expiresAt} ${change.to}`);
      } else if ('delivery' in change) {
        const field = `delivery:${change.delivery}`;
        await raw.hset(
          keys.verification(change.verification),
          `${field}:status`,
          change.to,
          `${field}:cost`,
          7,
        );
      } else {
        await raw.hset(keys.verification(change.verification), change.set, change.to);
      }
    },
    noteOf: async (kid) => JSON.parse((await raw.hget(keys.signingKeys, kid)) ?? '').note,
    close: async () => {
      await raw.quit();
    },
  };
}

/** One store, whose calls are made by each of several in turn. */
function inTurns(stores: [Store, ...Store[]]): Store {
  let turn = 0;
  return new Proxy(stores[0], {
    get: (first, name) => {
      if (name === 'close') return () => Promise.all(stores.map((store) => store.close()));
      turn += 1;
      return Reflect.get(stores[turn % stores.length] ?? first, name);
    },
  });
}

describe.each([
  ['one SQLite file', sqlitePlace, migrations.length, 'when swept'],
  ['one Redis', redisPlace, versions.length, 'by itself'],
] as const)('two releases on %s', (_, makePlace, known, forgets) => {
  let place: Place;
  let opened: Store[];
  beforeEach(() => {
    place = makePlace();
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((store) => store.close()));
    await place.close();
  });
  async function open(ahead: Ahead): Promise<Store> {
    const store = await place.open(ahead);
    opened.push(store);
    return store;
  }

  it('take part in the same verifications, from the moment the newer one comes', async () => {
    const older = await open(0);
    const intent = intentOf({ now: T0 });
    await older.addIntent(intent, T0 + DAY);
    const step = startStep({ now: T0, intentId: intent.id });
    const { id, resendAt } = step.verification;
    expect((await older.start(step)).kind).toBe('started');

    const newer = await open(1);
    expect(await newer.find(id)).toEqual(await older.find(id));
    const resend = resendStep(step, { now: resendAt });
    expect((await newer.resend(resend)).kind).toBe('resent');
    await place.write({ verification: id, set: 'note', to: 'only the newer one knows of it' });
    await older.settleDelivery({
      verificationId: id,
      deliveryId: resend.delivery.id,
      status: 'sent',
      providerReference: 'r-1',
      reason: null,
      at: resendAt + 1,
    });
    expect((await older.check(checkStep(step, { now: resendAt + 2 }))).kind).toBe('incorrect');
    const idempotency = idempotencyOf('k', { now: resendAt });
    const right = checkStep(step, { now: resendAt + 3, isRight: true, idempotency });
    expect((await newer.check(right)).kind).toBe('approved');
    expect((await older.check(right)).kind).toBe('replayed');
    expect((await older.check({ ...right, idempotency: null })).kind).toBe('closed');
    expect(await older.find(id)).toEqual(await newer.find(id));
    expect((await older.find(id))?.verification).toMatchObject({ status: 'approved', attemptsRemaining: 4 });

    expect((await older.redeem(redeemStep({ now: T0, jti: 'a' }))).kind).toBe('redeemed');
    expect((await newer.redeem(redeemStep({ now: T0, jti: 'a' }))).kind).toBe('already-redeemed');
    const again = startStep({ now: T0, intentId: intent.id });
    for (const store of [older, newer]) expect((await store.start(again)).kind).toBe('intent-used');
  });

  it('keep every promise of one, each taking every other step', async () => {
    const openBoth = async () => {
      const here = makePlace();
      const both: [Store, Store] = [await here.open(0), await here.open(1)];
      await here.close();
      return inTurns(both);
    };
    await walk(openBoth, { steps: 2_000, forgets, decides: 'at once' });
  });

  it('asked at once approve once, count every guess, and redeem once', async () => {
    const both = [await open(0), await open(1)];
    const ask = <T>(times: number, what: (store: Store) => Promise<T>) =>
      Promise.all(Array.from({ length: times }, (_, nth) => what(both[nth % 2]!)));
    const charge = chargeOf('site', 'shop', { limit: 20, windowMs: HOUR });
    for (let round = 0; round < 10; round += 1) {
      const [one, other] = [startStep({ now: T0 }), startStep({ now: T0 })];
      await both[round % 2]!.start(one);
      await both[round % 2]!.start(other);
      const kinds = async (outcomes: Promise<{ kind: string }[]>) => (await outcomes).map(({ kind }) => kind);
      const right = await kinds(ask(20, (store) => store.check(checkStep(one, { now: T0, isRight: true }))));
      expect(right.filter((kind) => kind === 'approved')).toHaveLength(1);
      const network = `${round}`;
      const wrong = await kinds(ask(20, (store) => store.check(checkStep(other, { now: T0, network }))));
      expect(wrong.filter((kind) => kind === 'incorrect')).toHaveLength(5);
      const jti = `proof ${round}`;
      const redeemed = await kinds(ask(20, (store) => store.redeem(redeemStep({ now: T0, jti }))));
      expect(redeemed.filter((kind) => kind === 'redeemed')).toHaveLength(1);
    }
    const starts = await ask(40, (store) =>
      store.start(startStep({ now: T0, phone: 'bob', charges: [charge] })),
    );
    expect(starts.filter(({ kind }) => kind === 'started')).toHaveLength(20);
  });

  it('share their signing keys, and keep what the other one added to them', async () => {
    const [older, newer] = [await open(0), await open(1)];
    await older.addSigningKey(signingKeyOf({ kid: '1' }), null);
    expect(await newer.addSigningKey(signingKeyOf({ kid: '2' }), '1')).toBe(true);
    await place.write({ signingKey: '2', note: 'by the newer one' });
    await older.resealSigningKey('2', 'sealed anew');
    expect(await newer.signingKeys()).toEqual([
      signingKeyOf({ kid: '1' }),
      signingKeyOf({ kid: '2', sealedPrivateJwk: 'sealed anew' }),
    ]);
    expect(await place.noteOf('2')).toBe('by the newer one');
    expect(await older.addSigningKey(signingKeyOf({ kid: '3' }), '1')).toBe(false);
  });

  it('are neighbours: the older one may still start, and takes nothing back', async () => {
    await open(0);
    expect(await place.version()).toBe(known);
    await Promise.all([open(1), open(0), open(1), open(0)]);
    expect(await place.version()).toBe(known + 1);
    await (await open(0)).ping();
    expect(await place.version()).toBe(known + 1);
  });

  it('two versions apart do not meet: the older one does not start, and is not ready where it runs', async () => {
    const [older, newer] = [await open(0), await open(1)];
    await older.ping();
    await (await open(2)).ping();
    await newer.ping();
    const refusal = new RegExp(
      `schema version ${known + 2}, this release knows ${known}: run a newer release`,
    );
    await expect(open(0)).rejects.toThrow(refusal);
    await expect(open(0)).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(older.ping()).rejects.toThrow(refusal);
    await expect(older.ping()).rejects.toBeInstanceOf(StoreUnavailable);
    await (await open(1)).ping();
    expect(await place.version()).toBe(known + 2);
  });

  it('go from any version to the newest at once, when nobody else runs', async () => {
    await (await open(0)).close();
    await (await open(2)).ping();
    expect(await place.version()).toBe(known + 2);
  });

  describe('of what only the newer one understands', () => {
    it.each([
      ['status', 'held', 'pending'],
      ['channel', 'carrier-pigeon', 'sms'],
    ] as const)('a %s, nothing is decided by the older one', async (member, unknown, usual) => {
      const [older] = [await open(0), await open(1)];
      const intent = intentOf({ now: T0 });
      await older.addIntent(intent, T0 + DAY);
      const step = startStep({ now: T0, intentId: intent.id });
      const { id, resendAt } = step.verification;
      await older.start(step);
      const before = await older.find(id);
      await place.write({ verification: id, set: member, to: unknown });

      const idempotency = idempotencyOf('k', { now: T0 });
      for (const attempt of [
        () => older.find(id),
        () => older.check(checkStep(step, { now: T0, isRight: true, idempotency })),
        () => older.check(checkStep(step, { now: T0 })),
        () => older.resend(resendStep(step, { now: resendAt, idempotency })),
        () => older.start(startStep({ now: T0, intentId: intent.id })),
        () => older.cancel(id, T0),
      ]) {
        await expect(attempt()).rejects.toBeInstanceOf(StoreUnavailable);
      }
      await place.write({ verification: id, set: member, to: usual });
      expect(await older.find(id)).toEqual(before);
      // The key was not used up either.
      const right = checkStep(step, { now: T0 + SECOND, isRight: true, idempotency });
      expect((await older.check(right)).kind).toBe('approved');
    });

    it('a delivery is left as far as it is', async () => {
      const [older] = [await open(0), await open(1)];
      const step = startStep({ now: T0 });
      const [verificationId, deliveryId] = [step.verification.id, step.delivery.id];
      await older.start(step);
      await place.write({ verification: verificationId, delivery: deliveryId, to: 'read' });
      await expect(older.find(verificationId)).rejects.toBeInstanceOf(StoreUnavailable);
      await older.settleDelivery({
        verificationId,
        deliveryId,
        status: 'sent',
        providerReference: 'r-1',
        reason: null,
        at: T0 + 1,
      });
      await expect(older.find(verificationId)).rejects.toBeInstanceOf(StoreUnavailable);
      // Whether the code was right has nothing to do with it.
      expect((await older.check(checkStep(step, { now: T0, isRight: true }))).kind).toBe('approved');
      await place.write({ verification: verificationId, delivery: deliveryId, to: 'queued' });
      expect((await older.find(verificationId))?.deliveries).toMatchObject([step.delivery]);
    });

    it('an answer is not guessed at', async () => {
      const older = await open(0);
      const step = startStep({ now: T0 });
      await older.start(step);
      const idempotency = idempotencyOf('k', { now: T0 });
      const wrong = checkStep(step, { now: T0, idempotency });
      expect((await older.check(wrong)).kind).toBe('incorrect');
      const where = { idempotencyKey: idempotency.key, verification: step.verification.id };
      await place.write({ ...where, to: '{"kind":"almost"}' });
      await expect(older.check(wrong)).rejects.toBeInstanceOf(StoreUnavailable);
      const known = {
        kind: 'incorrect',
        attemptsRemaining: 4,
        status: 'pending',
        hint: 'of a newer release',
      };
      await place.write({ ...where, to: JSON.stringify(known) });
      const { hint: _hint, ...facts } = known;
      expect(await older.check(wrong)).toMatchObject({ kind: 'replayed', facts });
    });
  });
});

describe('a server', () => {
  it('answers 503 about a verification that only a newer release understands, and spends nothing', async () => {
    const dataDir = tempDir();
    const server = await startTestServer({ config: { dataDir } });
    try {
      const { body } = await server.start({ phone: '+31612345678', purpose: 'registration' });
      const code = await server.codeFor('+31612345678');
      const setChannel = (channel: string) => {
        const db = new DatabaseSync(join(dataDir, 'phone-proof.sqlite'), { timeout: 5_000 });
        db.prepare('UPDATE verifications SET channel = ?').run(channel);
        db.close();
      };
      setChannel('voice-of-the-future');
      for (const answer of [
        await server.check(body, code),
        await server.read(body),
        await server.cancel(body),
      ]) {
        expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
        expect(answer.headers.get('Retry-After')).toMatch(/^\d+$/);
      }
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
      setChannel('sms');
      expect((await server.check(body, code)).status).toBe(200);
    } finally {
      await server.close();
    }
  });
});
