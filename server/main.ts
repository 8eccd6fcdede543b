#!/usr/bin/env node
/**
 * The command line.
 *
 *     phone-proof serve
 *     phone-proof keys list
 *     phone-proof keys rotate [--now]
 *     phone-proof unlock <site> <number>
 *     phone-proof config check
 */
import { parseArgs } from 'node:util';
import { type Config, ConfigError } from './config.ts';
import { loadConfig } from './config-file.ts';
import { parsePhone } from './guard/phone-number.ts';
import { loadKeptKeys } from './kept-keys.ts';
import { Problem } from './problem.ts';
import { createKeyring, SecretGone } from './secrets.ts';
import { loadKeys, startServer } from './serve.ts';
import { openStore } from './store/open.ts';
import { StoreUnavailable } from './store/store.ts';
import { phoneKeyOf } from './verification/deps.ts';

const USAGE = `phone-proof: one-time codes by SMS, and signed proofs

  phone-proof serve                     run the server
  phone-proof keys list                 the signing keys and what each does
  phone-proof keys rotate [--now]       add a signing key; it takes over after the overlap (--now: at once)
  phone-proof unlock <site> <number>    forget the failed guesses of a number, given as +31612345678
  phone-proof config check              read the configuration and say what is wrong with it

  --config <file>   instead of phone-proof.config.ts, .js or .json in this folder
  --help            this page

Secrets come from the environment: PHONE_PROOF_SECRET, PHONE_PROOF_SECRET_KEY_<SITE>, MESSAGEBIRD_ACCESS_KEY.`;

/** A mistake in how the command was called: told in one line. */
class UsageError extends Error {}

type Options = { config?: string | undefined; now?: boolean | undefined };

async function run(words: string[], options: Options): Promise<void> {
  const [command, ...rest] = words;
  const config = () => loadConfig({ path: options.config, env: process.env, cwd: process.cwd() });
  switch (command) {
    case 'serve':
      return serve(await config());
    case 'keys':
      if (rest[0] === 'list') return listKeys(await config());
      if (rest[0] === 'rotate') return rotateKeys(await config(), options.now === true);
      throw new UsageError('keys: say "list" or "rotate"');
    case 'unlock':
      return unlock(await config(), rest);
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
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  const server = await startServer({ config });
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

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { config: { type: 'string' }, now: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) console.log(USAGE);
  else await run(positionals, values);
} catch (error) {
  console.error(sentenceOf(error) ?? error);
  process.exitCode = 1;
}

/** What whoever called can mend, in a sentence; undefined for a mistake of ours, which shows its stack. */
function sentenceOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'EADDRINUSE') return `${error.message}: stop what listens there, or set another PORT.`;
  if (code === 'EACCES') return `${error.message}: this user may not listen there; set another PORT.`;
  const isTold =
    error instanceof ConfigError ||
    error instanceof UsageError ||
    error instanceof Problem ||
    error instanceof StoreUnavailable ||
    error instanceof SecretGone ||
    code.startsWith('ERR_PARSE_ARGS');
  return isTold ? error.message : undefined;
}
