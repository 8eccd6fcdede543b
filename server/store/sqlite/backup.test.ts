import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../../testing/temp-dir.ts';
import type { Store } from '../store.ts';
import { checkStep, DAY, redeemStep, signingKeyOf, startStep, T0 } from '../testing/steps.ts';
import { BackupFailed, backUp } from './backup.ts';
import { openSqliteStore } from './sqlite.ts';

let dir: string;
let database: string;
let to: string;
let store: Store;
beforeEach(() => {
  dir = tempDir();
  database = join(dir, 'phone-proof.sqlite');
  to = join(dir, 'backup.sqlite');
  store = openSqliteStore({ file: database });
});
afterEach(() => store.close());

const nothingLeft = () => {
  for (const file of [to, `${to}.part`]) expect(existsSync(file)).toBe(false);
};

describe('a backup', () => {
  it('is a database by itself, with everything that was answered before', async () => {
    const step = startStep({ now: T0 });
    await store.start(step);
    await store.check(checkStep(step, { now: T0, isRight: true }));
    await store.redeem(redeemStep({ now: T0, jti: 'a' }));
    await store.addSigningKey(signingKeyOf({ kid: '1' }), null);
    await store.addSigningKey(signingKeyOf({ kid: '2' }), '1');
    const found = await store.find(step.verification.id);

    expect(backUp({ database, to }).bytes).toBe(statSync(to).size);
    const after = startStep({ now: T0, phone: 'later' });
    await store.start(after);

    for (const end of ['-wal', '-shm', '.part', '.part-wal']) expect(existsSync(`${to}${end}`)).toBe(false);
    const copy = openSqliteStore({ file: to });
    expect(await copy.find(step.verification.id)).toEqual(found);
    expect(await copy.find(after.verification.id)).toBeUndefined();
    expect((await copy.redeem(redeemStep({ now: T0, jti: 'a' }))).kind).toBe('already-redeemed');
    expect((await copy.signingKeys()).map(({ kid }) => kid)).toEqual(['1', '2']);
    await copy.close();
    await store.ping();
  });

  it('can be read by its owner alone', () => {
    backUp({ database, to });
    if (process.platform !== 'win32') expect(statSync(to).mode & 0o777).toBe(0o600);
  });

  it('is made of a database that nobody has open, too, and leaves that as it was', async () => {
    await store.start(startStep({ now: T0 }));
    await store.close();
    const before = readFileSync(database);
    backUp({ database, to });
    expect(readFileSync(database)).toEqual(before);
    expect(existsSync(`${database}-wal`)).toBe(false);
  });

  it('holds nothing of what was erased', async () => {
    for (let nth = 0; nth < 300; nth += 1) {
      await store.start(startStep({ now: T0, phone: `erased ${nth}`, forgetAt: T0 + DAY }));
    }
    await store.start(startStep({ now: T0, phone: 'kept', forgetAt: T0 + 2 * DAY }));
    while ((await store.sweep(T0 + DAY)) > 0);
    await store.close();
    backUp({ database, to });
    const bytes = readFileSync(to, 'latin1');
    expect(bytes).toContain('sealed kept');
    expect(bytes).not.toContain('sealed erased');
  });
});

describe('no backup is made', () => {
  it('over a file that is there, which stays as it is', () => {
    writeFileSync(to, 'the backup of yesterday');
    expect(() => backUp({ database, to })).toThrow(/overwrites nothing/);
    expect(readFileSync(to, 'utf8')).toBe('the backup of yesterday');
  });

  it('beside another one that is under way, or was cut short', () => {
    writeFileSync(`${to}.part`, 'half of it');
    expect(() => backUp({ database, to })).toThrow(/\.part exists.*remove it/);
    expect(readFileSync(`${to}.part`, 'utf8')).toBe('half of it');
    expect(existsSync(to)).toBe(false);
  });

  it('of a database that is not there', () => {
    expect(() => backUp({ database: join(dir, 'none.sqlite'), to })).toThrow(/no database .*none\.sqlite/);
    expect(existsSync(join(dir, 'none.sqlite'))).toBe(false);
    nothingLeft();
  });

  it('of an empty file', () => {
    const empty = join(dir, 'empty.sqlite');
    writeFileSync(empty, '');
    expect(() => backUp({ database: empty, to })).toThrow(/empty/);
    nothingLeft();
  });

  it('into a folder that is not there', () => {
    const where = join(dir, 'nowhere', 'backup.sqlite');
    expect(() => backUp({ database, to: where })).toThrow(/cannot be written.*nowhere/);
  });

  it('of a database that is damaged, or is none', async () => {
    for (let nth = 0; nth < 300; nth += 1) await store.start(startStep({ now: T0, phone: `phone ${nth}` }));
    await store.close();
    const damaged = join(dir, 'damaged.sqlite');
    const bytes = readFileSync(database);
    bytes.fill(0xa5, 16_384);
    writeFileSync(damaged, bytes);
    writeFileSync(join(dir, 'list.sqlite'), 'this is a shopping list, and a long one at that\n'.repeat(200));
    for (const file of ['damaged.sqlite', 'list.sqlite']) {
      expect(() => backUp({ database: join(dir, file), to })).toThrow(BackupFailed);
      expect(() => backUp({ database: join(dir, file), to })).toThrow(/not made|damaged/);
      nothingLeft();
    }
  });

  it('that the check finds fault with', async () => {
    const step = startStep({ now: T0 });
    await store.start(step);
    await store.check(checkStep(step, { now: T0, isRight: true }));
    await store.close();
    // A column whose value is of another type than it says: what a copy takes along unseen.
    const bytes = readFileSync(database, 'latin1');
    const odd = bytes.replace('approved_at INTEGER', 'approved_at TEXT   ');
    expect(odd).not.toBe(bytes);
    writeFileSync(database, odd, 'latin1');
    expect(() => backUp({ database, to })).toThrow(/damaged.*approved_at/);
    nothingLeft();
  });
});

describe('while somebody reads an old state, as a backup does', () => {
  it('writers go on, and the backup holds what they were answered', async () => {
    let count = 0;
    const write = () => store.start(startStep({ now: T0, phone: `phone ${count++}` }));
    // Longer than a log that is begun anew, for which writers would have to wait for the reader.
    while (statSync(`${database}-wal`).size < 3_000 * 4_096)
      await Promise.all(Array.from({ length: 50 }, write));
    const reader = new DatabaseSync(database);
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM verifications').get();
    // Several checkpoints come in between.
    for (let nth = 0; nth < 500; nth += 1) {
      await write();
      await delay(5);
    }
    reader.exec('COMMIT');
    reader.close();
    backUp({ database, to });
    const copy = new DatabaseSync(to, { readOnly: true });
    expect(copy.prepare('SELECT count(*) AS n FROM verifications').get()).toEqual({ n: count });
    copy.close();
  });
});
