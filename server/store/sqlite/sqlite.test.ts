import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { describeStore } from '../contract.ts';
import { type Store, StoreUnavailable } from '../store.ts';
import {
  endProcesses,
  openAll,
  openAtOnce,
  race,
  type StoreProcess,
  startProcess,
} from '../testing/processes.ts';
import { describeRaces } from '../testing/races.ts';
import {
  chargeOf,
  checkStep,
  DAY,
  guessesFrom,
  HOUR,
  idempotencyOf,
  intentOf,
  keyOf,
  redeemStep,
  resendStep,
  SECOND,
  signingKeyOf,
  startStep,
  T0,
} from '../testing/steps.ts';
import type { Call, Opening } from '../testing/store-process.ts';
import { openSqliteStore } from './sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'phone-proof-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const newFile = () => {
  files += 1;
  return join(folder, `${files}`, 'phone-proof.sqlite');
};

const openingOf = (file: string): Opening => ({
  module: import.meta.resolve('./sqlite.ts'),
  open: 'openSqliteStore',
  options: { file },
});

describeStore('the SQLite store in memory', async () => openSqliteStore({ file: ':memory:' }));
describeStore('the SQLite store in a file', async () => openSqliteStore({ file: newFile() }), {
  steps: 3_000,
});
describeRaces('the SQLite store', async () => openingOf(newFile()));

/** Stores and processes of one test; all are ended after it. */
const opened: Store[] = [];
const running: StoreProcess[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  await endProcesses(running.splice(0));
});

function openStore(file: string): Store {
  const store = openSqliteStore({ file });
  opened.push(store);
  return store;
}

function newProcess(options?: Parameters<typeof startProcess>[0]): StoreProcess {
  const one = startProcess(options);
  running.push(one);
  return one;
}

const rowsIn = (file: string, table: string): number => {
  const db = new DatabaseSync(file);
  try {
    return Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
  } finally {
    db.close();
  }
};

describe('the SQLite store’s file', () => {
  it('is made with its folders', async () => {
    const file = join(folder, 'one', 'two', 'three', 'phone-proof.sqlite');
    await openStore(file).ping();
    expect(existsSync(file)).toBe(true);
  });

  it('keeps everything across a restart', async () => {
    const file = newFile();
    const before = openStore(file);
    const charge = chargeOf('phone', 'alice', { limit: 1, windowMs: HOUR });
    const guesses = guessesFrom('home', { perNetwork: { limit: 1, windowMs: DAY } });
    const idempotency = idempotencyOf('k', { now: T0 });
    const intent = intentOf({ now: T0 });
    await before.addIntent(intent, T0 + DAY);
    const step = startStep({ now: T0, charges: [charge], guesses, idempotency, intentId: intent.id });
    const other = startStep({ now: T0, phone: 'bob' });
    await before.start(step);
    await before.start(other);
    await before.resend(resendStep(step, { now: step.verification.resendAt }));
    await before.check(checkStep(step, { now: T0, guesses }));
    await before.check(checkStep(other, { now: T0, isRight: true }));
    await before.redeem(redeemStep({ now: T0, jti: 'a' }));
    await before.addSigningKey(signingKeyOf({ kid: '1' }), null);
    await before.keepSecret('pairwise', 'first');
    const found = await before.find(step.verification.id);
    await before.close();

    const after = openStore(file);
    expect(await after.find(step.verification.id)).toEqual(found);
    expect(found?.deliveries).toHaveLength(2);
    expect(await after.findIntent(intent.id)).toEqual(intent);
    const again = (more: object) => after.start(startStep({ now: T0 + SECOND, ...more }));
    expect((await again({ charges: [charge] })).kind).toBe('limited');
    expect((await again({ guesses })).kind).toBe('limited');
    expect((await again({ idempotency })).kind).toBe('replayed');
    expect((await again({ intentId: intent.id })).kind).toBe('intent-used');
    expect((await after.check(checkStep(other, { now: T0, isRight: true }))).kind).toBe('closed');
    expect((await after.redeem(redeemStep({ now: T0, jti: 'a' }))).kind).toBe('already-redeemed');
    expect(await after.signingKeys()).toEqual([signingKeyOf({ kid: '1' })]);
    expect(await after.keepSecret('pairwise', 'second')).toBe('first');
  });

  it('is shared by several stores at once, each of which sees what another wrote', async () => {
    const file = newFile();
    const [one, other] = [openStore(file), openStore(file)];
    const step = startStep({ now: T0 });
    await one.start(step);
    expect(await other.find(step.verification.id)).toEqual(await one.find(step.verification.id));
    expect((await other.check(checkStep(step, { now: T0, isRight: true }))).kind).toBe('approved');
    expect((await one.check(checkStep(step, { now: T0, isRight: true }))).kind).toBe('closed');
    await one.close();
    expect((await other.find(step.verification.id))?.verification.status).toBe('approved');
  });

  it('loses nothing that was answered when its process is killed in the middle of a write', async () => {
    const file = newFile();
    const writer = newProcess();
    await openAll([writer], openingOf(file));
    writer.give({ order: 'fill' });
    const answered: string[] = [];
    while (answered.length < 300) {
      const report = await writer.next();
      if (report.report === 'started') answered.push(report.id);
    }
    await endProcesses([writer]);
    for (const report of writer.reports) if (report.report === 'started') answered.push(report.id);

    const store = openStore(file);
    for (const id of answered) expect((await store.find(id))?.deliveries).toHaveLength(1);
    const db = new DatabaseSync(file);
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    db.close();
  });

  it('holds no number and no code in the clear, whatever is written', async () => {
    const file = newFile();
    const store = openStore(file);
    await store.start(startStep({ now: T0 }));
    await store.close();
    // The store writes what it is handed: sealed text and keyed hashes, under columns that expect no other.
    const bytes = readFileSync(file, 'latin1');
    expect(bytes).toContain('sealed alice');
    expect(bytes).toContain(keyOf('alice'));
    expect(bytes).not.toMatch(/\+31|code_|phone TEXT/);
  });
});

describe('the schema', () => {
  const versionOf = (file: string) => {
    const db = new DatabaseSync(file);
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version);
    db.close();
    return version;
  };

  it('is made once: opening again changes nothing', async () => {
    const file = newFile();
    await openStore(file).close();
    const version = versionOf(file);
    expect(version).toBeGreaterThan(0);
    await openStore(file).close();
    expect(versionOf(file)).toBe(version);
  });

  it('two versions ahead is refused in words, and left as it is', async () => {
    const file = newFile();
    await openStore(file).close();
    const db = new DatabaseSync(file);
    const known = versionOf(file);
    const newer = known + 2;
    db.exec(`PRAGMA user_version = ${newer}`);
    db.close();
    expect(() => openSqliteStore({ file })).toThrow(
      new RegExp(`schema version ${newer}.*knows ${known}.*newer release`),
    );
    expect(versionOf(file)).toBe(newer);
  });

  it('is made by one of four processes that open one new file at once', async () => {
    const four = Array.from({ length: 4 }, () => newProcess());
    for (let round = 0; round < 30; round += 1) {
      const file = newFile();
      mkdirSync(join(file, '..'));
      await openAtOnce(four, openingOf(file));
      const ping: Call[] = [{ call: 'ping', with: [] }];
      expect((await race(four, [ping, ping, ping, ping])).flat()).toEqual([null, null, null, null]);
    }
  });
});

describe('the write-ahead log', () => {
  const modeOf = (file: string) => {
    const db = new DatabaseSync(file);
    const mode = db.prepare('PRAGMA journal_mode').get()?.journal_mode;
    db.close();
    return mode;
  };
  const write = async (store: Store, count: number) => {
    for (let nth = 0; nth < count; nth += 1) await store.start(startStep({ now: T0, phone: `phone ${nth}` }));
  };

  it('is in use', async () => {
    const file = newFile();
    const store = openStore(file);
    await write(store, 1);
    expect(modeOf(file)).toBe('wal');
    expect(existsSync(`${file}-wal`)).toBe(true);
  });

  /** The database file by itself, as if the log were lost: what it holds has been copied back. */
  function rowsWithoutLog(file: string): number {
    const copy = `${file}.copy`;
    copyFileSync(file, copy);
    try {
      return rowsIn(copy, 'verifications');
    } catch {
      // Copied in the middle of a checkpoint, or before the first one.
      return 0;
    } finally {
      for (const end of ['', '-wal', '-shm']) rmSync(`${copy}${end}`, { force: true });
    }
  }

  it('is copied back by another thread, while this one does nothing but wait', async () => {
    const file = newFile();
    const store = openStore(file);
    await write(store, 200);
    const nap = new Int32Array(new SharedArrayBuffer(4));
    // The event loop never turns in here: whatever empties the log runs elsewhere.
    let tries = 0;
    while (rowsWithoutLog(file) < 200 && tries < 600) {
      Atomics.wait(nap, 0, 0, 50);
      tries += 1;
    }
    expect(rowsWithoutLog(file)).toBe(200);
  });

  it('is used again from its beginning once it is copied back', async () => {
    const file = newFile();
    const store = openStore(file);
    await write(store, 300);
    await expect.poll(() => rowsWithoutLog(file), { timeout: 30_000 }).toBe(300);
    const size = statSync(`${file}-wal`).size;
    await write(store, 20);
    expect(statSync(`${file}-wal`).size).toBe(size);
  });

  it('begins anew while writes go on without a pause, instead of growing for good', async () => {
    const file = newFile();
    const store = openStore(file);
    await write(store, 1);
    // The log's header holds two salts, which change whenever it begins anew (SQLite file format §4.1).
    const salts = () => {
      const header = Buffer.alloc(24);
      const log = openSync(`${file}-wal`, 'r');
      readSync(log, header);
      closeSync(log);
      return header.toString('hex', 16);
    };
    const first = salts();
    const sizeOf = () => statSync(`${file}-wal`).size;
    // It is begun anew from 64 MiB on; what comes while it is being copied is not much beside that.
    while (sizeOf() < 256 * 2 ** 20 && salts() === first) {
      for (let nth = 0; nth < 200; nth += 1) await store.start(startStep({ now: T0 }));
    }
    expect(salts(), `at ${sizeOf()} bytes`).not.toBe(first);
  });

  it('is gone after closing, and nothing holds the file any more', async () => {
    const file = newFile();
    const store = openStore(file);
    await write(store, 50);
    // By then the other thread has the file open, too.
    await expect.poll(() => rowsWithoutLog(file), { timeout: 30_000 }).toBe(50);
    await write(store, 5);
    await store.close();
    expect(existsSync(`${file}-wal`)).toBe(false);
    expect(existsSync(`${file}-shm`)).toBe(false);
    expect(rowsIn(file, 'verifications')).toBe(55);
  });

  it('closes in the middle of the first moments, too', async () => {
    for (let nth = 0; nth < 5; nth += 1) {
      const store = openSqliteStore({ file: newFile() });
      await store.close();
      await store.close();
    }
  });

  it('keeps no process alive that has nothing else to do', async () => {
    const script = `
      import { openSqliteStore } from ${JSON.stringify(import.meta.resolve('./sqlite.ts'))};
      await openSqliteStore({ file: ${JSON.stringify(newFile())} }).ping();
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
    try {
      expect(await once(child, 'exit')).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describe('an engine that fails', () => {
  /** Every kind of call, each on its own. */
  const calls = (store: Store, step = startStep({ now: T0 })): [string, () => Promise<unknown>][] => [
    ['start', () => store.start(startStep({ now: T0 }))],
    ['find', () => store.find(step.verification.id)],
    ['resend', () => store.resend(resendStep(step, { now: step.verification.resendAt }))],
    ['check', () => store.check(checkStep(step, { now: T0, isRight: true }))],
    ['cancel', () => store.cancel(step.verification.id, T0)],
    ['addIntent', () => store.addIntent(intentOf({ now: T0 }), T0 + DAY)],
    ['redeem', () => store.redeem(redeemStep({ now: T0, jti: 'a' }))],
    ['signingKeys', () => store.signingKeys()],
    ['keepSecret', () => store.keepSecret('one', 'x')],
    ['sweep', () => store.sweep(T0 + DAY)],
    ['ping', () => store.ping()],
  ];

  it('says that a file is no database when it is opened', () => {
    const file = newFile();
    mkdirSync(join(file, '..'));
    writeFileSync(file, 'this is a shopping list, and a long one at that\n'.repeat(200));
    expect(() => openSqliteStore({ file })).toThrow(StoreUnavailable);
    expect(() => openSqliteStore({ file })).toThrow(/not a database/);
    expect(readFileSync(file, 'utf8')).toMatch(/^this is a shopping list/);
  });

  it('says which folder cannot be made', () => {
    const notAFolder = join(folder, 'a-file');
    writeFileSync(notAFolder, '');
    const file = join(notAFolder, 'sub', 'phone-proof.sqlite');
    expect(() => openSqliteStore({ file })).toThrow(/a-file/);
  });

  it('says that a folder is no database', () => {
    const file = newFile();
    mkdirSync(file, { recursive: true });
    expect(() => openSqliteStore({ file })).toThrow(StoreUnavailable);
  });

  it('has no answer but its own or StoreUnavailable when the file is overwritten under it', async () => {
    const file = newFile();
    const store = openStore(file);
    const step = startStep({ now: T0 });
    await store.start(step);
    for (let nth = 0; nth < 300; nth += 1) await store.start(startStep({ now: T0, phone: `phone ${nth}` }));
    await store.close();

    const again = openStore(file);
    await again.ping();
    writeFileSync(file, Buffer.alloc(statSync(file).size, 'garbage '));
    let refused = 0;
    for (const [name, call] of calls(again, step)) {
      const outcome = await call().catch((error: unknown) => error);
      if (outcome instanceof Error) {
        expect(outcome, name).toBeInstanceOf(StoreUnavailable);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(0);
    opened.length = 0;
    await again.close().catch(() => {});
  });

  it('has no answer but its own or StoreUnavailable when pages in the middle are damaged', async () => {
    const file = newFile();
    const store = openStore(file);
    const steps = Array.from({ length: 300 }, (_, nth) => startStep({ now: T0, phone: `phone ${nth}` }));
    for (const step of steps) await store.start(step);
    await store.close();
    const bytes = readFileSync(file);
    // The first page holds header and schema and stays; the tables behind it are damaged.
    bytes.fill(0xa5, 16_384);
    writeFileSync(file, bytes);

    const damaged = openStore(file);
    let refused = 0;
    for (const step of steps) {
      for (const [name, call] of calls(damaged, step)) {
        const outcome = await call().catch((error: unknown) => error);
        if (!(outcome instanceof Error)) continue;
        expect(outcome, name).toBeInstanceOf(StoreUnavailable);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(0);
    opened.length = 0;
    await damaged.close().catch(() => {});
  });

  it('reads on while another process holds the write lock, and writes again when it is gone', async () => {
    const file = newFile();
    const store = openStore(file);
    const step = startStep({ now: T0 });
    await store.start(step);
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.check(checkStep(step, { now: T0, isRight: true }))).rejects.toBeInstanceOf(
      StoreUnavailable,
    );
    expect((await store.find(step.verification.id))?.verification.status).toBe('pending');
    await store.ping();
    other.exec('ROLLBACK');
    other.close();
    expect((await store.check(checkStep(step, { now: T0, isRight: true }))).kind).toBe('approved');
  });

  it('is said at opening when file and folder may only be read', async () => {
    const file = newFile();
    await openStore(file).close();
    chmodSync(folder, 0o755);
    chmodSync(file, 0o444);
    chmodSync(join(file, '..'), 0o555);
    const one = newProcess();
    one.give({ order: 'open', opening: openingOf(file), from: 0, asNobody: true });
    expect(await one.next()).toMatchObject({ report: 'failed', isUnavailable: true });
    expect(one.child.exitCode).toBeNull();
    chmodSync(join(file, '..'), 0o755);
  });

  it('is said at opening when the folder may not be written and there is no file yet', async () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    chmodSync(folder, 0o755);
    chmodSync(closed, 0o555);
    for (const file of [join(closed, 'phone-proof.sqlite'), join(closed, 'data', 'phone-proof.sqlite')]) {
      const one = newProcess();
      one.give({ order: 'open', opening: openingOf(file), from: 0, asNobody: true });
      expect(await one.next()).toMatchObject({
        report: 'failed',
        error: expect.stringMatching(/unable to open database file|EACCES.*closed/),
      });
    }
    chmodSync(closed, 0o755);
  });

  it('refuses what no longer fits on the disk, keeps what was answered, and reads on', async () => {
    const file = newFile();
    const full = newProcess({ fileSizeLimitKiB: 1_024 });
    await openAll([full], openingOf(file));
    full.give({ order: 'fill' });
    const answered: string[] = [];
    for (;;) {
      const report = await full.next();
      if (report.report === 'started') answered.push(report.id);
      else {
        expect(report).toMatchObject({ report: 'failed', isUnavailable: true });
        break;
      }
    }
    expect(answered.length).toBeGreaterThan(10);
    const first = answered[0]!;
    const [answers] = await race<{ verification: { id: string } } | null>(
      [full],
      [
        [
          { call: 'find', with: [first] },
          { call: 'ping', with: [] },
        ],
      ],
    );
    expect(answers?.[0]).toMatchObject({ verification: { id: first } });
    expect(answers?.[1]).toBeNull();

    // A process that has room finds every answered verification, and none that was refused half-way.
    const store = openStore(file);
    for (const id of answered) expect((await store.find(id))?.deliveries).toHaveLength(1);
    expect(rowsIn(file, 'verifications')).toBe(answered.length);
    expect((await store.start(startStep({ now: T0 }))).kind).toBe('started');
  });

  it('leaves nothing of a step that fails half-way, and goes on', async () => {
    const store = openStore(newFile());
    const charge = chargeOf('phone', 'alice', { limit: 2, windowMs: HOUR });
    const step = startStep({ now: T0, charges: [charge] });
    await store.start(step);
    const idempotency = idempotencyOf('k', { now: T0 });
    // An id that is taken is a mistake of the caller's, which no other engine or moment would mend.
    const failure = store.start({ ...step, idempotency });
    await expect(failure).rejects.toThrow(/UNIQUE/);
    await expect(failure).rejects.not.toBeInstanceOf(StoreUnavailable);
    expect(await store.find(step.verification.id)).toEqual({
      verification: step.verification,
      deliveries: [step.delivery],
    });
    const next = await store.start(startStep({ now: T0, charges: [charge], idempotency }));
    expect(next).toMatchObject({ kind: 'started', charges: [{ remaining: 0 }] });
  });

  it('takes no more than its share of rows per sweep', async () => {
    const store = openStore(newFile());
    for (let nth = 0; nth < 300; nth += 1) {
      await store.redeem(redeemStep({ now: T0, jti: `proof ${nth}`, forgetAt: T0 + HOUR }));
    }
    const gone: number[] = [];
    for (let nth = 0; nth < 4; nth += 1) gone.push(await store.sweep(T0 + HOUR));
    expect(gone).toEqual([100, 100, 100, 0]);
  });

  it('skips nothing where it looks for what is over without an index', async () => {
    const store = openStore(newFile());
    for (let nth = 0; nth < 250; nth += 1) {
      const charges = [chargeOf('client', `network ${nth}`, { limit: 1, windowMs: HOUR })];
      await store.start(startStep({ now: T0, phone: `phone ${nth}`, charges }));
    }
    const gone: number[] = [];
    for (let nth = 0; nth < 4; nth += 1) gone.push(await store.sweep(T0 + HOUR));
    expect(gone).toEqual([100, 100, 50, 0]);
  });
});

describe('steps that arrive together', () => {
  it('share a transaction, and one that cannot be written harms none of the others', async () => {
    const store = openStore(newFile());
    const taken = startStep({ now: T0, phone: 'alice' });
    await store.start(taken);
    const good = ['bob', 'carol', 'dave'].map((phone) => startStep({ now: T0, phone }));
    const outcomes = await Promise.allSettled(
      // The second asks for an id that is taken.
      [good[0]!, startStep({ now: T0, verification: taken.verification }), good[1]!, good[2]!].map((step) =>
        store.start(step),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    for (const { verification } of good) expect(await store.find(verification.id)).toBeDefined();
  });
});
