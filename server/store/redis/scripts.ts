/**
 * The store's Lua scripts: read once, run by hash, sent whole only where the server does not know them.
 *
 *     const answer = await runScript(redis, scripts.check, [verificationKey, idempotencyKey], [now, '1', …]);
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';
import { channel } from '../../contract.ts';
import { storedStatus } from '../kept-answers.ts';
import { verificationFieldNames } from './records.ts';

export type Script = { source: string; sha: string };

const read = (name: string) => readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
/** The values that this release knows, as Lua tables: a script decides nothing about others. */
const known = Object.entries({ status: storedStatus, channel })
  .map(
    ([name, { options }]) => `local known_${name} = { ${options.map((one) => `${one} = true`).join(', ')} }`,
  )
  .join('\n');
/** What a step reads of a verification, in the order of its answer. */
const fields = `local verification_fields = { ${verificationFieldNames.map((name) => `'${name}'`).join(', ')} }`;
const common = `${known}\n${fields}\n${read('common')}`;

function load(name: string): Script {
  const source = `${common}\n${read(name)}`;
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

export const scripts = {
  start: load('start'),
  resend: load('resend'),
  check: load('check'),
  cancel: load('cancel'),
  settleDelivery: load('settle-delivery'),
  takeDelivery: load('take-delivery'),
  redeem: load('redeem'),
  claim: load('claim'),
  unclaim: load('unclaim'),
  reserve: load('reserve'),
  release: load('release'),
  addSigningKey: load('add-signing-key'),
  raiseSchema: load('raise-schema'),
};

/** All keys lie in one slot. A server that restarted, or flushed its cache, is sent the source again. */
export async function runScript(
  redis: Redis | Cluster,
  { source, sha }: Script,
  keys: string[],
  args: (string | number)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return redis.eval(source, keys.length, ...keys, ...args);
  }
}
