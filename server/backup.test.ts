/** A backup made by the command while servers answer, and what a server finds that is started on it. */
import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { phoneProof, type Served, serve, writeConfig } from './testing/command-line.ts';
import { until } from './testing/poll.ts';
import { NO_LIMITS, ORIGIN, testSite } from './testing/server.ts';
import { tempDir } from './testing/temp-dir.ts';

type Answer = { status: number; body: Record<string, string> };

async function post(server: Served, path: string, body: object, secret = ''): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { Origin: ORIGIN, Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}
const start = (server: Served, phone: string) =>
  post(server, '/v1/verifications', { siteKey: 'pk_test', phone, purpose: 'registration' });
const redeem = (server: Served, proof: string) => post(server, '/v1/proofs/redeem', { proof }, 'sk_test');

/** What was answered about a verification so far. */
type Known = {
  id: string;
  secret: string;
  code: string;
  attempts: string;
  proof?: string;
  isRedeemed?: boolean;
};

const check = (server: Served, { id, secret }: Known, code: string) =>
  post(server, `/v1/verifications/${id}/check`, { code }, secret);

/** Every fourth verification goes as far as a redeemed proof, the others less far. */
async function go(server: Served, nth: number, known: Known[]): Promise<void> {
  const phone = `+316${10_000_000 + nth}`;
  const { status, body } = await start(server, phone);
  expect(status).toBe(201);
  const inbox = await fetch(`${server.url}/simulator/messages?to=${encodeURIComponent(phone)}`);
  const [message] = (await inbox.json()) as [{ code: string }];
  const { id = '', clientSecret: secret = '', attemptsRemaining: attempts = '' } = body;
  const one: Known = { id, secret, code: message.code, attempts };
  known.push(one);
  if (nth % 4 === 0) return;
  const wrong = await check(server, one, one.code === '000000' ? '111111' : '000000');
  one.attempts = wrong.body.attemptsRemaining ?? '';
  if (nth % 4 === 1) return;
  one.proof = (await check(server, one, one.code)).body.proof ?? '';
  if (nth % 4 === 2) return;
  expect((await redeem(server, one.proof)).status).toBe(200);
  one.isRedeemed = true;
}

describe('a backup under load', () => {
  it('holds whatever was answered before it began, and a server goes on from there', async () => {
    const dir = tempDir();
    const limits = { ...NO_LIMITS, phone: [{ limit: 1, window: '24h' }] };
    const sites = [testSite({ limits })] satisfies [unknown];
    writeConfig(dir, { logLevel: 'info', sites });
    const servers = [await serve({ cwd: dir }), await serve({ cwd: dir })];
    const known: Known[] = [];
    let nth = 0;
    let isOver = false;
    const load = Promise.all(
      Array.from({ length: 10 }, async (_, worker) => {
        while (!isOver) await go(servers[worker % 2]!, nth++, known);
      }),
    );
    // Told below, where it is waited for.
    load.catch(() => {});
    const limited = '+31687654321';
    expect((await start(servers[0]!, limited)).status).toBe(201);
    await until(() => known.length > 150 && known.some(({ isRedeemed }) => isRedeemed));

    const before = structuredClone(known);
    const file = join(dir, 'backup.sqlite');
    const made = await phoneProof(['backup', file], { cwd: dir });
    expect([made.code, made.stderr.replace(/\(node:.*|\(Use .*/g, '').trim()]).toEqual([0, '']);
    expect(made.stdout).toMatch(/backup\.sqlite is written and checked[\s\S]*PHONE_PROOF_SECRET/);
    const made2 = await phoneProof(['backup', file], { cwd: dir });
    expect([made2.code, made2.stderr]).toEqual([1, expect.stringContaining('overwrites nothing')]);

    const reached = known.length;
    await until(() => known.length > reached + 50, 'more answers while and after it was made');
    isOver = true;
    await load;
    for (const { child, ended } of servers) {
      child.kill('SIGKILL');
      await ended;
    }

    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    const db = new DatabaseSync(file, { readOnly: true });
    expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    db.close();

    const restored = join(dir, 'restored');
    mkdirSync(join(restored, 'data'), { recursive: true });
    copyFileSync(file, join(restored, 'data', 'phone-proof.sqlite'));
    writeConfig(restored, { logLevel: 'info', sites });
    const server = await serve({ cwd: restored });
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    expect((await start(server, limited)).status).toBe(429);

    const seen = { pending: 0, approved: 0, redeemed: 0 };
    for (const one of before) {
      const view = await fetch(`${server.url}/v1/verifications/${one.id}`, {
        headers: { Origin: ORIGIN, Authorization: `Bearer ${one.secret}` },
      });
      const { status, attemptsRemaining } = (await view.json()) as {
        status: string;
        attemptsRemaining: number;
      };
      expect([one.id, view.status]).toEqual([one.id, 200]);
      // It may have gone further by the moment of the backup, and never back.
      expect(attemptsRemaining).toBeLessThanOrEqual(Number(one.attempts));
      if (one.proof !== undefined) expect(status).toBe('approved');
      const checked = await check(server, one, one.code);
      expect(checked.status).toBe(status === 'approved' ? 409 : 200);
      if (status === 'pending') seen.pending += 1;
      if (one.proof === undefined) continue;
      seen.approved += 1;
      const redeemed = await redeem(server, one.proof);
      if (one.isRedeemed) {
        seen.redeemed += 1;
        expect([redeemed.status, redeemed.body.code]).toEqual([409, 'proof-redeemed']);
      }
      expect((await redeem(server, one.proof)).status).toBe(409);
    }
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
    await go(server, nth + 3, known);
  }, 120_000);
});

describe('where there is nothing to copy, the command says what to do:', () => {
  const refusal = async (args: string[], overrides = {}, env = {}) => {
    const dir = tempDir();
    writeConfig(dir, overrides);
    const { code, stderr } = await phoneProof(['backup', ...args], { cwd: dir, env });
    expect(code).toBe(1);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(existsSync(join(dir, 'b.sqlite'))).toBe(false);
    return stderr;
  };

  it.each([
    ['with Redis', ['b.sqlite'], {}, { REDIS_URL: 'redis://127.0.0.1:1' }, /Redis.*BGSAVE.*appendonly/],
    ['in memory', ['b.sqlite'], { dataDir: ':memory:' }, {}, /:memory:/],
    ['before the first start', ['b.sqlite'], {}, {}, /no database .*phone-proof\.sqlite/],
    ['without a name for it', [], {}, {}, /name the file/],
  ])('%s', async (_, args, overrides, env, told) => {
    expect(await refusal(args, overrides, env)).toMatch(told);
  });
});
