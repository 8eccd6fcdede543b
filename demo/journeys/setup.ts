/**
 * A world for one file of journeys: verifier and shop on free ports, data that goes with it, one browser.
 *
 *     const world = await openWorld();
 *     const visitor = await world.visit('/signup');
 *     await visitor.askForCode('06 1234 1001');
 *     await visitor.tapCode();
 *     await visitor.submit('Create account');
 *     expect(await visitor.result()).toBe('accepted');
 *     await world.close();
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { z } from 'zod';
import { chromiumFlags, findChromium } from '../../scripts/chromium.ts';
import { freePort } from '../../scripts/free-port.ts';
import { startDemo } from '../start.ts';
import { createVisitor, type VisitOptions, type Visitor } from './visitor.ts';

const inbox = z.array(z.object({ to: z.string(), body: z.string(), code: z.string() }));
type Message = z.infer<typeof inbox>[number];

export type World = {
  shopUrl: string;
  verifierUrl: string;
  /** A new browser session on this page of the shop. */
  visit(path: string, options?: VisitOptions): Promise<Visitor>;
  /** What arrived for this number (E.164), newest first. */
  inbox(to: string): Promise<Message[]>;
  /** A Dutch mobile number that no other journey uses. */
  newNumber(): { written: string; e164: string };
  /** Moves the verifier's and the shop's clock. */
  pass(ms: number): void;
  close(): Promise<void>;
};

/**
 * How far the world begins in the past. It may be moved on by as much: a backend's library reads the
 * machine's clock, and rightly refuses a proof from the future.
 */
const HEAD_START_MS = 8 * 60_000;

export async function openWorld({ isStrict = false }: { isStrict?: boolean } = {}): Promise<World> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('Chromium, Chrome or Edge is needed: apt install chromium');
  const dataDir = await mkdtemp(join(tmpdir(), 'phone-proof-journeys-'));
  const [port, shopPort] = [await freePort(), await freePort()];

  let offsetMs = -HEAD_START_MS;
  const clock = () => Date.now() + offsetMs;

  const env = {
    PORT: String(port),
    SHOP_PORT: String(shopPort),
    DATA_DIR: dataDir,
    LOG_LEVEL: 'silent',
    PHONE_PROOF_SECRET: 'a secret for journeys and for nothing else',
    ...(isStrict && { PHONE_PROOF_LIMITS: 'strict' }),
  };
  const demo = await startDemo({ env, clock });
  const browser = await chromium.launch({ executablePath, args: [...chromiumFlags] });

  let numbers = 1000;

  const { shopUrl, verifierUrl } = demo;
  return {
    shopUrl,
    verifierUrl,
    visit: (path, options) => createVisitor(browser, new URL(path, shopUrl), options),
    async inbox(to) {
      const url = new URL(`/simulator/messages?${new URLSearchParams({ to })}`, verifierUrl);
      return inbox.parse(await (await fetch(url)).json());
    },
    newNumber() {
      numbers += 1;
      return { written: `06 1234 ${numbers}`, e164: `+3161234${numbers}` };
    },
    pass(ms) {
      offsetMs += ms;
    },
    async close() {
      await browser.close();
      await demo.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
