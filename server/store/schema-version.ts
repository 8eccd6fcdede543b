/**
 * Which releases may work on one store at the same time: those whose schema versions are neighbours.
 *
 *     assertNeighbour('the database', { version: 3, known: 2 });
 *
 * While a fleet is updated one server after the other, a process of version n works beside one of version
 * n + 1 and on what that one wrote. Two versions apart nobody promises anything, so that is refused: at
 * opening, and by `ping` once the store moves on under a running process. The rule for those who change a
 * schema stands in `sqlite/migrations.ts`.
 */
import type { z } from 'zod';
import { StoreUnavailable } from './store.ts';

/** @throws StoreUnavailable */
export function assertNeighbour(what: string, { version, known }: { version: number; known: number }): void {
  if (version <= known + 1) return;
  throw new StoreUnavailable(
    `${what} has schema version ${version}, this release knows ${known}: run a newer release`,
  );
}

/**
 * A stored value as its schema has it. What a newer release wrote and this one cannot judge is left to
 * that release.
 *
 * @throws StoreUnavailable
 */
export function understood<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new StoreUnavailable(`${what} is in a form that this release does not know`, { cause: parsed.error });
}

/**
 * The same for one word of a few, read with every verification.
 *
 * @throws StoreUnavailable
 */
export function oneOf<Word extends string>(words: readonly Word[], value: unknown, what: string): Word {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw new StoreUnavailable(`${what} is in a form that this release does not know`);
}
