/**
 * `npm run bench`: whole verifications a second on one core, beside a hand-written floor and beside
 * better-auth, on SQLite and on Redis, one after another and round again.
 *
 *     npm run bench
 *     npm run bench -- --short                      one quick round, to see that everything runs
 *     npm run bench -- --only floor --only Phone --dry     whose names begin so; RESULTS.md stays as it is
 */
import { parseArgs } from 'node:util';
import { buildPackage, type Contestant, installPeers, runnable } from './contestants.ts';
import type { Latency } from './load/latency.ts';
import { hasRedis, makeGround, startContestant } from './processes.ts';
import { table, writeSection } from './results.ts';
import { judged, median, ms, spread, whole } from './statistics.ts';

const { values: options } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    repeats: { type: 'string' },
    only: { type: 'string', multiple: true },
    dry: { type: 'boolean', default: false },
  },
});

const repeats = Number(options.repeats ?? (options.short ? 1 : 5));
const warmUpMs = options.short ? 1_000 : 3_000;
const durationMs = options.short ? 2_000 : 8_000;
const CONNECTIONS = 32;
const QUIET_SHARE = 0.3;

const GOALS = { ofFloor: 0.7, ofPeer: { sqlite: 10, redis: 14 }, saturatedP99: 25, quietP99: 8 };

type Round = {
  perSecond: number;
  cpuMsPerFlow: number;
  redisCpuMsPerFlow: number;
  clientCpu: number;
  saturated: Latency;
  quiet: Latency;
};

async function measure(contestant: Contestant): Promise<Round> {
  const ground = await makeGround(contestant);
  const server = await startContestant(contestant, ground);
  try {
    const full = await server.bear({
      kind: 'saturated',
      connections: CONNECTIONS,
      minFlows: 0,
      warmUpMs,
      durationMs,
    });
    const perSecond = full.load.flows / full.load.seconds;
    const quiet = await server.bear({
      kind: 'paced',
      flowsPerSecond: perSecond * QUIET_SHARE,
      warmUpMs: 1_000,
      durationMs,
    });
    return {
      perSecond,
      cpuMsPerFlow: full.cpuMs / full.load.flows,
      redisCpuMsPerFlow: full.redisCpuMs / full.load.flows,
      clientCpu: full.load.clientCpu,
      saturated: full.load.latency,
      quiet: quiet.load.latency,
    };
  } finally {
    await server.stop();
    await ground.clear();
  }
}

const chosen = runnable().filter(({ name }) => options.only?.some((start) => name.startsWith(start)) ?? true);
if (!hasRedis)
  console.log('There is no redis-server or valkey-server on the PATH: SQLite alone is measured.');
if (chosen.some(({ role }) => role === 'peer')) installPeers();
if (chosen.some(({ role }) => role === 'ours')) buildPackage();

const rounds = new Map<Contestant, Round[]>(chosen.map((contestant) => [contestant, []]));
for (let repeat = 1; repeat <= repeats; repeat += 1) {
  for (const [contestant, of] of rounds) {
    const round = await measure(contestant);
    of.push(round);
    const { perSecond, cpuMsPerFlow, clientCpu, saturated, quiet } = round;
    console.log(
      `${repeat}/${repeats}  ${contestant.name.padEnd(30)} ${whole(perSecond).padStart(6)} flows/s  ` +
        `${ms(cpuMsPerFlow)} CPU  p99 ${ms(saturated.p99)}, at ${QUIET_SHARE * 100} % ${ms(quiet.p99)}  ` +
        `(load ${Math.round(clientCpu * 100)} % of its core)`,
    );
  }
}

/** Round by round, so that what disturbed the machine disturbed both sides. */
function ratios(of: Contestant, role: Contestant['role'], store: Contestant['store']): number[] | undefined {
  const other = chosen.find((one) => one.store === store && one.role === role);
  const base = other && rounds.get(other);
  return (
    base && rounds.get(of)?.map(({ perSecond }, index) => perSecond / (base[index]?.perSecond ?? Number.NaN))
  );
}

const factor = (value: number) => value.toFixed(2);

function against(
  contestant: Contestant,
  role: 'floor' | 'peer',
  { store, goal }: { store: Contestant['store']; goal?: number },
): string {
  const isItself = contestant.role === role && contestant.store === store;
  const found = isItself ? undefined : ratios(contestant, role, store);
  if (!found) return '';
  const text = spread(found, factor);
  return contestant.role === 'ours' && goal !== undefined ? judged(text, median(found) >= goal) : text;
}

function rowOf(contestant: Contestant, of: Round[]): string[] {
  const latency = (pick: (round: Round) => Latency, goal: number) => {
    const p99 = median(of.map((round) => pick(round).p99));
    return [
      ms(median(of.map((round) => pick(round).p50))),
      contestant.role === 'ours' ? judged(ms(p99), p99 <= goal) : ms(p99),
      ms(Math.max(...of.map((round) => pick(round).max))),
    ].join(' / ');
  };
  return [
    contestant.name,
    spread(of.map(({ perSecond }) => perSecond)),
    ms(median(of.map(({ cpuMsPerFlow }) => cpuMsPerFlow))),
    contestant.store === 'redis' ? ms(median(of.map(({ redisCpuMsPerFlow }) => redisCpuMsPerFlow))) : '',
    against(contestant, 'floor', { store: contestant.store, goal: GOALS.ofFloor }),
    against(contestant, 'peer', { store: 'sqlite', goal: GOALS.ofPeer[contestant.store] }),
    contestant.store === 'redis' ? against(contestant, 'peer', { store: 'redis' }) : '',
    latency(({ saturated }) => saturated, GOALS.saturatedP99),
    latency(({ quiet }) => quiet, GOALS.quietP99),
  ];
}

const body = `${table(
  [
    'one core, start + check with an ES256 proof',
    'flows/s, median (min–max)',
    'server CPU a flow',
    'Redis CPU a flow',
    `of its floor (goal ≥ ${GOALS.ofFloor})`,
    `of better-auth on SQLite (goal ≥ ${GOALS.ofPeer.sqlite}, Redis ≥ ${GOALS.ofPeer.redis})`,
    'of better-auth with Redis beside SQLite',
    `p50 / p99 / max at ${CONNECTIONS} busy connections (goal p99 ≤ ${GOALS.saturatedP99} ms)`,
    `p50 / p99 / max at ${QUIET_SHARE * 100} % load (goal p99 ≤ ${GOALS.quietP99} ms)`,
  ],
  [...rounds].map(([contestant, of]) => rowOf(contestant, of)),
)}

${repeats} rounds of every contestant in turn, ${durationMs / 1_000} s each after ${warmUpMs / 1_000} s of warm-up, a fresh
database every time. Ratios are taken round by round. Latency is a request's; p50 and p99 are medians over the rounds, max the
longest of all. At ${QUIET_SHARE * 100} % load flows begin at random moments of their own, and a start's latency counts from the moment it
was due. Phone Proof has all its limits charged, an \`Idempotency-Key\` on every call as the element sends it, and its log at
\`info\`. The floor is Hono, zod, one transaction or script a call and jose, with no limits and no log. better-auth is set up as
its documentation says, with its own limits off; it signs the person up and answers with a session.`;

if (options.dry) console.log(`\n${body}`);
else {
  const flags = options.short ? ' -- --short' : options.repeats ? ` -- --repeats ${repeats}` : '';
  writeSection('Throughput and latency', body, `npm run bench${flags}`);
}
