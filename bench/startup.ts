/**
 * From the command to the first answer that says it is ready.
 *
 *     node -C source bench/startup.ts           the sources and, where it is built, the package
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../scripts/free-port.ts';
import { runnable } from './contestants.ts';
import { pinnedTo, SERVER_CORE } from './machine.ts';
import { type Ground, makeGround, track } from './processes.ts';
import { table, writeSection } from './results.ts';
import { oursConfig } from './servers/ours-config.ts';
import { judged, median, spread } from './statistics.ts';

const GOAL_MS = 400;
const REPEATS = 15;
const POLL_MS = 2;
const TIMEOUT_MS = 20_000;

const fromHere = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const programs = [
  { name: 'package (`dist/`)', args: [fromHere('../dist/server/main.js')] },
  { name: 'sources, types stripped', args: ['-C', 'source', fromHere('../server/main.ts')] },
].filter(({ args }) => existsSync(args.at(-1) ?? ''));

async function startOnce(args: string[], config: string, port: number): Promise<number> {
  const from = performance.now();
  const child = track(
    spawn(...pinnedTo(SERVER_CORE, process.execPath, [...args, 'serve', '--config', config]), {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, PORT: String(port) },
    }),
  );
  while (!(await isReady(port))) {
    if (child.exitCode !== null || performance.now() - from > TIMEOUT_MS)
      throw new Error('it does not start');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const took = performance.now() - from;
  child.kill('SIGTERM');
  await once(child, 'exit');
  return took;
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}

function writeConfig({ dir, redis }: Ground): string {
  const file = join(dir, 'phone-proof.config.json');
  writeFileSync(file, JSON.stringify(oursConfig({ dir, redis: redis?.url })));
  return file;
}

const rows: string[][] = [];
for (const contestant of runnable().filter(({ role }) => role === 'ours')) {
  for (const { name, args } of programs) {
    const ground = await makeGround(contestant);
    const config = writeConfig(ground);
    const first = await startOnce(args, config, await freePort());
    const again: number[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat += 1)
      again.push(await startOnce(args, config, await freePort()));
    await ground.clear();
    rows.push([
      `${contestant.name}, ${name}`,
      `${first.toFixed(0)} ms`,
      judged(`${spread(again)} ms`, median(again) <= GOAL_MS),
    ]);
  }
}

writeSection(
  'Start-up',
  `${table(
    ['server', 'first start, empty store', `later starts, median (min–max), goal ≤ ${GOAL_MS} ms`],
    rows,
  )}

From the spawn of \`node … serve\` to the first 200 of \`/readyz\`, asked every ${POLL_MS} ms; ${REPEATS} later starts.`,
  'node -C source bench/startup.ts',
);
