/** `serve --workers`: several processes that an operator deals with as one. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../scripts/free-port.ts';
import { createCalls } from './testing/calls.ts';
import { ENV_SECRET, linesOf, phoneProof, type Served, serve, writeConfig } from './testing/command-line.ts';
import { until } from './testing/poll.ts';
import { NO_LIMITS, ORIGIN, testSite } from './testing/server.ts';
import { oneRedis, sharedStores } from './testing/stores.ts';
import { tempDir } from './testing/temp-dir.ts';

const PHONE = '+31612345678';
const WORKERS = 3;
const MANY = ['--workers', String(WORKERS)];

const calls = createCalls({ siteKey: 'pk_test', secretKey: 'sk_test', origin: ORIGIN, secret: ENV_SECRET });

async function open(config: Parameters<typeof writeConfig>[1] = {}): Promise<Served> {
  const dir = tempDir();
  writeConfig(dir, config);
  return serve({ cwd: dir }, MANY);
}

const eventsOf = (server: Served, event: string) => linesOf(server).filter((line) => line.event === event);
/** Of all workers that ever listened, in the order in which they said so. */
const pidsOf = (server: Served) => eventsOf(server, 'worker.started').map(({ pid }) => Number(pid));

/** One kept-alive connection: asks over it, and says whether an answer came. */
type Line = () => Promise<boolean>;

function dial(port: number): Line {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {}); // Whose worker was killed is reset.
  const closed = once(socket, 'close').then(() => false);
  return () => {
    socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    return Promise.race([once(socket, 'data').then(() => true), closed]);
  };
}

/** Those that still answer. */
async function living(lines: Line[]): Promise<Line[]> {
  const answers = await Promise.all(lines.map((line) => line()));
  return lines.filter((_, nth) => answers[nth]);
}

/** Over a connection of its own, so that any worker may take it. */
const isAnswered = async ({ url }: { url: string }) =>
  (await fetch(`${url}/livez`, { headers: { Connection: 'close' } })).status === 200;

async function isRefused(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

describe('workers', () => {
  it('all serve the one port that was said once, also where the port was theirs to choose', async () => {
    const server = await open({ port: 0 });
    expect(eventsOf(server, 'server.started')).toMatchObject([{ port: server.port, workers: WORKERS }]);
    const pids = pidsOf(server);
    expect(new Set(pids).size).toBe(WORKERS);
    let lines = await living(Array.from({ length: 150 }, () => dial(server.port)));
    expect(lines).toHaveLength(150);
    for (const pid of pids) {
      process.kill(pid, 'SIGKILL');
      await until(() => eventsOf(server, 'worker.died').some((line) => line.pid === pid), 'word of its end');
      const left = await living(lines);
      // A fair share is 50. Dealt out by chance, one in a hundred million is as small as this.
      expect(lines.length - left.length).toBeGreaterThan(17);
      lines = left;
    }
    expect(lines).toEqual([]);
  });

  it('are as many as the machine has cores with "auto", and one process is no worker', async () => {
    const dir = tempDir();
    writeConfig(dir);
    const auto = await serve({ cwd: dir, env: { WORKERS: 'auto' } });
    expect(await isAnswered(auto)).toBe(true);
    const single = await serve({ cwd: dir, env: { WORKERS: '4' } }, ['--workers', '1']);
    expect(pidsOf(single)).toEqual([]);
    expect(await isAnswered(single)).toBe(true);
  });

  it('know a client by its address, and share its limits', async () => {
    const limits = { ...NO_LIMITS, client: [{ limit: 2, window: '24h' }] };
    const server = await open({ trustedProxies: ['loopback'], sites: [testSite({ limits })] });
    const startFrom = async (client: string, n: number) => {
      const response = await fetch(`${server.url}/v1/verifications`, {
        method: 'POST',
        headers: {
          Origin: ORIGIN,
          'Content-Type': 'application/json',
          'X-Forwarded-For': client,
          Connection: 'close',
        },
        body: JSON.stringify({
          siteKey: 'pk_test',
          phone: `+316${10_000_000 + n}`,
          purpose: 'registration',
        }),
      });
      await response.arrayBuffer();
      return response.status;
    };
    const clients = ['203.0.113.7', '203.0.113.8', '2001:db8::1'];
    for (const [nth, client] of clients.entries()) {
      const statuses = await Promise.all(Array.from({ length: 8 }, (_, n) => startFrom(client, nth * 8 + n)));
      expect(statuses.toSorted()).toEqual([201, 201, 429, 429, 429, 429, 429, 429]);
    }
  });

  it('write whole lines, however many speak at once, also to a reader that falls behind', async () => {
    const server = await open();
    const { stdout } = server.child;
    stdout?.pause();
    let answered = 0;
    const underWay = Promise.all(
      Array.from({ length: 1_500 }, async (_, n) => {
        const { status, body } = await calls.start(server.url, { phone: `+316${10_000_000 + n}` });
        answered += 1;
        return status === 201 ? body.id : status;
      }),
    );
    // Until nobody can write any further: that is where lines would be torn.
    let before = -1;
    await until(async () => {
      const isStuck = answered === before;
      before = answered;
      await delay(300);
      return isStuck;
    });
    stdout?.resume();
    const ids = await underWay;
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    // A torn line is no JSON.
    const started = eventsOf(server, 'verification.started').map(({ verification }) => verification);
    expect(started.toSorted()).toEqual(ids.toSorted());
  });
});

describe('a worker that dies', () => {
  it('is replaced, its end is told, and whoever comes meanwhile is answered by the others', async () => {
    const server = await open();
    const [victim] = pidsOf(server);
    process.kill(victim!, 'SIGKILL');
    await until(() => eventsOf(server, 'worker.died').length === 1, 'word of its end');
    while (pidsOf(server).length === WORKERS) expect(await isAnswered(server)).toBe(true);
    expect(eventsOf(server, 'worker.died')).toMatchObject([{ level: 'error', pid: victim, why: 'SIGKILL' }]);
    expect(new Set(pidsOf(server)).size).toBe(WORKERS + 1);
  });

  it('in all but name, because it does nothing any more, is ended and replaced', async () => {
    const server = await open();
    const [victim] = pidsOf(server);
    process.kill(victim!, 'SIGSTOP');
    await until(() => pidsOf(server).length === WORKERS + 1, 'a new worker');
    const why = expect.stringContaining('did nothing');
    expect(eventsOf(server, 'worker.died')).toMatchObject([{ pid: victim, why }]);
  });

  it('again and again is replaced after longer and longer waits', async () => {
    const server = await open();
    for (let death = 1; death <= 4; death += 1) {
      await until(() => pidsOf(server).length === WORKERS + death - 1, 'the next worker');
      process.kill(pidsOf(server).at(-1)!, 'SIGKILL');
      await until(() => eventsOf(server, 'worker.died').length === death, 'word of its end');
    }
    const waits = eventsOf(server, 'worker.died').map(({ replacedInMs }) => Number(replacedInMs));
    // The first victim may be in any place; from then on it is the one that was replaced last.
    expect(waits).toEqual([100, 200, 400, 800]);
  });

  it('together with all the others leaves a server that comes back on its port', async () => {
    const server = await open({ port: 0 });
    for (const pid of pidsOf(server)) process.kill(pid, 'SIGKILL');
    await until(() => pidsOf(server).length === 2 * WORKERS, 'as many new workers');
    expect(await isAnswered(server)).toBe(true);
  });

  it('is replaced by one with the same configuration, whatever has become of the file', async () => {
    const dir = tempDir();
    writeConfig(dir);
    const server = await serve({ cwd: dir }, MANY);
    writeFileSync(join(dir, 'phone-proof.config.json'), '{"half": ');
    process.kill(pidsOf(server)[0]!, 'SIGKILL');
    await until(() => pidsOf(server).length === WORKERS + 1, 'a new worker');
    expect(await isAnswered(server)).toBe(true);
  });

  it('because somebody told it to finishes its requests first, and is replaced as well', async () => {
    const server = await open();
    process.kill(pidsOf(server)[0]!, 'SIGTERM');
    await until(() => pidsOf(server).length === WORKERS + 1, 'a new worker');
    expect(eventsOf(server, 'worker.died')).toMatchObject([{ why: 'it was told to stop' }]);
    expect(eventsOf(server, 'server.draining')).toEqual([]);
  });

  it('and cannot come back is tried again, while the others serve', async () => {
    const dir = tempDir();
    writeConfig(dir, { logLevel: 'info' });
    const server = await serve({ cwd: dir }, MANY);
    const started = await calls.start(server.url, { phone: PHONE });
    const file = join(dir, 'data', 'phone-proof.sqlite');
    const setVersion = (version: number) => {
      const db = new DatabaseSync(file, { timeout: 5_000 });
      const before = Number(db.prepare('PRAGMA user_version').get()?.user_version);
      db.exec(`PRAGMA user_version = ${version}`);
      db.close();
      return before;
    };
    const version = setVersion(999);
    process.kill(pidsOf(server)[0]!, 'SIGKILL');
    await until(() => eventsOf(server, 'worker.died').length >= 2, 'a second failure');
    expect(eventsOf(server, 'worker.died')[1]?.why).toContain('newer');
    expect((await calls.read(server.url, calls.holderOf(started))).status).toBe(200);
    setVersion(version);
    await until(() => pidsOf(server).length === WORKERS + 1, 'a new worker');
  });
});

describe('workers that cannot start say so once, and in the words of a single process', () => {
  async function expectSameWords(dir: string, env: Record<string, string> = {}): Promise<void> {
    const [single, many] = await Promise.all([
      phoneProof(['serve'], { cwd: dir, env }),
      phoneProof(['serve', ...MANY], { cwd: dir, env }),
    ]);
    expect(single).toMatchObject({ code: 1, stderr: expect.stringMatching(/^\S.*\n$/) });
    expect(many).toMatchObject({ code: 1, stderr: single.stderr });
    expect(many.stdout).not.toContain('server.started');
  }

  describe.each(sharedStores)('on $name', ({ isHere, open: openStore }) => {
    it.skipIf(!isHere)('where the port is taken', async () => {
      const dir = tempDir();
      const port = await freePort();
      const env = await openStore();
      writeConfig(dir, { port });
      await serve({ cwd: dir, env });
      await expectSameWords(dir, env);
    });
  });

  it.skipIf(!oneRedis.isHere)('where Redis has no such database', async () => {
    const dir = tempDir();
    const { REDIS_URL } = await oneRedis.open();
    writeConfig(dir);
    await expectSameWords(dir, { REDIS_URL: `${REDIS_URL}/99` });
  });

  it('where the data folder is none', async () => {
    const dir = tempDir();
    writeFileSync(join(dir, 'file'), '');
    writeConfig(dir, { dataDir: join(dir, 'file') });
    await expectSameWords(dir);
  });

  it('where the database is of a newer release', async () => {
    const dir = tempDir();
    const db = new DatabaseSync(join(dir, 'phone-proof.sqlite'));
    db.exec('PRAGMA user_version = 999');
    db.close();
    writeConfig(dir, { dataDir: dir });
    await expectSameWords(dir);
  });
});

describe('--workers', () => {
  it.each(['0', '65', '1.5', 'many', '-1', ''])('refuses %j, and says what it takes', async (count) => {
    const dir = tempDir();
    writeConfig(dir);
    const { code, stderr } = await phoneProof(['serve', `--workers=${count}`], { cwd: dir });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/workers: .*from 1 to 64, or "auto"/)]);
  });

  it('refuses a data folder in memory, which no two processes share', async () => {
    const dir = tempDir();
    writeConfig(dir, { dataDir: ':memory:' });
    const { code, stderr } = await phoneProof(['serve', ...MANY], { cwd: dir });
    expect([code, stderr]).toEqual([1, expect.stringContaining('dataDir')]);
  });
});

describe('the process that started the workers', () => {
  it('takes them along when it is killed, and frees the port', async () => {
    const port = await freePort();
    const dir = tempDir();
    writeConfig(dir, { port });
    const server = await serve({ cwd: dir }, MANY);
    server.child.kill('SIGKILL');
    // It has ended for us once nobody holds its standard error any more: every worker does until its own end.
    await server.ended;
    expect(await isRefused(port)).toBe(true);
    expect(await isAnswered(await serve({ cwd: dir }, MANY))).toBe(true);
  });
});
