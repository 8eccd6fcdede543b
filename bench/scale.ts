/**
 * Does it get slower as it fills up? The same load with 1,000 and with 1,000,000 live verifications.
 *
 *     node -C source bench/scale.ts
 *     node -C source bench/scale.ts --short     10,000 instead of a million; RESULTS.md stays as it is
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseConfig } from '../server/config.ts';
import { openStore } from '../server/store/open.ts';
import { buildPackage, type Contestant, runnable } from './contestants.ts';
import type { Latency } from './load/latency.ts';
import { preload } from './preload.ts';
import { type Ground, makeGround, startContestant } from './processes.ts';
import { table, writeSection } from './results.ts';
import { oursConfig } from './servers/ours-config.ts';
import { judged, median, mib, ms, spread, whole } from './statistics.ts';

const { values: options } = parseArgs({ options: { short: { type: 'boolean', default: false } } });

const CONNECTIONS = 32;
const sizes = options.short ? [1_000, 10_000] : [1_000, 1_000_000];
const repeats = options.short ? 1 : 3;
const warmUpMs = options.short ? 1_000 : 3_000;
const durationMs = options.short ? 2_000 : 8_000;
/** 'The same' within what the machine's own noise makes of it. */
const SAME = 0.9;

type Round = { perSecond: number; latency: Latency };
type Side = { size: number; ground: Ground; storedBytes: number; rounds: Round[] };

async function prepare(contestant: Contestant, size: number): Promise<Side> {
  const ground = await makeGround(contestant);
  const store = await openStore(parseConfig(oursConfig({ dir: ground.dir, redis: ground.redis?.url })));
  await preload(store, size, (done) => console.log(`${contestant.name}: ${whole(done)} of ${whole(size)}`));
  await store.close();
  const storedBytes = ground.redis
    ? ground.redis.usage().residentBytes
    : statSync(join(ground.dir, 'phone-proof.sqlite')).size;
  return { size, ground, storedBytes, rounds: [] };
}

/** Each round goes on with numbers that the earlier ones did not use. */
const FLOWS_BETWEEN_ROUNDS = 1_000_000;

async function measure(contestant: Contestant, { ground, rounds }: Side): Promise<void> {
  const server = await startContestant(contestant, ground, {
    firstFlow: rounds.length * FLOWS_BETWEEN_ROUNDS,
  });
  const { load } = await server.bear({
    kind: 'saturated',
    connections: CONNECTIONS,
    minFlows: 0,
    warmUpMs,
    durationMs,
  });
  await server.stop();
  rounds.push({ perSecond: load.flows / load.seconds, latency: load.latency });
}

buildPackage();
const rows: string[][] = [];
for (const contestant of runnable().filter(({ role }) => role === 'ours')) {
  const sides: Side[] = [];
  for (const size of sizes) sides.push(await prepare(contestant, size));
  for (let repeat = 1; repeat <= repeats; repeat += 1) {
    for (const side of sides) {
      await measure(contestant, side);
      const { perSecond, latency } = side.rounds.at(-1) ?? { perSecond: 0, latency: { p99: 0 } };
      console.log(
        `${repeat}/${repeats}  ${whole(side.size)}: ${whole(perSecond)} flows/s, p99 ${ms(latency.p99)}`,
      );
    }
  }
  const [few] = sides;
  for (const side of sides) {
    const ratios = side.rounds.map(
      ({ perSecond }, index) => perSecond / (few?.rounds[index]?.perSecond ?? 0),
    );
    rows.push([
      contestant.name,
      whole(side.size),
      spread(side.rounds.map(({ perSecond }) => perSecond)),
      side === few
        ? ''
        : judged(
            spread(ratios, (ratio) => ratio.toFixed(2)),
            median(ratios) >= SAME,
          ),
      ms(median(side.rounds.map(({ latency }) => latency.p99))),
      mib(side.storedBytes),
    ]);
    await side.ground.clear();
  }
}

const body = `${table(
  [
    'server',
    'live verifications',
    'flows/s, median (min–max)',
    `of the smaller store (goal ≥ ${SAME})`,
    `p99 at ${CONNECTIONS} busy connections`,
    'size of the store before the load',
  ],
  rows,
)}

${repeats} rounds in turn. The rows were written through the store itself, each with its delivery and its limits; no load flow meets them.`;

if (options.short) console.log(`\n${body}`);
else writeSection('A thousand and a million live verifications', body, 'node -C source bench/scale.ts');
