/**
 * `npm test`: formatter, linter, types, unused code, then every test runner; ends with one line that adds
 * everything up. `npm test -- --fast` leaves out what needs a browser.
 *
 *     42 passed, 0 failed
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startTestRunner } from '@web/test-runner';
import { z } from 'zod';
import { buildElement } from './build-element.ts';
import { chromiumTool, ensureTool, redisTool } from './tools.ts';

type Count = { passed: number; failed: number; skipped: number };

const total: Count = { passed: 0, failed: 0, skipped: 0 };
const add = ({ passed, failed, skipped }: Count) => {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
};
const one = (isGood: boolean): Count => ({ passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, skipped: 0 });

/** A program of node_modules/.bin, which npm has put on the PATH. */
function run(command: string, ...args: string[]): boolean {
  console.log(`\n▸ ${[command, ...args].join(' ')}`);
  return spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' }).status === 0;
}

function staticChecks(): void {
  add(one(run('biome', 'check', '.')));
  add(one(run('tsc')));
  add(one(run('tsc', '-p', 'widget')));
  add(one(run('knip')));
}

const vitestReport = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
});

function vitest(without: string[]): Count {
  const report = join(tmpdir(), `phone-proof-vitest-${process.pid}.json`);
  const isGood = run(
    'vitest',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...without.flatMap((pattern) => ['--exclude', pattern]),
  );
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = vitestReport.parse(
      JSON.parse(readFileSync(report, 'utf8')),
    );
    // A file that cannot even be loaded fails no test by count, and is a failure all the same.
    const failed = isGood ? numFailedTests : Math.max(1, numFailedTests);
    return { passed: numPassedTests, failed, skipped: numPendingTests };
  } catch {
    return one(false);
  } finally {
    rmSync(report, { force: true });
  }
}

async function webTestRunner(): Promise<Count> {
  console.log('\n▸ web-test-runner');
  const runner = await startTestRunner({ autoExitProcess: false, readCliArgs: false });
  if (!runner) return one(false);
  const isGood = await new Promise<boolean>((resolve) => runner.on('finished', resolve));
  const count: Count = { passed: 0, failed: 0, skipped: 0 };
  const walk = (suite: Suite | undefined): void => {
    for (const test of suite?.tests ?? []) {
      count[test.skipped ? 'skipped' : test.passed ? 'passed' : 'failed'] += 1;
    }
    suite?.suites.forEach(walk);
  };
  for (const session of runner.sessions.all()) walk(session.testResults);
  return isGood ? count : { ...count, failed: Math.max(1, count.failed) };
}

type Suite = { tests: { passed: boolean; skipped: boolean }[]; suites: Suite[] };

const { values } = parseArgs({ options: { fast: { type: 'boolean', default: false } } });
staticChecks();

/** What is left out for want of a tool: counted, told aloud, and a failure where nobody would read it. */
function missing(what: string): void {
  console.error(`\n  Left out: ${what}.\n`);
  add(process.env.CI ? one(false) : { passed: 0, failed: 0, skipped: 1 });
}

const chromium = values.fast ? undefined : ensureTool(chromiumTool);
const redis = ensureTool(redisTool);
if (!redis) missing('the tests of the Redis store and of its failures');
if (!chromium) missing('the tests of the element and the journeys');

if (chromium) await buildElement();
const withRedis = ['server/store/redis/**', 'server/chaos/redis-*.test.ts'];
add(vitest([...(chromium ? [] : ['demo/journeys/**']), ...(redis ? [] : withRedis)]));
if (chromium) add(await webTestRunner());

const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exit(total.failed > 0 ? 1 : 0);
