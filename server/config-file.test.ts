import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError } from './config.ts';
import { loadConfig } from './config-file.ts';

const root = mkdtempSync(join(tmpdir(), 'phone-proof-config-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** An empty folder each time: a module is loaded once for its path. */
let folders = 0;
function folderWith(files: Record<string, string>): string {
  folders += 1;
  const folder = join(root, `${folders}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const content = (port: number) =>
  JSON.stringify({
    publicUrl: 'https://verify.example',
    port,
    secrets: ['a secret for tests, long enough to be one'],
    delivery: { provider: 'simulator' },
    sites: [
      {
        id: 'shop',
        brand: 'Shop',
        publishableKey: 'pk_test',
        secretKey: 'sk_test',
        allowedOrigins: ['https://shop.example'],
        purposes: { registration: {} },
      },
    ],
  });

const json = (port: number) => content(port);
const js = (port: number) => `export default ${content(port)};`;
const ts = (port: number) =>
  `type Port = number;\nconst port: Port = ${port};\nexport default { ...${content(0)}, port };`;

const load = (cwd: string, path?: string, env: Record<string, string> = {}) => loadConfig({ path, env, cwd });

async function problemOf(cwd: string, path?: string): Promise<string> {
  const error = await load(cwd, path).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigError);
  const { problems } = error as ConfigError;
  expect(problems).toHaveLength(1);
  return problems[0] ?? '';
}

describe('the config file', () => {
  it.each([
    ['phone-proof.config.ts', ts],
    ['phone-proof.config.js', js],
    ['phone-proof.config.json', json],
  ])('is found as %s', async (name, write) => {
    expect((await load(folderWith({ [name]: write(1234) }))).port).toBe(1234);
  });

  it('is TypeScript before JavaScript before JSON', async () => {
    const all = {
      'phone-proof.config.ts': ts(1),
      'phone-proof.config.js': js(2),
      'phone-proof.config.json': json(3),
    };
    expect((await load(folderWith(all))).port).toBe(1);
    const { 'phone-proof.config.ts': _, ...others } = all;
    expect((await load(folderWith(others))).port).toBe(2);
  });

  it('can be named, from where the command runs or absolutely', async () => {
    const folder = folderWith({
      'phone-proof.config.json': json(1),
      'other.json': json(2),
      'other.ts': ts(3),
    });
    expect((await load(folder, 'other.json')).port).toBe(2);
    expect((await load(folder, './other.ts')).port).toBe(3);
    expect((await load(root, join(folder, 'other.json'))).port).toBe(2);
  });

  it('meets the environment', async () => {
    const folder = folderWith({ 'phone-proof.config.json': json(1) });
    expect((await load(folder, undefined, { PORT: '5678' })).port).toBe(5678);
  });

  it('may stand in a folder with spaces and accents in its name', async () => {
    const folder = join(root, 'a folder, é');
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    writeFileSync(join(folder, 'phone-proof.config.js'), js(4321));
    expect((await load(folder)).port).toBe(4321);
  });
});

describe('a config file that cannot be used', () => {
  it('is missed by all its names, with the folder and the way out', async () => {
    const folder = folderWith({});
    const problem = await problemOf(folder);
    for (const part of ['phone-proof.config.ts', '.js', '.json', folder, '--config'])
      expect(problem).toContain(part);
  });

  it.each(['nowhere.ts', 'nowhere.js', 'nowhere.json'])('is named when %s is not there', async (name) => {
    const folder = folderWith({ 'phone-proof.config.json': json(1) });
    expect(await problemOf(folder, name)).toContain(join(folder, name));
  });

  it.each([
    ['phone-proof.config.json', '{"port": 1,}'],
    ['phone-proof.config.json', ''],
    ['phone-proof.config.js', 'export default {'],
    ['phone-proof.config.ts', 'export default { port: 1 as };'],
    ['phone-proof.config.js', 'throw new Error("no such thing");'],
    ['phone-proof.config.js', 'import "./nowhere.js"; export default {};'],
  ])('is named with the reason: %s holding %j', async (name, text) => {
    const folder = folderWith({ [name]: text });
    const problem = await problemOf(folder);
    expect(problem).toContain(join(folder, name));
    expect(problem).toMatch(/cannot be read: ./);
  });

  it('says what the file itself said', async () => {
    const folder = folderWith({ 'phone-proof.config.js': 'throw new Error("no such thing");' });
    expect(await problemOf(folder)).toContain('no such thing');
  });

  it.each([
    ['phone-proof.config.ts', 'export const config = {};'],
    ['phone-proof.config.js', 'export const config = {};'],
    ['phone-proof.config.js', 'export default undefined;'],
  ])('says that %s has no default export: %s', async (name, text) => {
    expect(await problemOf(folderWith({ [name]: text }))).toMatch(/default export/);
  });

  it.each(['null', '[]', '"text"'])('says that %s is no config', async (text) => {
    expect(await problemOf(folderWith({ 'phone-proof.config.json': text }))).toMatch(/^the config: .*object/);
  });

  it('is a folder', async () => {
    expect(await problemOf(root, '.')).toContain(root);
  });

  it('has members that are wrong, each of which is named', async () => {
    const folder = folderWith({ 'phone-proof.config.json': json(70_000) });
    expect(await problemOf(folder)).toMatch(/^port: /);
  });
});
