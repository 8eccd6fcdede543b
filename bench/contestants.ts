/** Who is measured beside whom. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FlowName } from './load/flows.ts';
import { hasRedis } from './processes.ts';

export type Contestant = {
  name: string;
  store: 'sqlite' | 'redis';
  role: 'floor' | 'ours' | 'peer';
  flow: FlowName;
  /** In `servers/`. */
  script: string;
};

export const contestants: Contestant[] = [
  { name: 'floor, SQLite', store: 'sqlite', role: 'floor', flow: 'floor', script: 'floor-sqlite.ts' },
  { name: 'Phone Proof, SQLite', store: 'sqlite', role: 'ours', flow: 'ours', script: 'ours.js' },
  {
    name: 'better-auth, SQLite',
    store: 'sqlite',
    role: 'peer',
    flow: 'better-auth',
    script: 'better-auth.js',
  },
  { name: 'floor, Redis', store: 'redis', role: 'floor', flow: 'floor', script: 'floor-redis.ts' },
  { name: 'Phone Proof, Redis', store: 'redis', role: 'ours', flow: 'ours', script: 'ours.js' },
  {
    name: 'better-auth, SQLite + Redis',
    store: 'redis',
    role: 'peer',
    flow: 'better-auth',
    script: 'better-auth.js',
  },
];

/** Those that this machine can run. */
export const runnable = (): Contestant[] => contestants.filter(({ store }) => store === 'sqlite' || hasRedis);

/** Ours is measured as it is published. */
export function buildPackage(): void {
  console.log('Building the package …');
  const { status } = spawnSync('npm', ['run', 'build', '--silent'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error('the package could not be built');
}

/** The peers are no part of the package: they are installed here when first needed. */
export function installPeers(): void {
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  if (existsSync(new URL('node_modules/better-auth', import.meta.url))) return;
  console.log('Installing the peers into bench/node_modules …');
  const { status } = spawnSync('npm', ['ci'], { cwd, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) throw new Error('the peers could not be installed');
}
