/**
 * Finds and reads the config file: `phone-proof.config.ts`, `.js` or `.json`.
 *
 *     const config = await loadConfig({ path: undefined, env: process.env, cwd: process.cwd() });
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Config, ConfigError, parseConfig } from './config.ts';

const NAMES = ['phone-proof.config.ts', 'phone-proof.config.js', 'phone-proof.config.json'];

/** @throws ConfigError that says which file or which member is wrong and what is expected */
export async function loadConfig({
  path,
  env,
  cwd,
}: {
  path: string | undefined;
  env: Record<string, string | undefined>;
  cwd: string;
}): Promise<Config> {
  const file =
    path === undefined ? NAMES.map((name) => resolve(cwd, name)).find(existsSync) : resolve(cwd, path);
  if (file === undefined) {
    throw new ConfigError([`no ${NAMES.join(', ')} in ${cwd}: write one, or name one with --config`]);
  }
  return parseConfig(await readConfigFile(file), env);
}

async function readConfigFile(file: string): Promise<unknown> {
  try {
    if (file.endsWith('.json')) return JSON.parse(await readFile(file, 'utf8'));
    const loaded: { default?: unknown } = await import(pathToFileURL(file).href);
    if (loaded.default === undefined) throw new Error('it has no default export');
    return loaded.default;
  } catch (error) {
    throw new ConfigError([
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    ]);
  }
}
