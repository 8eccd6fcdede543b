/** The embedded store in trouble, seen over HTTP; what each step does then stands in `store/sqlite/sqlite.test.ts`. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectProblem } from '../testing/problems.ts';
import { tempDir } from '../testing/temp-dir.ts';
import {
  expectToFailWell,
  expectToRecover,
  expectToStandBy,
  expectWholeJourney,
  insist,
  newPhone,
  prepare,
  reasons,
  serverOn,
} from './harness.ts';

const fileIn = (dataDir: string) => join(dataDir, 'phone-proof.sqlite');

describe('a database', () => {
  it('that another process holds is waited for, refused after a while, and used again', async () => {
    const dataDir = tempDir();
    const server = await serverOn({ dataDir });
    const before = await prepare(server);
    const holder = new DatabaseSync(fileIn(dataDir));
    holder.exec('BEGIN IMMEDIATE');
    await expectToFailWell(server, before, { saying: /database is locked/, isReady: true });
    // However many ask, they wait side by side.
    const crowd = Array.from({ length: 50 }, () =>
      server.start({ phone: newPhone(), purpose: 'registration' }),
    );
    for (const answer of await Promise.all(crowd)) expectProblem(answer, 503, 'unavailable');
    holder.exec('ROLLBACK');
    holder.close();
    await expectToRecover(server, before);
  });

  it('whose file is moved away takes nothing until it is back', async () => {
    const dataDir = tempDir();
    const server = await serverOn({ dataDir });
    const before = await prepare(server);
    renameSync(fileIn(dataDir), `${fileIn(dataDir)}.away`);
    await expectToFailWell(server, before, { saying: /phone-proof\.sqlite was removed or replaced/ });
    renameSync(`${fileIn(dataDir)}.away`, fileIn(dataDir));
    await expectToRecover(server, before);
  });

  it('whose file is replaced takes nothing until the server is started again, and then is the new one', async () => {
    const [dataDir, other] = [tempDir(), tempDir()];
    const copied = await serverOn({ dataDir: other });
    await expectWholeJourney(copied);
    await copied.close();
    const server = await serverOn({ dataDir });
    const before = await prepare(server);
    renameSync(fileIn(other), fileIn(dataDir));
    await expectToFailWell(server, before, { saying: /was removed or replaced.*restart the server/ });
    await server.close();
    for (const end of ['-wal', '-shm']) rmSync(`${fileIn(dataDir)}${end}`, { force: true });
    await expectWholeJourney(await serverOn({ dataDir }));
  });

  it('with a damaged page refuses what is on it, says so, and does the rest', async () => {
    const dataDir = tempDir();
    const sound = await serverOn({ dataDir });
    const phone = newPhone();
    const { body } = await sound.start({ phone, purpose: 'registration' });
    const code = await sound.codeFor(phone);
    const proof = await sound.proofFor(newPhone());
    await sound.close();
    damage(fileIn(dataDir), 'verifications');

    const server = await serverOn({ dataDir });
    expectProblem(await server.check(body, code), 503, 'unavailable');
    expectProblem(await server.start({ phone, purpose: 'registration' }), 503, 'unavailable');
    expect(await server.messagesTo(phone)).toHaveLength(1);
    expect(reasons(server)).toEqual([expect.stringMatching(/database disk image is malformed/)]);
    expect((await server.backend('POST', '/v1/proofs/redeem', { proof })).status).toBe(200);
    await expectToStandBy(server);
  });
});

/** Writes over the first page of a table. */
function damage(file: string, table: string): void {
  const db = new DatabaseSync(file);
  const size = Number(db.prepare('PRAGMA page_size').get()?.page_size);
  const { rootpage } = db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table) ?? {};
  db.close();
  const bytes = openSync(file, 'r+');
  writeSync(bytes, Buffer.alloc(size, 0xa5), 0, size, (Number(rootpage) - 1) * size);
  closeSync(bytes);
}

describe('a disk', () => {
  /** A small one, which takes root to make; undefined where that is not allowed. */
  function smallDisk(): string | undefined {
    const dir = tempDir();
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', dir]);
    if (status !== 0) return undefined;
    onTestFinished(() => void spawnSync('umount', ['-l', dir]));
    return dir;
  }

  it('that is full sends nothing that it could not write down, and goes on when there is room', async ({
    skip,
  }) => {
    const dataDir = smallDisk();
    if (dataDir === undefined) {
      console.error('\n  Left out: the full disk, for which mount must be allowed (run as root).\n');
      return skip();
    }
    // The inbox has its room: what is counted there is what the store let through.
    const inbox = join(tempDir(), 'simulator.sqlite');
    writeFileSync(inbox, '');
    symlinkSync(inbox, join(dataDir, 'simulator.sqlite'));
    const server = await serverOn({ dataDir });
    const filler = join(dataDir, 'filler');
    const people: { phone: string; key: Record<string, string> }[] = [];
    const start = ({ phone, key }: (typeof people)[number]) =>
      server.start({ phone, purpose: 'registration' }, key);
    fill(filler);

    let refused = 0;
    while (refused < 3) {
      const person = { phone: newPhone(), key: { 'Idempotency-Key': `k-${people.length}` } };
      people.push(person);
      const answer = await start(person);
      const messages = await server.messagesTo(person.phone);
      if (answer.status === 201) expect(messages).toHaveLength(1);
      else {
        expectProblem(answer, 503, 'unavailable');
        expect(messages).toHaveLength(0);
        refused += 1;
      }
    }
    expect(reasons(server)).toEqual([expect.stringMatching(/database or disk is full/)]);
    await expectToStandBy(server);

    rmSync(filler);
    for (const person of people) {
      expect((await insist(() => start(person))).status).toBe(201);
      expect(await server.messagesTo(person.phone)).toHaveLength(1);
    }
    await expectWholeJourney(server);
  });
});

/** Takes what room there is. */
function fill(file: string): void {
  for (let size = 1 << 20; size >= 1; size >>= 1) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // Less fits.
    }
  }
}
