/**
 * A person in front of a page of the shop, with a phone in the hand.
 *
 * Everything is found as that person finds it: by its label, its role, its words. Chromium's
 * accessibility names reach into the element's open shadow root.
 */
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { z } from 'zod';

export type VisitOptions = Pick<
  BrowserContextOptions,
  'colorScheme' | 'forcedColors' | 'deviceScaleFactor'
> & {
  width?: number;
  height?: number;
  /** The page's timers and dates are moved by `pass()`, not by waiting. */
  hasFakeTime?: boolean;
};

export type Visitor = {
  page: Page;
  context: BrowserContext;
  number: Locator;
  code: Locator;
  /** The element's own button for sending. */
  send: Locator;
  /** The element, for what stands in it. */
  element: Locator;
  fill(fields: Record<string, string>): Promise<void>;
  /** Types the number, where one is asked for, and has the code sent. */
  askForCode(number?: string): Promise<void>;
  /** Taps the newest code on the drawn phone (or waits for this one), which fills it in. */
  tapCode(code?: string): Promise<void>;
  verified(): Promise<void>;
  /** Waits until the element says so. It may also be spoken, in a live region beside it. */
  reads(words: string | RegExp): Promise<void>;
  submit(button: string): Promise<void>;
  /** `accepted`, `refused` or `unavailable`, once the shop has answered. */
  result(): Promise<string>;
  /** What the shop's backend says that it received. */
  claims(): Promise<Record<string, unknown>>;
  /** Moves the page's clock; needs `hasFakeTime`. */
  pass(ms: number): Promise<void>;
  /** What the page complained of: exceptions, and violations of its Content-Security-Policy. */
  complaints: string[];
};

const claimsOf = z.record(z.string(), z.unknown());

export async function createVisitor(
  browser: Browser,
  url: URL,
  { width = 1280, height = 900, hasFakeTime = false, ...look }: VisitOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({ ...look, viewport: { width, height }, locale: 'en-GB' });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // The browser logs every answer above 399 by itself; those are judged by what the person sees.
    const isRefusal = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isRefusal) complaints.push(message.text());
  });
  if (hasFakeTime) await page.clock.install();
  await page.goto(url.href);

  const element = page.locator('phone-proof');
  const phone = page.locator('simulator-phone');
  const number = element.getByLabel('Mobile number', { exact: true });
  const code = element.getByLabel(/Enter the 6-digit code/);
  const send = element.getByRole('button', { name: 'Text me a code' });

  return {
    page,
    context,
    number,
    code,
    send,
    element,
    complaints,
    async fill(fields) {
      for (const [label, value] of Object.entries(fields)) {
        await page.getByLabel(label, { exact: true }).fill(value);
      }
    },
    async askForCode(written) {
      if (written !== undefined) await number.fill(written);
      await send.click();
      await code.waitFor();
    },
    async tapCode(code = '') {
      await phone
        .getByRole('button', { name: new RegExp(`^Use.*${code}`) })
        .filter({ visible: true })
        .last()
        .click();
    },
    async verified() {
      await element.getByRole('group', { name: 'Verified' }).waitFor();
    },
    reads: (words) => element.getByText(words).first().waitFor(),
    submit: (button) => page.getByRole('button', { name: button, exact: true }).click(),
    async result() {
      const main = page.locator('main[data-result]');
      await main.waitFor();
      return (await main.getAttribute('data-result')) ?? '';
    },
    async claims() {
      return claimsOf.parse(
        JSON.parse((await page.locator('[data-claims]').getAttribute('data-claims')) ?? ''),
      );
    },
    pass: (ms) => page.clock.fastForward(ms),
  };
}
