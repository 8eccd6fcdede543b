/** The configuration of the real server under load. */
import { ISSUER, ORIGIN, PUBLISHABLE_KEY, PURPOSE, SECRET } from './settings.ts';

/** @param redis its address, where the store is not SQLite */
export const oursConfig = ({ dir, redis }: { dir: string; redis: string | undefined }) => ({
  publicUrl: ISSUER,
  port: 0,
  host: '127.0.0.1',
  dataDir: dir,
  secrets: [SECRET],
  trustedProxies: ['loopback'],
  delivery: { provider: 'simulator' },
  ...(redis !== undefined && { store: { engine: 'redis', url: redis } }),
  sites: [
    {
      id: 'shop',
      brand: 'Shop',
      publishableKey: PUBLISHABLE_KEY,
      secretKey: 'sk_bench',
      allowedOrigins: [ORIGIN],
      // Numbers and clients keep their usual limits, which no flow reaches; the one site takes all flows.
      limits: { site: [{ limit: 1_000_000, window: '1m' }] },
      purposes: { [PURPOSE]: {} },
    },
  ],
});
