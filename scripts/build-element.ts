/**
 * Builds the element into `dist/widget`, as every command that needs it does.
 *
 *     await buildElement();
 *     await buildElement({ watch: true });   // builds again on every change
 */
import { build } from 'vite';

export async function buildElement({ watch = false } = {}): Promise<void> {
  const before = process.env.NODE_ENV;
  await build({ logLevel: 'warn', ...(watch && { build: { watch: {} } }) });
  // Vite declares this process a production one, and whatever starts next would believe it.
  if (before === undefined) delete process.env.NODE_ENV;
  else process.env.NODE_ENV = before;
}
