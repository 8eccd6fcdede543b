/** What a proof is good for, and what not: once, here, for this, in this browser. */
import type { Response } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWorld, type World } from './setup.ts';
import type { Visitor } from './visitor.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** A visitor on the checkout whose number is verified, and the proof in the form. */
async function verifiedCheckout() {
  const visitor = await world.visit('/checkout');
  await visitor.askForCode(world.newNumber().written);
  await visitor.tapCode();
  await visitor.verified();
  await visitor.fill({ Name: 'Noor Jansen', Address: 'Oudegracht 1, Utrecht' });
  return { visitor, proof: await proofIn(visitor) };
}

const proofIn = ({ page }: Visitor) =>
  page.evaluate<string>('new FormData(document.querySelector("form:has(phone-proof)")).get("phone_proof")');

/** A form posted by hand, with the visitor's cookies. */
async function post({ context }: Visitor, path: string, form: Record<string, string>) {
  const answer = await context.request.post(`${world.shopUrl}${path}`, {
    form,
    headers: { origin: world.shopUrl },
    maxRedirects: 0,
  });
  const page = await answer.text();
  return {
    status: answer.status(),
    result: /data-result="(\w+)"/.exec(page)?.[1],
    code: /<code data-code>([\w-]+)</.exec(page)?.[1],
  };
}

const delivery = { name: 'Noor Jansen', address: 'Oudegracht 1, Utrecht' };

describe('a proof', () => {
  it('is accepted once: the same form posted twice is refused', async () => {
    const { visitor, proof } = await verifiedCheckout();
    await visitor.submit('Order for €141.50');
    expect(await visitor.result()).toBe('accepted');
    expect(await post(visitor, '/checkout', { ...delivery, phone_proof: proof })).toEqual({
      status: 422,
      result: 'refused',
      code: 'proof-redeemed',
    });
  });

  it('is accepted once when the form is posted ten times at the same moment', async () => {
    const { visitor, proof } = await verifiedCheckout();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => post(visitor, '/checkout', { ...delivery, phone_proof: proof })),
    );
    expect(answers.filter(({ result }) => result === 'accepted')).toHaveLength(1);
    expect(answers.filter(({ code }) => code === 'proof-redeemed')).toHaveLength(9);
  });

  it('is of no use in another browser', async () => {
    const { proof } = await verifiedCheckout();
    const thief = await world.visit('/checkout');
    expect(await post(thief, '/checkout', { ...delivery, phone_proof: proof })).toMatchObject({
      result: 'refused',
      code: 'wrong-nonce',
    });
  });

  it('is of no use for another purpose', async () => {
    const { visitor, proof } = await verifiedCheckout();
    const slot = await visitor.context.request.get(`${world.shopUrl}/appointment`);
    const id = /name="slot" value="([^"]+)"/.exec(await slot.text())?.[1] ?? '';
    const answer = await post(visitor, '/appointment', { slot: id, bicycle: 'Any', phone_proof: proof });
    expect(answer).toMatchObject({ result: 'refused', code: 'wrong-purpose' });
  });

  it('cannot be made up', async () => {
    const { visitor, proof } = await verifiedCheckout();
    const [header, payload, signature = ''] = proof.split('.');
    const forged = [header, payload, signature.slice(0, -4) + (signature.endsWith('AAAA') ? 'BBBB' : 'AAAA')];
    const answer = await post(visitor, '/checkout', { ...delivery, phone_proof: forged.join('.') });
    expect(answer).toMatchObject({ result: 'refused', code: 'bad-signature' });
  });

  it('pays nobody but the payee who stood in the message', async () => {
    const visitor = await world.visit('/transfer');
    await visitor.submit('Continue');
    await visitor.askForCode();
    await visitor.submit('Change the payee behind the customer’s back');
    await visitor.reads('Fien Bakker');
    await visitor.tapCode();
    await visitor.verified();
    await visitor.submit('Send money');
    expect(await visitor.result()).toBe('refused');
    expect(await visitor.page.locator('main [data-code]').textContent()).toBe('wrong-transaction');
    await visitor.page.goto(`${world.shopUrl}/transfer`);
    expect(await visitor.page.locator('main').textContent()).toContain('€1,240.00');
  });

  it('that was refused is not offered again', async () => {
    const { visitor, proof } = await verifiedCheckout();
    await post(visitor, '/checkout', { ...delivery, phone_proof: proof });
    await visitor.submit('Order for €141.50');
    expect(await visitor.result()).toBe('refused');
    await visitor.page.getByRole('link', { name: 'Start again' }).click();
    await visitor.number.waitFor();
  });
});

describe('a page that acts by intent', () => {
  it.each([
    ['/login', 'Continue'],
    ['/reset', 'Continue'],
    ['/transfer', 'Continue'],
    ['/account', undefined],
  ])('never learns the number: %s', async (path, next) => {
    const visitor = await world.visit(path);
    const seen: Promise<string>[] = [];
    visitor.page.on('response', (response) => seen.push(textOf(response)));
    if (next) await visitor.submit(next);
    else await visitor.page.reload();
    await visitor.askForCode();
    await visitor.page.reload();
    await visitor.code.waitFor();
    await visitor.reads('•••• 5678');
    const kept = await visitor.page.evaluate(() =>
      JSON.stringify([{ ...sessionStorage }, { ...localStorage }]),
    );
    const everything = [...(await Promise.all(seen)), await visitor.page.content(), kept].join('\n');
    expect(everything).toContain('int_');
    expect(everything).not.toContain('12345678');
  });
});

/** What the page was told, except by the drawn phone, which of course knows its own number. */
async function textOf(response: Response): Promise<string> {
  const url = response.url();
  if (url.includes('/simulator/')) return '';
  return `${url}\n${await response.text().catch(() => '')}`;
}
