/**
 * Programs that the tests need and npm does not bring: found, installed where that is ours to do, or
 * asked for in one command.
 *
 *     const chromium = await ensureTool(chromiumTool);
 *     if (!chromium) skip('…');
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findChromium } from './chromium.ts';

type Tool = {
  name: string;
  find(): string | undefined;
  /** Package names by package manager. */
  packages: Partial<Record<PackageManager, string[]>>;
};

type PackageManager = 'apt-get' | 'dnf' | 'apk' | 'pacman' | 'brew';

const commands: Record<PackageManager, (packages: string[]) => string[][]> = {
  'apt-get': (packages) => [
    ['apt-get', 'update', '-qq'],
    ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages],
  ],
  dnf: (packages) => [['dnf', 'install', '-y', ...packages]],
  apk: (packages) => [['apk', 'add', ...packages]],
  pacman: (packages) => [['pacman', '-Sy', '--noconfirm', ...packages]],
  brew: (packages) => [['brew', 'install', ...packages]],
};

export const chromiumTool: Tool = {
  name: 'Chromium, Chrome or Edge',
  find: findChromium,
  packages: {
    'apt-get': ['chromium', 'fonts-noto-core'],
    dnf: ['chromium'],
    apk: ['chromium', 'font-noto'],
    pacman: ['chromium', 'noto-fonts'],
    brew: ['--cask', 'chromium'],
  },
};

export const redisTool: Tool = {
  name: 'redis-server',
  find: () => onPath('redis-server'),
  packages: {
    'apt-get': ['redis-server'],
    dnf: ['redis'],
    apk: ['redis'],
    pacman: ['redis'],
    brew: ['redis'],
  },
};

/** The tool's path; undefined when it is missing and not ours to install, which is then said aloud. */
export function ensureTool(tool: Tool): string | undefined {
  const found = tool.find();
  if (found) return found;
  const manager = (Object.keys(commands) as PackageManager[]).find(
    (name) => tool.packages[name] && has(name),
  );
  const steps = manager ? commands[manager](tool.packages[manager] ?? []) : [];
  // Only root may change the system, and only root (a container, a CI machine) is not asked first.
  if (manager && manager !== 'brew' && process.getuid?.() === 0) {
    console.log(`Installing ${tool.name} with ${manager} …`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const [command = '', ...args] of steps)
      spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
    return tool.find();
  }
  const asRoot = manager === 'brew' ? '' : 'sudo ';
  const advice = steps.map((step) => asRoot + step.join(' ')).join(' && ');
  console.error(
    `\n  ${tool.name} is missing. ${advice ? `Run: ${advice}` : 'Install it and run this again.'}\n`,
  );
  return undefined;
}

const onPath = (command: string) =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, command))
    .find(existsSync);

const has = (command: string) => spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined;
