/**
 * Servers on one store are killed (`kill -9`) at random moments under load and start again at once. A crash may cost
 * an answer, and no promise: that is judged from the clients' own record.
 *
 *     const verdict = await survive({ kills: 12, dir, env: { REDIS_URL }, onSpawn: (child) => children.add(child) });
 *     verdict.broken;      // { 'one proof for a code': [], … }
 */
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConfigInput } from '../../config.ts';
import { createCalls } from '../calls.ts';
import { type BrokenPromises, type Counts, createClients, MESSAGES_A_NUMBER } from './clients.ts';
import { startVictims } from './victims.ts';

export type Verdict = {
  killed: number;
  broken: BrokenPromises;
  counts: Counts;
  /** What servers said when they ended by themselves. */
  complaints: string[];
  seconds: number;
};

/** A kill comes so long after the one before. */
const PAUSE_MS = { min: 50, max: 400 };
/** Every so many kills all die together: what only one of the living had in memory must not be needed. */
const TOGETHER_EVERY = 5;

const SITE = {
  siteKey: 'pk_kills',
  secretKey: 'sk_kills',
  origin: 'https://shop.example',
  secret: 'a-secret-for-servers-that-are-killed',
};

const many = [{ limit: 1_000_000, window: '1h' }] satisfies [{ limit: number; window: string }];

const config: Omit<ConfigInput, 'secrets'> = {
  publicUrl: 'http://localhost:8787',
  host: '127.0.0.1',
  delivery: { provider: 'simulator' },
  sites: [
    {
      id: 'shop',
      brand: 'Shop',
      publishableKey: SITE.siteKey,
      secretKey: SITE.secretKey,
      allowedOrigins: [SITE.origin],
      limits: {
        phoneFromClient: many,
        phone: [{ limit: MESSAGES_A_NUMBER, window: '24h' }],
        client: many,
        site: many,
        failedGuesses: { perNetwork: { limit: 1_000_000, window: '1h' } },
      },
      // Nothing expires while it is judged, and resends are due while servers still die.
      purposes: { registration: { codeTtl: '10m', proofTtl: '1h', resendWait: '1s' } },
    },
  ],
};

/**
 * @param kills at least so many
 * @param dir an empty folder for configuration and data
 * @param env what the servers find in their environment beside the secret: the store they share
 * @param onSpawn gets each process, so that none outlives whoever asked
 */
export async function survive({
  kills,
  dir,
  env,
  onSpawn,
  onKill = () => {},
}: {
  kills: number;
  dir: string;
  env: Record<string, string>;
  onSpawn(child: ChildProcess): void;
  onKill?(done: number): void;
}): Promise<Verdict> {
  const startedAt = performance.now();
  writeFileSync(join(dir, 'phone-proof.config.json'), JSON.stringify(config));
  const victims = await startVictims({ dir, env: { PHONE_PROOF_SECRET: SITE.secret, ...env }, onSpawn });
  const clients = createClients(createCalls(SITE), victims.urls);
  const stopping = new AbortController();
  let killed = 0;

  async function kill(): Promise<void> {
    try {
      for (let turn = 1; killed < kills; turn += 1) {
        await delay(PAUSE_MS.min + Math.random() * (PAUSE_MS.max - PAUSE_MS.min));
        killed += await victims.kill(turn % TOGETHER_EVERY === 0 ? 'all' : 'one');
        onKill(killed);
      }
    } finally {
      stopping.abort();
    }
  }
  await Promise.all([clients.work(stopping.signal), kill()]);
  await clients.audit();
  const complaints = await victims.stop();
  const { broken, counts } = clients;
  return { killed, broken, counts, complaints, seconds: (performance.now() - startedAt) / 1_000 };
}
