import { expect } from 'chai';
import { mount, until } from './testing/fixture.ts';
import { answerWith, failNext, recordCalls } from './testing/network.ts';
import { codeSentTo, createIntent, freshPhone, pass } from './testing/verifier.ts';

const entries = (form: HTMLFormElement) => [...new FormData(form)];

describe('the form contract', () => {
  it('submits the proof under its name', async () => {
    const { element, form, verify } = await mount('name="proof"');
    expect(entries(form)).to.deep.equal([]);
    await verify();
    expect(entries(form)).to.deep.equal([['proof', element.proof]]);
  });

  it('submits it as phone_proof when it has no name', async () => {
    const { element, form, verify } = await mount();
    await verify();
    expect(entries(form)).to.deep.equal([['phone_proof', element.proof]]);
  });

  it('follows a name that changes', async () => {
    const { element, form, verify } = await mount();
    await verify();
    element.name = 'renamed';
    await element.updateComplete;
    expect(entries(form)).to.deep.equal([['renamed', element.proof]]);
  });

  it('blocks the form until verified, if required', async () => {
    const { element, form, verify } = await mount('required');
    expect(form.checkValidity()).to.equal(false);
    expect(element.validity.valueMissing).to.equal(true);
    expect(element.validationMessage).to.equal('Verify your mobile number first.');
    await verify();
    expect(form.checkValidity()).to.equal(true);
  });

  it('shows what is missing at the control in question', async () => {
    const { element, find, askForCode } = await mount('required');
    element.reportValidity();
    expect(element.shadowRoot?.activeElement).to.equal(find('#number'));
    await askForCode();
    expect(element.validationMessage).to.equal('Enter the code that we sent to your phone.');
    find('#code').blur();
    element.reportValidity();
    expect(element.shadowRoot?.activeElement).to.equal(find('#code'));
  });

  it('blocks nothing if not required', async () => {
    const { form } = await mount();
    expect(form.checkValidity()).to.equal(true);
  });

  it('has the value in the form before it says verified, and bubbles out of shadow trees', async () => {
    const { element, form, verify } = await mount('required');
    const seen: unknown[] = [];
    form.addEventListener('verified', (event) => {
      seen.push(entries(form), form.checkValidity(), event.composed);
    });
    await verify();
    expect(seen).to.deep.equal([[['phone_proof', element.proof]], true, true]);
  });

  it('is as new after a reset, with the number it was given', async () => {
    const { element, form, find, verify } = await mount('required phone="0612345678"');
    await verify();
    form.reset();
    await element.updateComplete;
    expect(element.status).to.equal('phone');
    expect(element.proof).to.equal(null);
    expect(entries(form)).to.deep.equal([]);
    expect(find<HTMLInputElement>('#number').value).to.equal('0612345678');
  });

  it('cannot be used when disabled, by itself or by a fieldset', async () => {
    const { element, form, find } = await mount('required disabled phone="0612345678"');
    expect(element.willValidate).to.equal(false);
    expect(find<HTMLInputElement>('#number').disabled).to.equal(true);
    element.start();
    expect(element.matches(':state(busy)')).to.equal(false);

    element.disabled = false;
    const fieldset = document.createElement('fieldset');
    fieldset.disabled = true;
    form.append(fieldset);
    fieldset.append(element);
    await element.updateComplete;
    expect(find<HTMLInputElement>('#number').disabled).to.equal(true);
    fieldset.disabled = false;
    await element.updateComplete;
    expect(find<HTMLInputElement>('#number').disabled).to.equal(false);
  });

  it('lets the browser restore the country, and never stores the number', async () => {
    const { element, find } = await mount('countries="NL BE"');
    element.formStateRestoreCallback('BE');
    await element.updateComplete;
    expect(find('.country').textContent).to.contain('BE +32');
  });

  it('belongs to its form, and a label outside leads into it', async () => {
    const { element, form, find } = await mount('id="verification"');
    expect(element.form).to.equal(form);
    const label = document.createElement('label');
    label.htmlFor = 'verification';
    form.append(label);
    label.click();
    expect(element.shadowRoot?.activeElement).to.equal(find('#number'));
  });

  it('is invalid again when the proof has expired, and says how to go on', async () => {
    const { element, form, events, verify, settle, text, find } = await mount('required');
    const phone = await verify();
    await pass(10 * 60_000);
    await settle(() => element.status === 'phone');
    await element.updateComplete;
    expect(form.checkValidity()).to.equal(false);
    expect(entries(form)).to.deep.equal([]);
    expect(events.at(-1)).to.deep.equal({ type: 'expired', detail: { what: 'proof' } });
    expect(text('#line')).to.equal('Your verification has expired. Verify your number again.');
    expect(find<HTMLInputElement>('#number').value).to.equal(phone);
  });
});

describe('what it tells the page', () => {
  it('tells each step by event, property and state', async () => {
    const { element, events, verify } = await mount();
    const states = () =>
      ['phone', 'code', 'verified', 'busy', 'error'].filter((state) => element.matches(`:state(${state})`));
    expect(states()).to.deep.equal(['phone']);
    const busy: boolean[] = [];
    element.addEventListener('code-sent', () => busy.push(element.matches(':state(busy)')));
    await verify();
    expect(states()).to.deep.equal(['verified']);
    expect(events.map(({ type }) => type)).to.deep.equal([
      'status-change',
      'code-sent',
      'status-change',
      'verified',
    ]);
    expect(events[0]?.detail).to.deep.equal({ status: 'code' });
    expect(events[3]?.detail).to.have.keys('proof', 'expiresAt');
    expect(busy).to.deep.equal([false]);
  });

  it('tells errors by event and state', async () => {
    const { element, events, type, press, settle } = await mount('country="NL"');
    await type('#number', '0206241111');
    await press('#send');
    await settle(() => events.length > 0);
    expect(events[0]).to.deep.include({ type: 'failed' });
    expect(events[0]?.detail).to.deep.include({ code: 'number-type-not-allowed' });
    expect(element.matches(':state(error)')).to.equal(true);
  });

  it('says so when it has no site key', async () => {
    const logged: string[] = [];
    const { error } = console;
    console.error = (text: string) => logged.push(text);
    const { element, type, press, text } = await mount();
    element.siteKey = null;
    await element.updateComplete;
    await type('#number', freshPhone());
    await press('#send');
    console.error = error;
    expect(text('#line')).to.equal('This form is not set up correctly.');
    expect(logged).to.deep.equal(['<phone-proof> invalid-key: the element has no site-key']);
  });

  it('says whose setup is wrong', async () => {
    failNext('/v1/widget-config', answerWith(403, { code: 'origin-not-allowed', detail: 'not you' }));
    const logged: string[] = [];
    const { error } = console;
    console.error = (text: string) => logged.push(text);
    const { settle, text } = await mount('', { keepFaults: true });
    await settle(() => text('#line') === 'This form is not set up correctly.');
    console.error = error;
    expect(logged).to.deep.equal(['<phone-proof> origin-not-allowed: not you']);
  });
});

describe('what the page tells it', () => {
  it('fills the number in from its attribute or property, in any form', async () => {
    const { element, find } = await mount('phone="0044 7400 123456"');
    expect(element.phone).to.equal('+447400123456');
    expect(find('.country').textContent).to.contain('GB +44');
    element.phone = '06 1234 5678';
    await element.updateComplete;
    expect(element.phone).to.equal('0612345678');
  });

  it('starts when told to', async () => {
    const phone = freshPhone();
    const { element, settle } = await mount(`phone="${phone}"`);
    element.start();
    await settle(() => element.status === 'code');
    expect(element.phone).to.equal(phone);
    expect(document.activeElement).to.equal(document.body);
  });

  it('passes nonce, purpose and language on', async () => {
    const { element, verify } = await mount('proof-nonce="n-1" locale="nl-BE"');
    const calls = recordCalls();
    await verify();
    const start = calls.find(({ method, path }) => method === 'POST' && path === '/v1/verifications');
    expect(JSON.parse(start?.body ?? '')).to.deep.include({
      nonce: 'n-1',
      purpose: 'registration',
      locale: 'nl-BE',
    });
    const claims = JSON.parse(
      atob(element.proof?.split('.')[1]?.replace(/-/g, '+').replace(/_/g, '/') ?? ''),
    );
    expect(claims).to.include({ nonce: 'n-1', purpose: 'registration', site: 'test' });
  });

  it('takes the focus when asked, and not otherwise', async () => {
    const { element, find } = await mount();
    expect(document.activeElement).to.equal(document.body);
    element.focus();
    expect(element.shadowRoot?.activeElement).to.equal(find('#number'));
    const focused = await mount('autofocus');
    expect(focused.element.shadowRoot?.activeElement).to.equal(focused.find('#number'));
  });

  it('begins anew for another intent', async () => {
    const phone = freshPhone();
    const { element, askForCode, settle, text } = await mount();
    await askForCode();
    element.intent = await createIntent({ phone, purpose: 'login' });
    await element.updateComplete;
    expect(element.status).to.equal('phone');
    await settle(() => text('.known').startsWith('We will text +31 6 ••••'));
  });

  it('works without a form', async () => {
    const { element, form, type, press, settle, events } = await mount();
    form.before(element);
    const phone = freshPhone();
    await type('#number', phone);
    await press('#send');
    await settle(() => element.status === 'code');
    await type('#code', await codeSentTo(phone));
    await settle(() => events.at(-1)?.type === 'verified');
    expect(element.form).to.equal(null);
  });

  it('goes on where it was after it has been moved', async () => {
    const { element, form, askForCode, type, settle } = await mount();
    const phone = await askForCode();
    const box = document.createElement('div');
    form.append(box);
    box.append(element);
    expect(element.status).to.equal('code');
    await type('#code', await codeSentTo(phone));
    await settle(() => element.status === 'verified');
  });

  it('can stand in a page twice', async () => {
    const { element, form, verify } = await mount();
    const other = document.createElement('phone-proof');
    other.siteKey = 'pk_test';
    other.server = verifierUrl;
    other.purpose = 'registration';
    other.name = 'second';
    form.append(other);
    await verify();
    await until(() => element.status === 'verified');
    expect(other.status).to.equal('phone');
  });
});
