/**
 * The configured store.
 *
 *     const store = await openStore(config);
 */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { openRedisStore } from './redis/redis.ts';
import { startCheckpointer } from './sqlite/checkpointer.ts';
import { openSqliteStore } from './sqlite/sqlite.ts';
import type { Store } from './store.ts';

/**
 * @param isKept another process does what `keepStore` does
 * @throws StoreUnavailable that says what cannot be reached or used
 */
export async function openStore({ store, dataDir }: Config, { isKept = false } = {}): Promise<Store> {
  switch (store.engine) {
    case 'sqlite': {
      const file = databaseIn(dataDir);
      return openSqliteStore({ file, ...(isKept && { isCheckpointed: true }) });
    }
    case 'redis':
      return openRedisStore({ url: store.url, prefix: store.prefix });
  }
}

/**
 * What a store needs done all the time, done once for several processes that have it open. Each could do it for itself:
 * it costs more, and nothing else.
 */
export function keepStore({ store, dataDir }: Config): { stop(): Promise<void> } | undefined {
  return store.engine === 'sqlite' ? startCheckpointer(databaseIn(dataDir)) : undefined;
}

/** The SQLite store's file. */
export const databaseIn = (dataDir: string): string => inDataDir(dataDir, 'phone-proof.sqlite');

/** A file under the data folder; `:memory:` stays what it is. */
export const inDataDir = (dataDir: string, name: string): string =>
  dataDir === ':memory:' ? dataDir : join(dataDir, name);
