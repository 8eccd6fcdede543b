/**
 * Verifier and shop on their two ports, as `npm start`, `npm run dev` and the journeys run them.
 *
 *     const demo = await startDemo({ env: process.env });
 *     await demo.close();
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { type ServerOptions, startServer } from 'phone-proof';
import { demoConfig, shopPortOf, shopUrlOf } from './config.ts';
import { createShop } from './shop.ts';

type DemoOptions = { env: Record<string, string | undefined> } & Pick<ServerOptions, 'clock' | 'log'>;

export type Demo = { verifierUrl: string; shopUrl: string; isReal: boolean; close(): Promise<void> };

export async function startDemo({ env, ...options }: DemoOptions): Promise<Demo> {
  const dataDir = env.DATA_DIR ?? 'data';
  const secret = env.PHONE_PROOF_SECRET ?? (await keptSecret(dataDir));
  const config = demoConfig({ env, secret });
  const shopUrl = shopUrlOf(env);
  const isReal = config.delivery.provider !== 'simulator';

  const verifier = await startServer({
    ...options,
    config,
    links: [{ href: shopUrl, text: 'The demo shop: sign up, log in, pay, transfer, book' }],
  });
  const shop = createShop({
    shopUrl,
    verifierUrl: config.publicUrl,
    siteKey: 'pk_demo',
    secretKey: 'sk_demo',
    audience: shopUrl,
    isReal,
    ...(options.clock && { clock: options.clock }),
  });
  const shopServer = await new Promise<ReturnType<typeof serve>>((resolve, reject) => {
    const server = serve(
      { fetch: shop.fetch, port: shopPortOf(env), hostname: env.HOST ?? '127.0.0.1' },
      () => resolve(server),
    );
    server.once('error', reject);
  });

  return {
    verifierUrl: config.publicUrl,
    shopUrl,
    isReal,
    close: async () => {
      const shopClosed = new Promise<void>((resolve) => shopServer.close(() => resolve()));
      if ('closeAllConnections' in shopServer) shopServer.closeAllConnections();
      await Promise.all([shopClosed, verifier.close()]);
    },
  };
}

/** A demo needs no setup: it makes its secret at first start and keeps it beside its data. */
async function keptSecret(dataDir: string): Promise<string> {
  const file = join(dataDir, 'secret');
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  if (kept !== undefined) return kept.trim();
  const secret = randomBytes(32).toString('base64url');
  await mkdir(dataDir, { recursive: true });
  await writeFile(file, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  return secret;
}
