/**
 * What whoever called the command line can mend, in a sentence instead of a stack.
 *
 *     console.error(sentenceOf(error) ?? error);
 */
import { ConfigError } from './config.ts';
import { Problem } from './problem.ts';
import { SecretGone } from './secrets.ts';
import { BackupFailed } from './store/sqlite/backup.ts';
import { StoreUnavailable } from './store/store.ts';

/** A mistake in how the command was called: told in one line. */
export class UsageError extends Error {}

/** A worker process did not come up; the message is what a single process would have printed. */
export class WorkerNotStarted extends Error {}

/** Undefined for a mistake of ours, which shows its stack. */
export function sentenceOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'EADDRINUSE')
    return `${placeOf(error)} is taken: stop what listens there, or set another PORT.`;
  if (code === 'EACCES') return `${placeOf(error)}: this user may not listen there; set another PORT.`;
  const isTold =
    error instanceof ConfigError ||
    error instanceof UsageError ||
    error instanceof WorkerNotStarted ||
    error instanceof BackupFailed ||
    error instanceof Problem ||
    error instanceof StoreUnavailable ||
    error instanceof SecretGone ||
    code.startsWith('ERR_PARSE_ARGS');
  return isTold ? error.message : undefined;
}

/** Where somebody wanted to listen. Node's own sentence names the system call, which depends on who made it. */
const placeOf = (error: Error): string | undefined =>
  'port' in error && 'address' in error
    ? `port ${error.port} of ${error.address ?? 'any address'}`
    : undefined;
