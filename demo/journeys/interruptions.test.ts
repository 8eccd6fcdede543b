/** Reloads, double clicks, dead spots, limits: nothing is lost, and nothing is sent twice. */
import type { Route } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openWorld, type World } from './setup.ts';
import type { Visitor } from './visitor.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const order = async (visitor: Visitor) => {
  await visitor.fill({ Name: 'Noor Jansen', Address: 'Oudegracht 1, Utrecht' });
  await visitor.submit('Order for €141.50');
  return visitor.result();
};

const newestCode = async (number: string) => (await world.inbox(number))[0]?.code ?? '';

/** The request reaches the server and is acted upon; its answer never reaches the page. */
const loseOneAnswer = async ({ page }: Visitor, path: RegExp) => {
  let lost = 0;
  await page.route(path, async (route: Route) => {
    if (route.request().method() !== 'POST' || lost > 0) return route.fallback();
    lost += 1;
    await route.fetch();
    await route.abort('connectionreset');
  });
};

it('goes on with the same code after a reload in the middle', async () => {
  const number = world.newNumber();
  const visitor = await world.visit('/checkout');
  await visitor.askForCode(number.written);
  await visitor.page.reload();
  await visitor.code.fill(await newestCode(number.e164));
  await visitor.verified();
  expect(await world.inbox(number.e164)).toHaveLength(1);
  expect(await order(visitor)).toBe('accepted');
  expect(await visitor.claims()).toMatchObject({ phone_number: number.e164 });
  expect(visitor.complaints).toEqual([]);
});

it('goes on with the same code after a reload in the middle of a login', async () => {
  const visitor = await world.visit('/login');
  await visitor.submit('Continue');
  await visitor.askForCode();
  const before = (await world.inbox('+31612345678')).length;
  await visitor.page.reload();
  await visitor.code.waitFor();
  await visitor.tapCode();
  await visitor.verified();
  await visitor.submit('Sign in');
  expect(await visitor.result()).toBe('accepted');
  expect(await world.inbox('+31612345678')).toHaveLength(before);
});

it('is still verified after a reload', async () => {
  const number = world.newNumber();
  const visitor = await world.visit('/checkout');
  await visitor.askForCode(number.written);
  await visitor.tapCode();
  await visitor.verified();
  await visitor.page.reload();
  await visitor.verified();
  expect(await order(visitor)).toBe('accepted');
  expect(await world.inbox(number.e164)).toHaveLength(1);
});

it('keeps the verified number when the shop finds fault with another field', async () => {
  const number = world.newNumber();
  const visitor = await world.visit('/signup');
  await visitor.fill({ Name: 'Anna', 'E-mail': 'anna@polder.example', Password: 'lekke band 12' });
  await visitor.askForCode(number.written);
  await visitor.tapCode();
  await visitor.verified();
  await visitor.submit('Create account');
  await visitor.page.getByText('There is an account with this address already.').waitFor();
  await visitor.verified();
  await visitor.fill({ 'E-mail': 'another.anna@example.com', Password: 'lekke band 12' });
  await visitor.submit('Create account');
  expect(await visitor.result()).toBe('accepted');
  expect(await world.inbox(number.e164)).toHaveLength(1);
});

it('asks for a code anew for the next order', async () => {
  const number = world.newNumber();
  const visitor = await world.visit('/checkout');
  await visitor.askForCode(number.written);
  await visitor.tapCode();
  await visitor.verified();
  expect(await order(visitor)).toBe('accepted');
  await visitor.page.goto(`${world.shopUrl}/checkout`);
  await visitor.askForCode(number.written);
  await visitor.code.fill(await newestCode(number.e164));
  await visitor.verified();
  expect(await order(visitor)).toBe('accepted');
});

it('sends one message for a double click', async () => {
  const number = world.newNumber();
  const visitor = await world.visit('/checkout');
  await visitor.number.fill(number.written);
  await visitor.send.dblclick();
  await visitor.tapCode();
  await visitor.verified();
  expect(await world.inbox(number.e164)).toHaveLength(1);
});

it('waits while offline and sends once when the network is back', async () => {
  const number = world.newNumber();
  const visitor = await world.visit('/checkout');
  await visitor.number.fill(number.written);
  await visitor.context.setOffline(true);
  await visitor.send.click();
  await visitor.reads('You are offline.');
  expect(await world.inbox(number.e164)).toHaveLength(0);
  await visitor.context.setOffline(false);
  await visitor.code.waitFor();
  expect(await world.inbox(number.e164)).toHaveLength(1);

  await visitor.context.setOffline(true);
  await visitor.code.fill(await newestCode(number.e164));
  await visitor.reads('You are offline.');
  await visitor.context.setOffline(false);
  await visitor.verified();
  expect(await order(visitor)).toBe('accepted');
});

it('sends one message when the answer was lost on the way', async () => {
  const number = world.newNumber();
  const visitor = await world.visit('/checkout');
  await loseOneAnswer(visitor, /\/v1\/verifications$/);
  await visitor.askForCode(number.written);
  expect(await world.inbox(number.e164)).toHaveLength(1);
  await visitor.tapCode();
  await visitor.verified();
});

it('has the proof even when the answer that carried it was lost', async () => {
  const number = world.newNumber();
  const visitor = await world.visit('/checkout');
  await loseOneAnswer(visitor, /\/check$/);
  await visitor.askForCode(number.written);
  await visitor.tapCode();
  await visitor.verified();
  expect(await order(visitor)).toBe('accepted');
});

it('keeps the form back until the number is verified', async () => {
  const visitor = await world.visit('/checkout');
  await visitor.fill({ Name: 'Noor Jansen', Address: 'Oudegracht 1, Utrecht' });
  await visitor.submit('Order for €141.50');
  expect(await visitor.page.locator('main[data-result]').count()).toBe(0);
  expect(new URL(visitor.page.url()).pathname).toBe('/checkout');
});

it('says how long to wait when a limit is reached, and goes on after that', async () => {
  const strict = await openWorld({ isStrict: true });
  try {
    const number = strict.newNumber();
    for (let sent = 0; sent < 5; sent += 1) {
      const answer = await fetch(`${strict.verifierUrl}/v1/verifications`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: strict.shopUrl },
        body: JSON.stringify({ siteKey: 'pk_demo', phone: number.e164, purpose: 'checkout' }),
      });
      expect(answer.status).toBe(201);
    }
    const visitor = await strict.visit('/checkout', { hasFakeTime: true });
    await visitor.number.fill(number.written);
    await visitor.send.click();
    // Five an hour: the next one becomes free after a fifth of it.
    await visitor.reads(/Too many attempts\. Try again in \W?12 minutes/);
    expect(await strict.inbox(number.e164)).toHaveLength(5);

    strict.pass(12 * 60_000);
    await visitor.pass(12 * 60_000);
    await visitor.send.click();
    await visitor.code.waitFor();
    expect(await strict.inbox(number.e164)).toHaveLength(6);
  } finally {
    await strict.close();
  }
});
