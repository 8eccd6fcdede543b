/**
 * The one logger: JSON lines on standard output, one event a line.
 *
 *     log.info({ event: 'verification.started', requestId, site: 'shop', phone: '+31 6 •••• 5678' });
 *
 * Nothing secret may be handed to it: no code, no full number, no key, no client secret, no proof. The
 * redaction below is the second line of defence and not the first; it knows the names of top members.
 */
import { type DestinationStream, pino } from 'pino';

export type Log = {
  debug(fields: LogFields): void;
  info(fields: LogFields): void;
  warn(fields: LogFields): void;
  error(fields: LogFields): void;
};

/** `event` is a stable dotted word to search for. */
export type LogFields = { event: string } & Record<string, unknown>;

const secretMembers = [
  'code',
  'clientSecret',
  'proof',
  'phoneNumber',
  'authorization',
  'secret',
  'secretKey',
  'intent',
];

export function createLog(level: string, destination?: DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: secretMembers,
    },
    destination ?? standardOutput(),
  );
}

let output: DestinationStream | undefined;

/** Lines of one turn of the event loop are written at its end, in one call. */
function standardOutput(): DestinationStream {
  if (output) return output;
  const file = pino.destination({ sync: true });
  let waiting = '';
  const flush = () => {
    const lines = waiting;
    waiting = '';
    if (lines !== '') file.write(lines);
  };
  process.once('exit', flush);
  output = {
    write(line) {
      if (waiting === '') setImmediate(flush);
      waiting += line;
    },
  };
  return output;
}
