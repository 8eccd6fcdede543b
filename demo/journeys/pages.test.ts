/** Every page of the shop, from the number to the accepted form, with the code tapped on the drawn phone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWorld, type World } from './setup.ts';
import type { Visitor } from './visitor.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const verify = async (visitor: Visitor, number?: string) => {
  await visitor.askForCode(number);
  await visitor.tapCode();
  await visitor.verified();
};

describe('a number typed on the page', () => {
  it.each([
    ['a desk', 1280],
    ['a phone', 390],
  ])('opens an account, from %s', async (_, width) => {
    const number = world.newNumber();
    const visitor = await world.visit('/signup', { width });
    await visitor.fill({
      Name: 'Noor Jansen',
      'E-mail': `noor${width}@example.com`,
      Password: 'lekke band 12',
    });
    await verify(visitor, number.written);
    await visitor.submit('Create account');
    expect(await visitor.result()).toBe('accepted');
    expect(await visitor.page.locator('main').textContent()).toContain('Account created');
    expect(await visitor.claims()).toMatchObject({
      phone_number: number.e164,
      phone_number_verified: true,
      purpose: 'registration',
      amr: ['sms', 'otp'],
      aud: world.shopUrl,
      iss: world.verifierUrl,
    });
    expect(visitor.complaints).toEqual([]);
  });

  it('completes an order above the value that asks for a code', async () => {
    const number = world.newNumber();
    const visitor = await world.visit('/checkout');
    await visitor.fill({ Name: 'Noor Jansen', Address: 'Oudegracht 1, Utrecht' });
    await verify(visitor, number.written);
    await visitor.submit('Order for €141.50');
    expect(await visitor.result()).toBe('accepted');
    expect(await visitor.claims()).toMatchObject({ purpose: 'checkout', phone_number: number.e164 });
    expect(visitor.complaints).toEqual([]);
  });

  it('completes a smaller order without any code', async () => {
    const visitor = await world.visit('/checkout');
    await visitor.page.getByRole('button', { name: 'One Canvas pannier less' }).click();
    await visitor.page.getByText('we need no number').waitFor();
    expect(await visitor.element.count()).toBe(0);
    await visitor.fill({ Name: 'Noor Jansen', Address: 'Oudegracht 1, Utrecht' });
    await visitor.submit('Order for €62.50');
    expect(await visitor.result()).toBe('accepted');
  });

  it('books the workshop', async () => {
    const number = world.newNumber();
    const visitor = await world.visit('/appointment');
    await visitor.page.getByLabel('13:30').first().check({ force: true });
    await verify(visitor, number.written);
    await visitor.submit('Book');
    expect(await visitor.result()).toBe('accepted');
    expect(await visitor.claims()).toMatchObject({ purpose: 'appointment', phone_number: number.e164 });
    expect(visitor.complaints).toEqual([]);
  });
});

describe('a code to the number on file', () => {
  it('is the second factor of a login', async () => {
    const visitor = await world.visit('/login');
    await visitor.submit('Continue');
    await verify(visitor);
    await visitor.submit('Sign in');
    expect(await visitor.result()).toBe('accepted');
    expect(await visitor.claims()).toMatchObject({
      purpose: 'login',
      sub: 'anna',
      phone_number: '+31612345678',
    });
    expect(await visitor.page.locator('header nav').textContent()).toContain('Anna de Vries');
    expect(visitor.complaints).toEqual([]);
  });

  it('reaches numbers of other countries', async () => {
    const visitor = await world.visit('/login?as=james');
    await visitor.submit('Continue');
    await verify(visitor);
    await visitor.submit('Sign in');
    expect(await visitor.claims()).toMatchObject({ sub: 'james', phone_number: '+447400123456' });
  });

  it('opens an account whose password was forgotten', async () => {
    const visitor = await world.visit('/reset');
    await visitor.fill({ 'E-mail': 'james@polder.example' });
    await visitor.submit('Continue');
    await verify(visitor);
    await visitor.submit('Continue');
    await visitor.fill({ 'New password': 'rugwind naar huis' });
    await visitor.submit('Save password');
    expect(await visitor.result()).toBe('accepted');
    expect(await visitor.claims()).toMatchObject({ purpose: 'password_reset', sub: 'james' });

    await visitor.page.goto(`${world.shopUrl}/login?as=james`);
    await visitor.submit('Continue');
    await visitor.page.getByText('E-mail or password is not right.').waitFor();
    await visitor.fill({ 'E-mail': 'james@polder.example', Password: 'rugwind naar huis' });
    await visitor.submit('Continue');
    await visitor.send.waitFor();
    expect(visitor.complaints).toEqual([]);
  });

  it('asks an unknown address for nothing, and sends nothing', async () => {
    const visitor = await world.visit('/reset');
    await visitor.fill({ 'E-mail': 'nobody@example.com' });
    await visitor.submit('Continue');
    await visitor.page.getByText('If nobody@example.com has an account').waitFor();
    expect(await visitor.element.count()).toBe(0);
  });

  it('approves a transfer: amount and payee on the page, in the message and in the proof', async () => {
    const visitor = await world.visit('/transfer');
    await visitor.fill({ 'Amount in euros': '1.240,00', To: 'Joris van Dam', Reference: 'Bakfiets' });
    await visitor.submit('Continue');
    for (const words of ['€1,240.00', 'Joris van Dam', 'Bakfiets']) {
      await visitor.reads(words);
    }
    await visitor.askForCode();
    const [message] = await world.inbox('+31612345678');
    expect(message?.body).toContain('1,240.00 to Joris van Dam');
    await visitor.tapCode();
    await visitor.verified();
    await visitor.submit('Send money');
    expect(await visitor.result()).toBe('accepted');
    expect(await visitor.claims()).toMatchObject({
      purpose: 'transaction',
      transaction: { amount: '1240.00', currency: 'EUR', payee: 'Joris van Dam', reference: 'Bakfiets' },
    });
    expect(await visitor.page.locator('main').textContent()).toContain('€0.00 left');
    expect(visitor.complaints).toEqual([]);
  });

  it('approves a change of the account', async () => {
    const visitor = await world.visit('/account');
    await visitor.fill({ 'New e-mail address': 'anna.de.vries@example.com' });
    await verify(visitor);
    await visitor.submit('Save');
    expect(await visitor.result()).toBe('accepted');
    expect(await visitor.claims()).toMatchObject({ purpose: 'account_change', sub: 'anna' });
    expect(visitor.complaints).toEqual([]);
  });
});
