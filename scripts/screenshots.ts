/**
 * `npm run screenshots`: every state of the element on the demo's pages, into the ignored folder
 * `screenshots/`; the three that the README shows go to `docs/images/`.
 *
 * The element is driven by hand as a person would, against the real verifier.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import type { Locator } from 'playwright-core';
import { openWorld, type World } from '../demo/journeys/setup.ts';
import type { VisitOptions, Visitor } from '../demo/journeys/visitor.ts';
import { buildElement } from './build-element.ts';

const OUT = 'screenshots';
const README_IMAGES = 'docs/images';
/** Tall enough that nothing has to be scrolled, and the docked phone covers nothing. */
const TALL = 1400;

type Look = { name: string; options: VisitOptions; dir?: 'rtl' };

const looks: Look[] = [
  { name: 'light', options: { width: 390 } },
  { name: 'dark', options: { width: 390, colorScheme: 'dark' } },
  { name: 'rtl', options: { width: 390 }, dir: 'rtl' },
  { name: 'forced', options: { width: 390, forcedColors: 'active' } },
  { name: 'narrow', options: { width: 320 } },
  { name: 'wide', options: { width: 1280 } },
];

await buildElement();
await mkdir(OUT, { recursive: true });
await mkdir(README_IMAGES, { recursive: true });
const world = await openWorld();
try {
  for (const look of looks) await shootAll(world, look);
  for (const step of ['phone', 'code', 'verified']) {
    await copyFile(`${OUT}/element-${step}-light.png`, `${README_IMAGES}/${step}.png`);
  }
} finally {
  await world.close();
}
console.log(`See ${OUT}/ and ${README_IMAGES}/.`);

async function shootAll({ visit, newNumber, inbox }: World, { name, options, dir }: Look): Promise<void> {
  const open = async (path: string): Promise<Visitor> => {
    const visitor = await visit(path, { ...options, height: TALL, deviceScaleFactor: 2 });
    if (dir) await visitor.page.evaluate(`document.documentElement.dir = '${dir}'`);
    await visitor.page.waitForLoadState('networkidle');
    return visitor;
  };
  const element = (visitor: Visitor, state: string) =>
    shoot(visitor.page.locator('phone-proof'), `${OUT}/element-${state}-${name}.png`);
  const page = (visitor: Visitor, state: string) =>
    visitor.page.screenshot({ path: `${OUT}/page-${state}-${name}.png`, animations: 'disabled' });

  const signup = await open('/signup');
  await element(signup, 'phone');
  await page(signup, 'signup');
  await signup.number.fill('06 123');
  await signup.send.click();
  await signup.page.waitForTimeout(300);
  await element(signup, 'phone-error');

  const { written, e164 } = newNumber();
  await signup.askForCode(written);
  await signup.reads(/Send again/);
  await element(signup, 'code');
  await page(signup, 'code');
  const [message] = await inbox(e164);
  const wrong = String((Number(message?.code) + 1) % 1_000_000).padStart(6, '0');
  await signup.code.fill(wrong);
  await signup.reads(/Wrong code/);
  await element(signup, 'code-error');
  await signup.code.fill(message?.code ?? '');
  await signup.verified();
  await element(signup, 'verified');
  await signup.context.close();

  const transfer = await open('/transfer');
  await transfer.submit('Continue');
  await transfer.page.waitForLoadState('networkidle');
  await element(transfer, 'transaction');
  await transfer.askForCode();
  await element(transfer, 'transaction-code');
  await page(transfer, 'transfer');
  await transfer.context.close();

  const home = await open('/');
  await page(home, 'home');
  await home.context.close();
}

/** With a little of the page around, so that focus rings and shadows are whole. */
async function shoot(element: Locator, path: string): Promise<void> {
  const box = await element.boundingBox();
  if (!box) throw new Error(`${path}: the element takes no room`);
  const margin = 16;
  await element.page().screenshot({
    path,
    animations: 'disabled',
    clip: {
      x: Math.max(0, box.x - margin),
      y: Math.max(0, box.y - margin),
      width: box.width + margin * 2,
      height: box.height + margin * 2,
    },
  });
}
