/**
 * The configured store.
 *
 *     const store = await openStore(config);
 */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { openRedisStore } from './redis/redis.ts';
import { openSqliteStore } from './sqlite/sqlite.ts';
import type { Store } from './store.ts';

/** @throws StoreUnavailable that says what cannot be reached or used */
export async function openStore({ store, dataDir }: Config): Promise<Store> {
  switch (store.engine) {
    case 'sqlite':
      return openSqliteStore({ file: inDataDir(dataDir, 'phone-proof.sqlite') });
    case 'redis':
      return openRedisStore({ url: store.url, prefix: store.prefix });
  }
}

/** A file under the data folder; `:memory:` stays what it is. */
export const inDataDir = (dataDir: string, name: string): string =>
  dataDir === ':memory:' ? dataDir : join(dataDir, name);
