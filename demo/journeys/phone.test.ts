/** The drawn phone: in the shop, and on the simulator's own page. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openWorld, type World } from './setup.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const send = async (number: string) => {
  await fetch(`${world.verifierUrl}/v1/verifications`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: world.shopUrl },
    body: JSON.stringify({ siteKey: 'pk_demo', phone: number, purpose: 'checkout' }),
  });
  const [message] = await world.inbox(number);
  return message?.code ?? '';
};

it('shows a message within seconds, with its sender, and says so to those who cannot see it', async () => {
  const visitor = await world.visit('/checkout');
  const phone = visitor.page.locator('simulator-phone');
  await phone.getByText('No messages yet. A code you ask for arrives here.').waitFor();
  const code = await send(world.newNumber().e164);
  await phone.getByRole('button', { name: `Use code ${code}` }).waitFor();
  await phone.getByRole('status').getByText(`New message from Polder: Polder: ${code}`).waitFor();
});

it('shows in the shop only what came during the visit', async () => {
  const earlier = await send(world.newNumber().e164);
  world.pass(1000);
  const visitor = await world.visit('/checkout');
  const phone = visitor.page.locator('simulator-phone');
  const later = await send(world.newNumber().e164);
  await phone.getByRole('button', { name: `Use code ${later}` }).waitFor();
  expect(await phone.getByRole('button', { name: `Use code ${earlier}` }).count()).toBe(0);
});

it('does not ask while nobody looks', async () => {
  const visitor = await world.visit('/checkout', { hasFakeTime: true });
  let asked = 0;
  await visitor.page.evaluate(
    `Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
     document.dispatchEvent(new Event('visibilitychange'))`,
  );
  await visitor.page.waitForLoadState('networkidle');
  visitor.page.on('request', (request) => {
    if (request.url().includes('/simulator/messages')) asked += 1;
  });
  const code = await send(world.newNumber().e164);
  await visitor.pass(5_000);
  expect(asked).toBe(0);
  await visitor.page.evaluate(
    `delete document.visibilityState; document.dispatchEvent(new Event('visibilitychange'))`,
  );
  await visitor.page
    .locator('simulator-phone')
    .getByRole('button', { name: `Use code ${code}` })
    .waitFor();
});

it('can be filtered by number on its own page, and the filter stands in the address', async () => {
  const [mine, other] = [world.newNumber(), world.newNumber()];
  const [mineCode, otherCode] = [await send(mine.e164), await send(other.e164)];
  const visitor = await world.visit(`${world.verifierUrl}/simulator`);
  const phone = visitor.page.locator('simulator-phone');
  await phone.getByRole('button', { name: `Use code ${otherCode}` }).waitFor();
  await visitor.fill({ 'Only messages to': mine.e164 });
  await visitor.page.keyboard.press('Enter');
  await phone.getByRole('button', { name: `Use code ${otherCode}` }).waitFor({ state: 'detached' });
  await phone.getByRole('button', { name: `Use code ${mineCode}` }).waitFor();
  expect(new URL(visitor.page.url()).searchParams.get('to')).toBe(mine.e164);

  await visitor.page.reload();
  await phone.getByRole('button', { name: `Use code ${mineCode}` }).waitFor();
  expect(await phone.getByRole('button', { name: `Use code ${otherCode}` }).count()).toBe(0);
  expect(visitor.complaints).toEqual([]);
});
