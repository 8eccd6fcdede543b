import { expect } from 'chai';
import { mount } from '../testing/fixture.ts';
import { recordCalls } from '../testing/network.ts';
import { pass } from '../testing/verifier.ts';

const looksOf = (calls: ReturnType<typeof recordCalls>) =>
  calls.filter(({ method, path }) => method === 'GET' && /\/vrf_[^/]+$/.test(path)).length;

describe('watching a message', () => {
  it('looks by itself, and shows what has become of it', async () => {
    const { askForCode, element, text, settle } = await mount();
    const calls = recordCalls();
    await askForCode();
    await settle(() => looksOf(calls) > 0);
    await element.updateComplete;
    expect(text('#line')).to.match(/^(On its way|Delivered)/);
  });

  it('looks at once when somebody comes back, and not while nobody looks', async () => {
    const { askForCode, settle } = await mount();
    await askForCode();
    const calls = recordCalls();
    await pass(1000);
    await settle(() => looksOf(calls) === 1);
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
    try {
      document.dispatchEvent(new Event('visibilitychange'));
      const before = looksOf(calls);
      await new Promise((resolve) => setTimeout(resolve, 2500));
      expect(looksOf(calls)).to.equal(before);
    } finally {
      Reflect.deleteProperty(document, 'hidden');
    }
  });

  it('stops when there is nothing left to learn', async () => {
    const { verify } = await mount();
    await verify();
    const calls = recordCalls();
    await pass(1000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(looksOf(calls)).to.equal(0);
  });

  it('notices an end from elsewhere', async () => {
    const { askForCode, text, settle } = await mount();
    const calls = recordCalls();
    await askForCode();
    const started = calls.find(({ method, path }) => method === 'POST' && path === '/v1/verifications');
    // The same key gets the same verification, and so its secret: this is the browser that asked.
    const answer = await fetch(`${verifierUrl}/v1/verifications`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': started?.key ?? '' },
      body: started?.body ?? '',
    });
    const { id, clientSecret } = await answer.json();
    await fetch(`${verifierUrl}/v1/verifications/${id}`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${clientSecret}` },
    });
    await pass(0);
    await settle(() => text('#line') === 'This code can no longer be used. Ask for a new one.');
    await settle(() => text('#again') === 'Text me a new code');
  });
});
