/**
 * What each server under test does beside serving: it says where it listens, and ends with its parent.
 *
 *     const { store, dir, redis } = serverArguments();
 *     ready(port, () => server.close());
 */
import { parseArgs } from 'node:util';

/** @returns the folder that is this run's own, and the address of its Redis where there is one */
export function serverArguments(): { dir: string; redis: string | undefined } {
  const { values } = parseArgs({ options: { dir: { type: 'string' }, redis: { type: 'string' } } });
  if (values.dir === undefined) throw new Error('say --dir <folder>');
  return { dir: values.dir, redis: values.redis };
}

export function ready(port: number, close: () => unknown): void {
  const stop = async () => {
    await close();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('disconnect', stop);
  process.send?.({ port });
}
