#!/usr/bin/env node
/**
 * The command line.
 *
 *     phone-proof serve [--workers <n>]
 *     phone-proof keys list
 *     phone-proof keys rotate [--now]
 *     phone-proof unlock <site> <number>
 *     phone-proof backup <file>
 *     phone-proof config check
 */
import { parseArgs } from 'node:util';
import type { Config } from './config.ts';
import { loadConfig } from './config-file.ts';
import { parsePhone } from './guard/phone-number.ts';
import { boundYoungGeneration } from './heap.ts';
import { loadKeptKeys } from './kept-keys.ts';
import { sentenceOf, UsageError } from './mistakes.ts';
import { createKeyring } from './secrets.ts';
import { loadKeys, startServer } from './serve.ts';
import { databaseIn, openStore } from './store/open.ts';
import { backUp } from './store/sqlite/backup.ts';
import { phoneKeyOf } from './verification/deps.ts';
import { startWorkers, workerCount } from './workers.ts';

const USAGE = `phone-proof: one-time codes by SMS, and signed proofs

  phone-proof serve [--workers <n>]     run the server, in n processes behind one port (auto: one for each core)
  phone-proof keys list                 the signing keys and what each does
  phone-proof keys rotate [--now]       add a signing key; it takes over after the overlap (--now: at once)
  phone-proof unlock <site> <number>    forget the failed guesses of a number, given as +31612345678
  phone-proof backup <file>             copy the SQLite database while servers run; see docs/operations.md
  phone-proof config check              read the configuration and say what is wrong with it

  --config <file>   instead of phone-proof.config.ts, .js or .json in this folder
  --help            this page

Secrets come from the environment: PHONE_PROOF_SECRET, PHONE_PROOF_SECRET_KEY_<SITE>, MESSAGEBIRD_ACCESS_KEY.`;

type Options = { config?: string | undefined; now?: boolean | undefined; workers?: string | undefined };

async function run(words: string[], options: Options): Promise<void> {
  const [command, ...rest] = words;
  if (options.workers === '') throw new UsageError('--workers: say a number from 1 to 64, or "auto"');
  // An option is what was meant just now: it wins over the environment, and is judged as that is.
  const env = { ...process.env, ...(options.workers !== undefined && { WORKERS: options.workers }) };
  const config = () => loadConfig({ path: options.config, env, cwd: process.cwd() });
  switch (command) {
    case 'serve':
      return serve(await config());
    case 'keys':
      if (rest[0] === 'list') return listKeys(await config());
      if (rest[0] === 'rotate') return rotateKeys(await config(), options.now === true);
      throw new UsageError('keys: say "list" or "rotate"');
    case 'unlock':
      return unlock(await config(), rest);
    case 'backup':
      return backup(await config(), rest);
    case 'config':
      if (rest[0] !== 'check') throw new UsageError('config: say "check"');
      await config();
      console.log('The configuration is in order.');
      return;
    case undefined:
      console.log(USAGE);
      return;
    default:
      throw new UsageError(`there is no command "${command}"; --help lists them`);
  }
}

async function serve(config: Config): Promise<void> {
  // Heard from the first moment on: who is told to stop while starting stops in order, too.
  const toldToStop = new Promise<void>((resolve) => {
    const signals = ['SIGTERM', 'SIGINT'] as const;
    const stop = () => {
      // The second one, of either kind, ends the process at once, as it would without us.
      for (const signal of signals) process.off(signal, stop);
      resolve();
    };
    for (const signal of signals) process.on(signal, stop);
  });
  boundYoungGeneration();
  const count = workerCount(config.workers);
  const server = count > 1 ? await startWorkers({ config, count }) : await startServer({ config });
  await toldToStop;
  await server.close();
}

/** Opens store and keys for one command, and closes them after it. */
async function withKeys<T>(
  config: Config,
  use: (keys: Awaited<ReturnType<typeof loadKeys>>) => Promise<T>,
): Promise<T> {
  const store = await openStore(config);
  try {
    return await use(await loadKeys(config, store, createKeyring(config.secrets), Date.now));
  } finally {
    await store.close();
  }
}

const listKeys = (config: Config) =>
  withKeys(config, async (keys) => {
    for (const { kid, algorithm, signsFrom, state } of keys.list()) {
      console.log(
        `${kid}  ${algorithm}  ${state.padEnd(9)}  signs from ${new Date(signsFrom).toISOString()}`,
      );
    }
    const due = keys.rotatesAt();
    console.log(
      due === undefined
        ? 'The next key is added by "keys rotate" alone.'
        : `A running server adds the next key from ${new Date(due).toISOString()} on.`,
    );
  });

const rotateKeys = (config: Config, immediately: boolean) =>
  withKeys(config, async (keys) => {
    const kid = await keys.rotate({ immediately });
    const key = keys.list().find((one) => one.kid === kid);
    const from = key ? new Date(key.signsFrom).toISOString() : 'now';
    console.log(
      `Key ${kid} is published and signs from ${from}. Running servers take it up within 30 seconds.`,
    );
  });

async function unlock(config: Config, [siteId, number]: string[]): Promise<void> {
  if (siteId === undefined || number === undefined)
    throw new UsageError('unlock: name the site and the number');
  if (!config.sites.some(({ id }) => id === siteId)) throw new UsageError(`there is no site "${siteId}"`);
  const { e164 } = parsePhone(number);
  const store = await openStore(config);
  try {
    const { index } = await loadKeptKeys(store, createKeyring(config.secrets));
    await store.forgetGuesses(phoneKeyOf(index, siteId, e164));
    console.log('The failed guesses of this number are forgotten.');
  } finally {
    await store.close();
  }
}

async function backup({ store, dataDir }: Config, [to]: string[]): Promise<void> {
  if (to === undefined) throw new UsageError('backup: name the file to write');
  if (store.engine === 'redis') {
    throw new UsageError(
      'backup: the data is in Redis, which makes its own copies: have it save (BGSAVE, or appendonly yes) and copy those files',
    );
  }
  if (dataDir === ':memory:')
    throw new UsageError('backup: a dataDir of ":memory:" keeps nothing to back up');
  const begunAt = new Date();
  const { bytes } = backUp({ database: databaseIn(dataDir), to });
  console.log(
    `${to} is written and checked (${(bytes / 1e6).toFixed(1)} MB), for you alone to read. It holds whatever was answered
before ${begunAt.toISOString()}. What is sealed in it opens with the PHONE_PROOF_SECRET of today: keep that, too.`,
  );
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      now: { type: 'boolean' },
      workers: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) console.log(USAGE);
  else await run(positionals, values);
} catch (error) {
  console.error(sentenceOf(error) ?? error);
  process.exitCode = 1;
}
