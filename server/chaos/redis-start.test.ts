/** What an operator reads when the server cannot start on the Redis that it was given, and what then helps. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { launchRedis, type RedisServer, redisCli, startRedis } from '../store/testing/redis-server.ts';
import { writeCertificate } from '../store/testing/test-only-certificate.ts';
import { phoneProof, serve, writeConfig } from '../testing/command-line.ts';
import { ORIGIN } from '../testing/server.ts';
import { tempDir } from '../testing/temp-dir.ts';

/** Tries to serve; returns what it says. */
async function refusal(url: string, env: Record<string, string> = {}): Promise<string> {
  const cwd = tempDir();
  writeConfig(cwd);
  const { code, stdout, stderr } = await phoneProof(['serve'], { cwd, env: { REDIS_URL: url, ...env } });
  expect([code, stdout]).toEqual([1, '']);
  return stderr.trim();
}

async function served(url: string, env: Record<string, string> = {}): Promise<void> {
  const cwd = tempDir();
  writeConfig(cwd);
  const server = await serve({ cwd, env: { REDIS_URL: url, ...env } });
  const started = await fetch(`${server.url}/v1/verifications`, {
    method: 'POST',
    headers: { Origin: ORIGIN, 'Content-Type': 'application/json' },
    body: JSON.stringify({ siteKey: 'pk_test', phone: '+31612345678', purpose: 'registration' }),
  });
  expect(started.status).toBe(201);
}

describe('a Redis with users', () => {
  let redis: RedisServer;
  const at = (who: string, path = '') => `redis://${who}127.0.0.1:${redis.port}${path}`;
  beforeAll(async () => {
    redis = await startRedis({ args: ['--requirepass', 'right-one'], until: 'listening' });
    const asAdmin = (...words: string[]) => redisCli(redis, '-a', 'right-one', ...words);
    await asAdmin('acl', 'setuser', 'reader', 'on', '>its-own', '~*', '+@read', '+@connection', '+info');
    await asAdmin('acl', 'setuser', 'writer', 'on', '>its%20own', '~pp:*', '+@all', '-@dangerous', '+info');
  });
  afterAll(() => redis.stop());

  it('wants a password', async () => {
    expect(await refusal(at(''))).toMatch(/^Redis cannot be used: NOAUTH .*redis:\/\/user:password@host\)$/);
  });
  it('wants the right password, and nobody prints a wrong one', async () => {
    const said = await refusal(at(':wrong-one@'));
    expect(said).toMatch(/^Redis cannot be used: WRONGPASS .*redis:\/\/user:password@host\)$/);
    expect(said).not.toContain('wrong-one');
  });
  it('wants a user who may write', async () => {
    expect(await refusal(at('reader:its-own@'))).toMatch(/NOPERM/);
  });
  it('has so many databases', async () => {
    expect(await refusal(at(':right-one@', '/99'))).toMatch(/DB index is out of range .*\)$/);
  });
  it('serves who has the password', () => served(at(':right-one@')));
  it('serves a user who has no more than it takes', () => served(at('writer:its%2520own@')));
});

describe('a Redis that speaks TLS', () => {
  let redis: RedisServer;
  let tlsPort: number;
  let certificate: ReturnType<typeof writeCertificate>;
  let trusting: { NODE_EXTRA_CA_CERTS: string };
  const dir = mkdtempSync(join(tmpdir(), 'phone-proof-tls-'));
  beforeAll(async () => {
    tlsPort = await freePort();
    certificate = writeCertificate(dir);
    trusting = { NODE_EXTRA_CA_CERTS: certificate.file };
    redis = await startRedis({ args: ['--tls-port', String(tlsPort), ...certificate.args] });
  });
  afterAll(async () => {
    await redis.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('is trusted with the CA that NODE_EXTRA_CA_CERTS names', () =>
    served(`rediss://localhost:${tlsPort}`, trusting));
  it('is not trusted without', async () => {
    expect(await refusal(`rediss://localhost:${tlsPort}`)).toMatch(
      /^Redis cannot be used: self-signed certificate.*NODE_EXTRA_CA_CERTS/,
    );
  });
  it('is not trusted under a name that its certificate does not have', async () => {
    expect(await refusal(`rediss://127.0.0.1:${tlsPort}`, trusting)).toMatch(
      /certificate's altnames.*must name the host/,
    );
  });
  it('is found through a sentinel that speaks TLS, too', async () => {
    const [port, sentinelPort] = [await freePort(), await freePort()];
    const file = join(dir, 'sentinel.conf');
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `tls-port ${sentinelPort}`,
      'tls-replication yes',
      'sentinel resolve-hostnames yes',
      'sentinel announce-hostnames yes',
      `sentinel monitor test-primary localhost ${tlsPort} 1`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const sentinel = await launchRedis(port, [file, '--sentinel', ...certificate.args]);
    onTestFinished(() => sentinel.stop());
    await served(`rediss-sentinel://localhost:${sentinelPort}/test-primary`, trusting);
  });
  it('is no plain one, and a plain one is none that speaks TLS', async () => {
    const hint = /^Redis cannot be used: .*rediss:\/\/ speaks TLS, redis:\/\/ does not/;
    const both = [`redis://localhost:${tlsPort}`, `rediss://localhost:${redis.port}`];
    for (const said of await Promise.all(both.map((url) => refusal(url)))) expect(said).toMatch(hint);
  });
});
