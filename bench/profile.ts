/**
 * Where a verification's time goes: a server under full load with V8's sampling profiler on.
 *
 *     node -C source bench/profile.ts [--of 'Phone Proof, SQLite'] [--seconds 10] [--rows 45] [--keep file]
 *
 * Two tables in microseconds a flow: time spent in each file or package itself, and the functions that
 * cost most, with and without what they call.
 */
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { buildPackage, contestants } from './contestants.ts';
import { makeGround, startContestant } from './processes.ts';
import { table } from './results.ts';

const { values: options } = parseArgs({
  options: {
    of: { type: 'string', default: 'Phone Proof, SQLite' },
    seconds: { type: 'string', default: '10' },
    keep: { type: 'string' },
    rows: { type: 'string', default: '45' },
  },
});

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
      children: z.array(z.number()).default([]),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

const contestant = contestants.find(({ name }) => name === options.of);
if (!contestant) throw new Error(`say --of ${contestants.map(({ name }) => `'${name}'`).join(' or ')}`);

if (contestant.role === 'ours') buildPackage();
const ground = await makeGround(contestant);
const server = await startContestant(contestant, ground, {
  nodeFlags: ['--cpu-prof', `--cpu-prof-dir=${ground.dir}`],
});
const { load } = await server.bear({
  kind: 'saturated',
  connections: 32,
  warmUpMs: 0,
  durationMs: Number(options.seconds) * 1_000,
  minFlows: 0,
});
await server.stop();

// One file a thread: the server's own is the largest by far.
const [newest] = readdirSync(ground.dir)
  .filter((name) => name.endsWith('.cpuprofile'))
  .map((name) => ({ file: join(ground.dir, name), text: readFileSync(join(ground.dir, name), 'utf8') }))
  .sort((a, b) => b.text.length - a.text.length);
if (!newest) throw new Error('the server left no profile');
if (options.keep) copyFileSync(newest.file, options.keep);
await ground.clear();

const { nodes, samples, timeDeltas } = profileSchema.parse(JSON.parse(newest.text));
const selfMicros = new Map<number, number>();
samples.forEach((id, index) => {
  selfMicros.set(id, (selfMicros.get(id) ?? 0) + (timeDeltas[index] ?? 0));
});
const byId = new Map(nodes.map((node) => [node.id, node]));

type Cost = { self: number; total: number };
const byPlace = new Map<string, number>();
const byFunction = new Map<string, Cost>();

/** `server/store/sqlite/sqlite.ts`, `zod`, `node:crypto`, or the engine's own work. */
function placeOf({ url, functionName }: { url: string; functionName: string }): string {
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(url)?.[1];
  if (inPackage) return inPackage;
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  if (url === '') return functionName.startsWith('(') ? functionName : 'engine and native code';
  return url.replace(/^.*?\/(?:dist\/)?(?=(server|bench)\/)/, '');
}

const nameOf = (frame: { url: string; functionName: string; lineNumber: number }) =>
  `${frame.functionName || '(anonymous)'} · ${placeOf(frame)}${frame.url ? `:${frame.lineNumber + 1}` : ''}`;

/** @returns the time of the node and everything under it */
function walk(id: number, above: ReadonlySet<string>): number {
  const node = byId.get(id);
  if (!node) return 0;
  const name = nameOf(node.callFrame);
  const self = selfMicros.get(id) ?? 0;
  const inside = new Set(above).add(name);
  const total = node.children.reduce((sum, child) => sum + walk(child, inside), self);
  const cost = byFunction.get(name) ?? { self: 0, total: 0 };
  cost.self += self;
  // What calls itself is counted once, where it was entered.
  if (!above.has(name)) cost.total += total;
  byFunction.set(name, cost);
  const place = placeOf(node.callFrame);
  byPlace.set(place, (byPlace.get(place) ?? 0) + self);
  return total;
}

walk(nodes[0]?.id ?? 0, new Set());

const perFlow = (micros: number) => (micros / load.flows).toFixed(1);
const rows = Number(options.rows);
console.log(`${contestant.name}: ${Math.round(load.flows / load.seconds)} flows/s with the profiler on\n`);
console.log(
  table(
    ['where', 'µs a flow'],
    [...byPlace]
      .sort((a, b) => b[1] - a[1])
      .slice(0, rows)
      .map(([place, micros]) => [place, perFlow(micros)]),
  ),
);
for (const by of ['total', 'self'] as const) {
  console.log(
    `\n${table(
      ['function', 'with what it calls, µs a flow', 'itself'],
      [...byFunction]
        .sort((a, b) => b[1][by] - a[1][by])
        .slice(0, rows)
        .map(([name, cost]) => [name, perFlow(cost.total), perFlow(cost.self)]),
    )}`,
  );
}
