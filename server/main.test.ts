import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { freePort } from '../scripts/free-port.ts';
import { ENV_SECRET, phoneProof, serve, writeConfig } from './testing/command-line.ts';
import { NO_LIMITS, ORIGIN, testSite } from './testing/server.ts';
import { tempDir } from './testing/temp-dir.ts';

const PHONE = '+31612345678';

/** A mistake is told in words, and never as a stack. */
async function refusal(args: string[], cwd: string, env: Record<string, string | undefined> = {}) {
  const { code, stdout, stderr } = await phoneProof(args, { cwd, env });
  expect(code).toBe(1);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(stdout).not.toContain('server.started');
  return stderr;
}

describe('phone-proof', () => {
  it('says what it can do', async () => {
    const dir = tempDir();
    for (const args of [[], ['--help'], ['-h']]) {
      const { code, stdout } = await phoneProof(args, { cwd: dir });
      expect(code).toBe(0);
      for (const command of ['serve', 'keys list', 'keys rotate', 'unlock', 'backup', 'config check']) {
        expect(stdout).toContain(command);
      }
    }
  });

  it.each([
    [['dance'], 'dance'],
    [['keys'], 'rotate'],
    [['keys', 'drop'], 'rotate'],
    [['config'], 'check'],
    [['--nonsense'], 'nonsense'],
    [['unlock'], 'number'],
    [['unlock', 'nobody', PHONE], 'nobody'],
    [['unlock', 'shop', '12'], 'phone number'],
  ])('explains %j in one line', async (args, word) => {
    const dir = tempDir();
    writeConfig(dir);
    expect(await refusal(args, dir)).toContain(word);
  });
});

describe('config check', () => {
  it('finds a config in JSON, TypeScript or JavaScript, or where --config says', async () => {
    for (const [name, text] of [
      ['phone-proof.config.json', (json: string) => json],
      ['phone-proof.config.ts', (json: string) => `const config: object = ${json};\nexport default config;`],
      ['phone-proof.config.js', (json: string) => `export default ${json};`],
    ] as const) {
      const dir = tempDir();
      const config = {
        publicUrl: 'http://localhost:8787',
        delivery: { provider: 'simulator' },
        sites: [testSite()],
      };
      writeFileSync(join(dir, name), text(JSON.stringify(config)));
      const found = await phoneProof(['config', 'check'], { cwd: dir });
      expect([name, found.code, found.stdout]).toEqual([name, 0, expect.stringContaining('in order')]);
      const named = await phoneProof(['config', 'check', '--config', join(dir, name)], { cwd: '/' });
      expect(named.code).toBe(0);
    }
  });

  it.each([
    ['an unknown member', { colour: 'red' }, 'colour'],
    ['a URL that is none', { publicUrl: 'verify' }, 'publicUrl'],
    ['no site', { sites: [] }, 'sites'],
    [
      'an origin with a path',
      { sites: [testSite({ allowedOrigins: ['https://a.example/x'] })] },
      'sites[0].allowedOrigins',
    ],
    [
      'a code of three digits',
      { sites: [testSite({ purposes: { login: { code: { length: 3 } } } })] },
      'sites[0].purposes.login.code.length',
    ],
    [
      'a code that lives an hour',
      { sites: [testSite({ purposes: { login: { codeTtl: '1h' } } })] },
      'sites[0].purposes.login.codeTtl',
    ],
    [
      'two sites with one key',
      { sites: [testSite(), testSite({ id: 'b', secretKey: 'sk_b' })] },
      'sites[1].publishableKey',
    ],
    ['a duration in words', { retention: 'a day' }, 'retention'],
    ['an algorithm we have not', { proof: { algorithm: 'HS256' } }, 'proof.algorithm'],
    ['a proxy that is none', { trustedProxies: ['proxy'] }, 'trustedProxies'],
    ['a range without its length', { trustedProxies: ['10.0.0.0/'] }, 'trustedProxies'],
    ['a country that is none', { sites: [testSite({ countries: ['XX'] as never })] }, 'sites[0].countries'],
  ])('names %s by its path', async (_, overrides, path) => {
    const dir = tempDir();
    writeConfig(dir, overrides as Record<string, unknown>);
    expect(await refusal(['config', 'check'], dir)).toContain(path);
  });

  it('says what is missing and where to put it', async () => {
    const dir = tempDir();
    const { secretKey: _, ...site } = testSite();
    writeConfig(dir, { sites: [site] as never, delivery: { provider: 'messagebird' } as never });
    const told = await refusal(['config', 'check'], dir, { PHONE_PROOF_SECRET: undefined });
    expect(told).toContain('PHONE_PROOF_SECRET');
    expect(told).toContain('PHONE_PROOF_SECRET_KEY_');
    expect(told).toContain('MESSAGEBIRD_ACCESS_KEY');
    expect(await refusal(['config', 'check'], dir, { PHONE_PROOF_SECRET: 'short' })).toContain('32');

    const { code } = await phoneProof(['config', 'check'], {
      cwd: dir,
      env: { PHONE_PROOF_SECRET_KEY_SHOP: 'sk_x', MESSAGEBIRD_ACCESS_KEY: 'key' },
    });
    expect(code).toBe(0);
  });

  it('explains a file that is not there, cannot be parsed, or exports nothing', async () => {
    const dir = tempDir();
    expect(await refusal(['config', 'check'], dir)).toContain('phone-proof.config.ts');
    expect(await refusal(['config', 'check', '--config', 'nowhere.json'], dir)).toContain('nowhere.json');
    writeFileSync(join(dir, 'phone-proof.config.json'), '{"sites": [');
    expect(await refusal(['config', 'check'], dir)).toContain('phone-proof.config.json');
    writeFileSync(join(dir, 'phone-proof.config.ts'), 'export const config = {};');
    expect(await refusal(['config', 'check'], dir)).toContain('default export');
    writeFileSync(join(dir, 'phone-proof.config.ts'), 'export default 42;');
    expect(await refusal(['config', 'check'], dir)).toMatch(/\S/);
  });

  it('never repeats a secret', async () => {
    const dir = tempDir();
    writeConfig(dir, { colour: 'red', sites: [testSite({ secretKey: 'not_a_key_but_secret' })] });
    const told = await refusal(['config', 'check'], dir, { PHONE_PROOF_SECRET: 'tiny-but-secret' });
    expect(told).not.toMatch(/not_a_key_but_secret|tiny-but-secret/);
  });
});

describe('in production', () => {
  const production = { NODE_ENV: 'production' };
  const real = { provider: 'messagebird', accessKey: 'key' } as const;

  it.each([
    ['without a secret', {}, { PHONE_PROOF_SECRET: undefined }, 'PHONE_PROOF_SECRET'],
    [
      'with any origin',
      { sites: [testSite({ allowedOrigins: ['*'], audience: 'x' })] },
      {},
      'sites[0].allowedOrigins',
    ],
    ['with the simulator', { delivery: { provider: 'simulator' } }, {}, 'simulator'],
    [
      'with a secret key that can be guessed',
      { sites: [testSite({ secretKey: 'sk_shop' })] },
      {},
      'sites[0].secretKey',
    ],
    ['without TLS', { publicUrl: 'http://verify.shop.example' }, {}, 'publicUrl'],
  ] as const)('refuses to start %s, and says why', async (_, overrides, env, word) => {
    const dir = tempDir();
    writeConfig(dir, { publicUrl: 'https://verify.shop.example', delivery: real, ...overrides } as never);
    expect(await refusal(['serve'], dir, { ...production, ...env })).toContain(word);
  });

  it('starts with what it needs', async () => {
    const dir = tempDir();
    const secretKey = 'sk_tJ2mXw8Qz4Rb7Lk9Vn3Hc6Fd1Gp5Sy0A';
    const sites = [testSite({ secretKey })] satisfies [unknown];
    writeConfig(dir, { publicUrl: 'https://verify.shop.example', delivery: real, sites });
    const server = await serve({ cwd: dir, env: production });
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });
});

describe('keys', () => {
  it('lists, rotates with overlap, and rotates at once', async () => {
    const dir = tempDir();
    writeConfig(dir);
    const keys = (...words: string[]) => phoneProof(['keys', ...words], { cwd: dir });
    const lines = async () => (await keys('list')).stdout.trim().split('\n').slice(0, -1);

    expect(await lines()).toEqual([expect.stringMatching(/^[\w-]{43} +ES256 +signing +signs from \S+Z$/)]);
    const rotated = await keys('rotate');
    expect([rotated.code, rotated.stdout]).toEqual([0, expect.stringMatching(/signs from/)]);
    expect(await lines()).toEqual([expect.stringContaining('signing'), expect.stringContaining('next')]);
    await keys('rotate', '--now');
    expect((await lines()).at(-1)).toContain('signing');
    expect(JSON.stringify(await keys('list'))).not.toMatch(/"d"|PRIVATE/);
  });

  it('tells when the next one comes by itself', async () => {
    const dir = tempDir();
    writeConfig(dir);
    const list = async () => (await phoneProof(['keys', 'list'], { cwd: dir })).stdout;
    const [, signsFrom = ''] = /signs from (\S+)/.exec(await list()) ?? [];
    const due = new Date(Date.parse(signsFrom) + 89 * 86_400_000).toISOString();
    expect(await list()).toContain(`adds the next key from ${due} on`);
    writeConfig(dir, { proof: { keyRotation: false } });
    expect(await list()).toContain('"keys rotate" alone');
  });

  it('says that a key was waiting already instead of pretending to add another', async () => {
    const dir = tempDir();
    writeConfig(dir);
    const first = await phoneProof(['keys', 'rotate'], { cwd: dir });
    const second = await phoneProof(['keys', 'rotate'], { cwd: dir });
    expect(second.stdout).toBe(first.stdout);
  });

  it('rotated beside a running server are published by it, and old proofs stay good', async () => {
    const dir = tempDir();
    writeConfig(dir);
    const server = await serve({ cwd: dir });
    const { code } = await phoneProof(['keys', 'rotate'], { cwd: dir });
    expect(code).toBe(0);
    const { code: listed, stdout } = await phoneProof(['keys', 'list'], { cwd: dir });
    expect([listed, stdout.match(/signs from/g)?.length]).toEqual([0, 2]);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });
});

describe('unlock', () => {
  it('frees a number that was locked by wrong guesses, while the server runs', async () => {
    const dir = tempDir();
    const limits = { ...NO_LIMITS, failedGuesses: { perNetwork: { limit: 1, window: '24h' } } };
    writeConfig(dir, { sites: [testSite({ limits })] });
    const server = await serve({ cwd: dir });
    const post = async (path: string, body: object, secret = '') => {
      const response = await fetch(`${server.url}${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'application/json', Origin: ORIGIN, Authorization: `Bearer ${secret}` },
      });
      return { status: response.status, body: (await response.json()) as Record<string, string> };
    };
    const start = () =>
      post('/v1/verifications', { siteKey: 'pk_test', phone: PHONE, purpose: 'registration' });
    const { body } = await start();
    const inbox = await fetch(`${server.url}/simulator/messages`);
    const [message] = (await inbox.json()) as { code: string }[];
    const wrong = message?.code === '000000' ? '111111' : '000000';
    await post(`/v1/verifications/${body.id}/check`, { code: wrong }, body.clientSecret);
    expect((await start()).status).toBe(429);

    const { code, stdout } = await phoneProof(['unlock', 'shop', '+31 6 1234 5678'], { cwd: dir });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\S/)]);
    expect((await start()).status).toBe(201);
  });
});

describe('serve', () => {
  it('explains a port that is taken', async () => {
    const dir = tempDir();
    const port = await freePort();
    writeConfig(dir, { port });
    await serve({ cwd: dir });
    expect(await refusal(['serve'], dir)).toContain(String(port));
  });

  it('explains a folder that it may not write to', async () => {
    const dir = tempDir();
    writeFileSync(join(dir, 'file'), '');
    writeConfig(dir, { dataDir: join(dir, 'file') });
    expect(await refusal(['serve'], dir)).toContain(join(dir, 'file'));
  });

  it('explains a database that is none', async () => {
    const dir = tempDir();
    writeFileSync(join(dir, 'phone-proof.sqlite'), 'this is no database, whatever its name says'.repeat(100));
    writeConfig(dir, { dataDir: dir });
    expect(await refusal(['serve'], dir)).toContain('phone-proof.sqlite');
  });

  it('explains a database of a newer release', async () => {
    const dir = tempDir();
    const db = new DatabaseSync(join(dir, 'phone-proof.sqlite'));
    db.exec('PRAGMA user_version = 999');
    db.close();
    writeConfig(dir, { dataDir: dir });
    expect(await refusal(['serve'], dir)).toContain('newer');
  });

  it('explains a secret that does not fit the data', async () => {
    const dir = tempDir();
    writeConfig(dir);
    await phoneProof(['keys', 'list'], { cwd: dir });
    const told = await refusal(['serve'], dir, { PHONE_PROOF_SECRET: `${ENV_SECRET}-but-another` });
    expect(told).toContain('PHONE_PROOF_SECRET');
  });

  it('takes port and data folder from the environment', async () => {
    const dir = tempDir();
    writeConfig(dir, { port: 1 });
    const port = await freePort();
    const server = await serve({ cwd: dir, env: { PORT: String(port), DATA_DIR: join(dir, 'elsewhere') } });
    expect(server.port).toBe(port);
    expect(await refusal(['config', 'check'], dir, { PORT: 'http' })).toContain('port');
  });
});
