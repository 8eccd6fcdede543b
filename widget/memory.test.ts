import { expect } from 'chai';
import { hands, mount } from './testing/fixture.ts';
import { failNext, goOffline, goOnline, loseAnswer, recordCalls } from './testing/network.ts';
import { codeSentTo, pass } from './testing/verifier.ts';

/** The element is made anew, as by a reload; what was kept is all it has. */
const reload = () => mount('required', { keepMemory: true });
const stored = () => JSON.stringify({ ...sessionStorage });

describe('after a reload', () => {
  it('goes on at the code', async () => {
    const phone = await (await mount()).askForCode();
    const { element, text, type, settle } = await reload();
    await settle(() => element.status === 'code');
    await element.updateComplete;
    expect(text('#sent-to')).to.equal(`Sent to +31 6 •••• ${phone.slice(-4)} · Change`);
    expect(document.activeElement).to.equal(document.body);
    await settle(() => element.phone === phone);
    await type('#code', await codeSentTo(phone));
    await settle(() => element.status === 'verified');
  });

  it('finds the number again when it is to be changed', async () => {
    const phone = await (await mount()).askForCode();
    const { element, find, press, settle } = await reload();
    await settle(() => element.phone === phone);
    await press('[part=change]');
    expect(find<HTMLInputElement>('#number').value).to.equal(phone);
  });

  it('has the proof again', async () => {
    const first = await mount('required');
    await first.verify();
    const claims = (proof: string | null) =>
      JSON.parse(atob(proof?.split('.')[1] ?? '').replace(/[^ -~]/g, ''));
    const { element, form, settle } = await reload();
    await settle(() => element.status === 'verified');
    expect(claims(element.proof).jti).to.equal(claims(first.element.proof).jti);
    expect(new FormData(form).get('phone_proof')).to.equal(element.proof);
    expect(form.checkValidity()).to.equal(true);
  });

  it('has the proof whose answer was lost with the page, and spends no further attempt', async () => {
    const { askForCode, type, settle, text } = await mount();
    const code = await codeSentTo(await askForCode());
    failNext('/check', loseAnswer);
    await type('#code', code);
    await settle(() => text('#line').startsWith('No answer'));
    const again = await reload();
    await again.settle(() => again.element.status === 'verified');
  });

  it('begins anew, without a word, when nothing is left of it', async () => {
    const { askForCode, element } = await mount();
    const phone = await askForCode();
    const canceled = recordCalls();
    const key = Object.keys(sessionStorage)[0] ?? '';
    const record = sessionStorage.getItem(key) ?? '';
    element.reset();
    await hands(element).settle(() => canceled.some(({ method }) => method === 'DELETE'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    sessionStorage.setItem(key, record);
    const again = await reload();
    await again.settle(() => again.element.status === 'phone');
    expect(again.text('#line')).to.equal('We will text a code to this number.');
    expect(again.events.filter(({ type }) => type === 'failed')).to.deep.equal([]);
    void phone;
  });

  it('begins anew when the code has expired meanwhile', async () => {
    await (await mount()).askForCode();
    await pass(5 * 60_000);
    expect((await reload()).element.status).to.equal('phone');
  });

  it('waits for the network', async () => {
    const first = await mount();
    await first.verify();
    goOffline();
    const { element, settle, text } = await mount('', { keepMemory: true, keepFaults: true });
    await settle(() => text('#line').startsWith('You are offline'));
    goOnline();
    await settle(() => element.status === 'verified');
  });
});

describe('what is kept', () => {
  it('is neither the number nor the proof', async () => {
    const { element, askForCode, type, settle } = await mount();
    const phone = await askForCode();
    expect(stored()).to.contain('vrf_').and.not.contain(phone.slice(4));
    await type('#code', await codeSentTo(phone));
    await settle(() => element.status === 'verified');
    expect(stored()).to.contain('vrf_').and.not.contain(phone.slice(4));
    expect(stored()).not.to.contain(element.proof);
    expect(document.cookie).to.equal('');
    expect(localStorage.length).to.equal(0);
  });

  it('is gone after a reset', async () => {
    const { element, verify } = await mount();
    await verify();
    element.reset();
    expect(stored()).to.equal('{}');
  });

  it('does no harm when it is somebody else’s', async () => {
    await (await mount()).askForCode();
    for (const key of Object.keys(sessionStorage)) sessionStorage.setItem(key, '{"verification":{}}');
    expect((await reload()).element.status).to.equal('phone');
  });
});
