/**
 * `Idempotency-Key`: the same key with the same body gets the first answer again.
 *
 *     const idempotency = idempotencyOf(c, { index, clock }, `check ${id}`, body);
 *
 * Key and body are kept as keyed hashes: the body of a check holds a code.
 */
import type { Clock } from '../clock.ts';
import { Problem } from '../problem.ts';
import type { Secret } from '../secrets.ts';
import type { Idempotency } from '../store/store.ts';
import type { AppContext } from './env.ts';

const TTL_MS = 10 * 60_000;

/**
 * @param scope what the key is for: one key may serve one start and one check without meeting itself
 * @param body as validated, so that white space and member order make no difference
 */
export function idempotencyOf(
  c: AppContext,
  { index, clock }: { index: Secret; clock: Clock },
  scope: string,
  body: unknown,
): Idempotency | null {
  const key = c.req.header('Idempotency-Key');
  if (key === undefined) return null;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    const message = 'an idempotency key has 1 to 255 visible ASCII characters, such as a UUID';
    throw new Problem('malformed-request', { errors: [{ path: 'Idempotency-Key', message }] });
  }
  return {
    key: index.macText('idempotency', 'key', scope, key),
    fingerprint: index.macText('idempotency', 'body', scope, JSON.stringify(body)),
    expiresAt: clock() + TTL_MS,
  };
}
