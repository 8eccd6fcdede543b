/** What happens to codes on their way: mistyped, too old, sent again, sent to the wrong number. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openWorld, type World } from './setup.ts';
import type { Visitor } from './visitor.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

// A world each: time moves on in most of them.
let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

/** The `nth` code after the right one: none of them is right. */
const wrong = (code: string | undefined, nth = 1) =>
  String((Number(code) + nth) % 1_000_000).padStart(6, '0');

const book = async (visitor: Visitor) => {
  await visitor.verified();
  await visitor.submit('Book');
  return visitor.result();
};

/** For the server, the shop and the page alike. */
const pass = async (visitor: Visitor, ms: number) => {
  world.pass(ms);
  await visitor.pass(ms);
};

it('takes the right code after a wrong one, and says how many attempts are left', async () => {
  const number = world.newNumber();
  const visitor = await world.visit('/appointment');
  await visitor.askForCode(number.written);
  const [message] = await world.inbox(number.e164);
  await visitor.code.fill(wrong(message?.code));
  await visitor.reads('Wrong code, 4 attempts left.');
  await visitor.code.fill(message?.code ?? '');
  expect(await book(visitor)).toBe('accepted');
});

it('says when the guesses are spent, and goes on with a new code', async () => {
  const number = world.newNumber();
  const visitor = await world.visit('/appointment');
  await visitor.askForCode(number.written);
  const [first] = await world.inbox(number.e164);
  for (const [index, left] of ['4 attempts', '3 attempts', '2 attempts', '1 attempt'].entries()) {
    await visitor.code.fill(wrong(first?.code, index + 1));
    await visitor.reads(`Wrong code, ${left} left.`);
  }
  await visitor.code.fill(wrong(first?.code, 5));
  await visitor.reads('No attempts left. Ask for a new code.');
  await visitor.element.getByRole('button', { name: 'Text me a new code' }).click();
  await expect.poll(async () => (await world.inbox(number.e164)).length).toBe(2);
  const [fresh] = await world.inbox(number.e164);
  await visitor.tapCode(fresh?.code);
  expect(await book(visitor)).toBe('accepted');
});

it('says that a code has expired, and goes on with a new one', async () => {
  const number = world.newNumber();
  const visitor = await world.visit('/appointment', { hasFakeTime: true });
  await visitor.askForCode(number.written);
  const [old] = await world.inbox(number.e164);
  await pass(visitor, 5 * MINUTE + SECOND);
  await visitor.reads('This code has expired. Ask for a new one.');
  await visitor.element.getByRole('button', { name: 'Text me a new code' }).click();
  await expect.poll(async () => (await world.inbox(number.e164)).length).toBe(2);
  const [fresh] = await world.inbox(number.e164);
  expect(fresh?.code).not.toBe(old?.code);
  await visitor.code.fill(fresh?.code ?? '');
  expect(await book(visitor)).toBe('accepted');
});

it('sends the same code again after the wait, and not before', async () => {
  const number = world.newNumber();
  const visitor = await world.visit('/appointment', { hasFakeTime: true });
  await visitor.askForCode(number.written);
  const again = visitor.element.getByRole('button', { name: /^Send again/ });
  expect(await again.textContent()).toMatch(/Send again in \W?0:(30|29)/);
  await again.click({ force: true });
  expect(await world.inbox(number.e164)).toHaveLength(1);

  await pass(visitor, 31 * SECOND);
  await visitor.element.getByRole('button', { name: 'Send again', exact: true }).click();
  await expect.poll(async () => (await world.inbox(number.e164)).length).toBe(2);
  const [second, first] = await world.inbox(number.e164);
  expect(second?.code).toBe(first?.code);
  await visitor.reads(/Send again in \W?(1:00|0:5\d)/);
  await visitor.code.fill(first?.code ?? '');
  expect(await book(visitor)).toBe('accepted');
});

it('lets the number be changed: the code goes to the new one, and the old code is dead', async () => {
  const [mistyped, right] = [world.newNumber(), world.newNumber()];
  const visitor = await world.visit('/appointment');
  await visitor.askForCode(mistyped.written);
  const [old] = await world.inbox(mistyped.e164);
  await visitor.element.getByRole('button', { name: 'Change the mobile number' }).click();
  await visitor.askForCode(right.written);
  const [fresh] = await world.inbox(right.e164);
  if (old?.code !== fresh?.code) {
    await visitor.code.fill(old?.code ?? '');
    await visitor.reads(/Wrong code/);
  }
  await visitor.code.fill(fresh?.code ?? '');
  expect(await book(visitor)).toBe('accepted');
  expect(await visitor.claims()).toMatchObject({ phone_number: right.e164 });
});

it('starts again with a new intent when the code of the first one has expired', async () => {
  const visitor = await world.visit('/login?as=james', { hasFakeTime: true });
  await visitor.submit('Continue');
  await visitor.askForCode();
  await pass(visitor, 5 * MINUTE + SECOND);
  await visitor.reads('This code has expired');
  await visitor.submit('Start again with a new code');
  await visitor.askForCode();
  const [message] = await world.inbox('+447400123456');
  await visitor.code.fill(message?.code ?? '');
  await visitor.verified();
  await visitor.submit('Sign in');
  expect(await visitor.result()).toBe('accepted');
});
