/**
 * The command line as a process of its own.
 *
 *     const { code, stderr } = await phoneProof(['config', 'check'], { cwd: dir });
 *     const server = await serve({ cwd: dir });
 *     server.child.kill('SIGKILL');
 *     await server.ended;
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { ConfigInput } from '../config.ts';
import { NO_LIMITS, SECRET, testSite } from './server.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Without spaces: as it would stand in the environment. */
export const ENV_SECRET = SECRET.replaceAll(/\W+/g, '-');

type Options = { cwd: string; env?: Record<string, string | undefined> };
export type Ended = { code: number | null; signal: string | null; stdout: string; stderr: string };

function start(args: string[], { cwd, env = {} }: Options) {
  const child = spawn(process.execPath, ['-C', 'source', MAIN, ...args], {
    cwd,
    // Nothing of this process's own: what a config needs is given here.
    env: { PATH: process.env.PATH, PHONE_PROOF_SECRET: ENV_SECRET, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  return { child, output, ended };
}

/** Runs one command to its end. */
export const phoneProof = (args: string[], options: Options): Promise<Ended> => start(args, options).ended;

export type Served = {
  child: ChildProcess;
  url: string;
  port: number;
  /** Everything it said so far. */
  output: { stdout: string; stderr: string };
  ended: Promise<Ended>;
};

/** Starts `serve` and resolves once it listens. Killed after the test, if it still runs then. */
export async function serve(options: Options, args: string[] = []): Promise<Served> {
  const running = start(['serve', ...args], options);
  onTestFinished(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
  });
  const port = await new Promise<number>((resolve, reject) => {
    running.child.stdout.on('data', () => {
      const line = running.output.stdout.split('\n').find((one) => one.includes('"server.started"'));
      if (line?.endsWith('}')) resolve(JSON.parse(line).port);
    });
    running.ended.then(({ code, stderr }) => reject(new Error(`serve ended with ${code}: ${stderr}`)));
  });
  return { ...running, port, url: `http://127.0.0.1:${port}` };
}

/** Its log so far: what stands on standard output is lines of JSON and nothing else. */
export const linesOf = ({
  output,
}: Pick<Served, 'output'>): ({ event: string } & Record<string, unknown>)[] =>
  output.stdout
    .slice(0, output.stdout.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** A config as the tests of the command line need it; `port: 0` takes a free one. */
export function writeConfig(
  dir: string,
  overrides: Partial<ConfigInput> & Record<string, unknown> = {},
): void {
  const config = {
    publicUrl: 'http://localhost:8787',
    port: 0,
    host: '127.0.0.1',
    dataDir: join(dir, 'data'),
    delivery: { provider: 'simulator' },
    logLevel: 'debug',
    sites: [testSite({ limits: NO_LIMITS })],
    ...overrides,
  };
  writeFileSync(join(dir, 'phone-proof.config.json'), JSON.stringify(config));
}
