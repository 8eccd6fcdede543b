/**
 * Waits for something to become true, however long this machine takes.
 *
 *     await until(() => output.includes('server.draining'));
 */
import { setTimeout as delay } from 'node:timers/promises';

/** So long that only what never happens is given up on. */
const LIMIT_MS = 20_000;

export async function until(
  condition: () => boolean | Promise<boolean>,
  what = 'the condition',
): Promise<void> {
  const giveUpAt = Date.now() + LIMIT_MS;
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error(`${what} never came true`);
    await delay(10);
  }
}
