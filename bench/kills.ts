/**
 * `kill -9` under load: four servers on one store are killed at random moments 200 times, and the clients' own record
 * says whether anything was lost or happened twice. Ends with 1 if so.
 *
 *     node -C source bench/kills.ts
 *     node -C source bench/kills.ts --short     20 kills; RESULTS.md stays as it is
 */
import { parseArgs } from 'node:util';
import { survive, type Verdict } from '../server/testing/kills/survive.ts';
import { hasRedis, makeGround, track } from './processes.ts';
import { table, writeSection } from './results.ts';
import { judged, whole } from './statistics.ts';

const { values: options } = parseArgs({ options: { short: { type: 'boolean', default: false } } });

const kills = options.short ? 20 : 200;
const stores = hasRedis ? (['sqlite', 'redis'] as const) : (['sqlite'] as const);
const names = { sqlite: 'SQLite', redis: 'Redis' };

async function surviveOn(store: (typeof stores)[number]): Promise<Verdict> {
  const ground = await makeGround({ store });
  try {
    return await survive({
      kills,
      dir: ground.dir,
      env: ground.redis ? { REDIS_URL: ground.redis.url } : {},
      onSpawn: track,
      onKill: (done) => {
        if (done % 10 === 0) console.log(`${names[store]}: ${done} of ${kills} killed`);
      },
    });
  } finally {
    await ground.clear();
  }
}

const rows: string[][] = [];
const found: string[] = [];
for (const store of stores) {
  const { killed, broken, counts, complaints, seconds } = await surviveOn(store);
  const none = (list: string[]) => judged(whole(list.length), list.length === 0);
  rows.push([
    names[store],
    `${killed} in ${whole(seconds)} s`,
    `${whole(counts.answers)} / ${whole(counts.lost)}`,
    [counts.verifications, counts.guesses, counts.resends, counts.proofs, counts.redemptions]
      .map(whole)
      .join(' / '),
    none(broken['one proof for a code']),
    none(broken['one redemption of a proof']),
    none(broken['no counter goes back']),
    none(broken['what was answered stays']),
    none([...broken['no answer but those of the API'], ...complaints]),
  ]);
  for (const [promise, offences] of Object.entries(broken)) {
    found.push(...offences.map((offence) => `${names[store]}: ${promise}: ${offence}`));
  }
  found.push(...complaints.map((complaint) => `${names[store]}: ${complaint}`));
}

const body = `${table(
  [
    'store of four servers',
    'killed',
    'requests answered / lost with their server',
    'verifications / wrong guesses / resends / proofs / redemptions',
    'second proofs (goal 0)',
    'second redemptions (goal 0)',
    'counters that went back (goal 0)',
    'answers forgotten (goal 0)',
    'unknown answers and ends (goal 0)',
  ],
  rows,
)}

A lost request is repeated with its \`Idempotency-Key\` at any other server. Every fifth time all four are killed at once.
What a client was told is compared with what every server says afterwards.`;

if (options.short) console.log(`\n${body}`);
else writeSection('Killed 200 times', body, 'node -C source bench/kills.ts', { isPinned: false });
for (const one of found) console.error(one);
process.exitCode = found.length > 0 ? 1 : 0;
