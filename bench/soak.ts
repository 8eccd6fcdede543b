/**
 * Sustained writes: the longest answer in a minute and more, and what 200,000 verifications do to memory.
 *
 *     node -C source bench/soak.ts
 *     node -C source bench/soak.ts --short      5 s and 5,000 verifications; RESULTS.md stays as it is
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPackage, type Contestant, runnable } from './contestants.ts';
import { makeGround, startContestant } from './processes.ts';
import { table, writeSection } from './results.ts';
import { judged, mib, ms, whole } from './statistics.ts';

const { values: options } = parseArgs({ options: { short: { type: 'boolean', default: false } } });

const CONNECTIONS = 32;
const durationMs = options.short ? 5_000 : 60_000;
const minFlows = options.short ? 5_000 : 200_000;
const GOALS = { longestMs: 100, residentBytes: 200 * 2 ** 20, growthBytesPerFlow: 20 };

type Sample = { flows: number; residentBytes: number };

async function soak(contestant: Contestant): Promise<string[]> {
  const ground = await makeGround(contestant);
  const server = await startContestant(contestant, ground);
  try {
    const before = server.usage().residentBytes;
    const samples: Sample[] = [];
    let largestLog = 0;
    const { load } = await server.bear(
      { kind: 'saturated', connections: CONNECTIONS, warmUpMs: 0, durationMs, minFlows },
      (flows) => {
        samples.push({ flows, residentBytes: server.usage().residentBytes });
        if (contestant.store === 'sqlite') {
          largestLog = Math.max(largestLog, sizeOf(join(ground.dir, 'phone-proof.sqlite-wal')));
        }
      },
    );
    const largest = Math.max(...samples.map(({ residentBytes }) => residentBytes));
    const after = samples.at(-1)?.residentBytes ?? Number.NaN;
    const growth = slope(samples.filter(({ flows }) => flows >= load.flows / 2));
    return [
      contestant.name,
      `${whole(load.flows)} in ${whole(load.seconds)} s`,
      `${ms(load.latency.p99)} / ${judged(ms(load.latency.max), load.latency.max <= GOALS.longestMs)}`,
      `${mib(before)} / ${mib(after)} / ${judged(mib(largest), largest <= GOALS.residentBytes)}`,
      judged(`${whole(growth)} bytes a flow`, growth <= GOALS.growthBytesPerFlow),
      contestant.store === 'sqlite' ? mib(largestLog) : '',
    ];
  } finally {
    await server.stop();
    await ground.clear();
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Least squares: what each further flow adds to resident memory. */
function slope(samples: Sample[]): number {
  const mean = (pick: (sample: Sample) => number) =>
    samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length;
  const [x, y] = [mean(({ flows }) => flows), mean(({ residentBytes }) => residentBytes)];
  const sum = (of: (sample: Sample) => number) => samples.reduce((total, sample) => total + of(sample), 0);
  const spread = sum(({ flows }) => (flows - x) ** 2);
  return spread === 0 ? 0 : sum(({ flows, residentBytes }) => (flows - x) * (residentBytes - y)) / spread;
}

buildPackage();
const rows: string[][] = [];
for (const contestant of runnable().filter(({ role }) => role === 'ours')) rows.push(await soak(contestant));

const body = `${table(
  [
    `${CONNECTIONS} busy connections`,
    'flows',
    `p99 / longest answer (goal ≤ ${GOALS.longestMs} ms)`,
    `resident memory at first / at the end / at most (goal ≤ ${mib(GOALS.residentBytes)})`,
    `growth in the second half (goal ≤ ${GOALS.growthBytesPerFlow} bytes a flow)`,
    'write-ahead log at most',
  ],
  rows,
)}

From a cold start, no warm-up left out. Growth is the slope of resident memory over the flows of the second half.`;

if (options.short) console.log(`\n${body}`);
else writeSection('A minute and more of sustained writes', body, 'node -C source bench/soak.ts');
