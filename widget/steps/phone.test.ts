import { sendKeys } from '@web/test-runner-commands';
import { expect } from 'chai';
import { mount } from '../testing/fixture.ts';
import { answerWith, failNext, holdBack } from '../testing/network.ts';
import { codeSentTo, createIntent, freshPhone, messagesTo, pass } from '../testing/verifier.ts';

describe('the phone step', () => {
  it('sends on Enter, and leaves the form around it alone', async () => {
    const { element, form, find, settle } = await mount();
    let submits = 0;
    form.addEventListener('submit', () => submits++);
    find('#number').focus();
    await sendKeys({ type: freshPhone() });
    await sendKeys({ press: 'Enter' });
    await settle(() => element.status === 'code');
    expect(submits).to.equal(0);
  });

  it('sends one message when pressed twice', async () => {
    const { element, type, find, settle } = await mount();
    const phone = freshPhone();
    await type('#number', phone);
    find('#send').click();
    find('#send').click();
    await settle(() => element.status === 'code');
    expect(await messagesTo(phone)).to.have.length(1);
  });

  it('keeps its button in place and in focus while it works', async () => {
    const { element, type, press, find, text, settle } = await mount();
    const { fault, release } = holdBack();
    await type('#number', freshPhone());
    failNext('/v1/verifications', fault);
    await press('#send');
    expect(text('#send')).to.equal('Sending…');
    expect(find('#send').getAttribute('aria-disabled')).to.equal('true');
    expect(element.shadowRoot?.activeElement).to.equal(find('#send'));
    expect(element.matches(':state(busy)')).to.equal(true);
    release();
    await settle(() => element.status === 'code');
  });

  for (const [typed, message] of [
    ['', 'Enter your mobile number.'],
    ['061', 'This number is too short. Check it for missing digits.'],
    ['06123456', 'This is not a valid number. Check the digits and the country.'],
    ['0206241111', 'This number cannot receive texts. Enter a mobile number.'],
  ] as const) {
    it(`says of '${typed}': ${message}`, async () => {
      const { element, type, press, text, find, settle } = await mount('country="NL"');
      await type('#number', typed);
      await press('#send');
      await settle(() => text('#line') === message);
      const number = find('#number');
      expect(number.getAttribute('aria-invalid')).to.equal('true');
      expect(number.getAttribute('aria-describedby')).to.equal('line');
      expect(find('#line').querySelector('svg')).not.to.equal(null);
      expect(text('.spoken')).to.equal(message);
      await element.updateComplete;
      expect(element.shadowRoot?.activeElement).to.equal(number);

      await type('#number', '0612345678');
      expect(number.getAttribute('aria-invalid')).to.equal('false');
    });
  }

  it('says how long to wait, counts down, and then lets it be', async () => {
    const { type, press, text, settle } = await mount();
    failNext(
      '/v1/verifications',
      answerWith(429, { code: 'too-many-requests', scope: 'phone' }, { 'Retry-After': '100' }),
    );
    await type('#number', freshPhone());
    await press('#send');
    await settle(() => text('#line') === 'Too many attempts. Try again in 2 minutes.');
    await pass(70_000);
    await settle(() => /Try again in (30|29) seconds/.test(text('#line')));
    await pass(31_000);
    await settle(() => text('#line') === 'We will text a code to this number.');
  });

  it('goes on to the code when the message could not be sent, and says so', async () => {
    const { element, type, press, text, settle } = await mount();
    failNext('/v1/verifications', async (send) => {
      const verification = await (await send()).json();
      return answerWith(502, { code: 'delivery-failed', verification })(send);
    });
    await type('#number', freshPhone());
    await press('#send');
    await settle(() => element.status === 'code');
    await element.updateComplete;
    expect(text('#line')).to.equal('The message could not be sent. Send it again, or change the number.');
    await pass(31_000);
    await settle(() => text('#again') === 'Send again');
  });

  describe('its country', () => {
    const shown = (find: (selector: string) => HTMLElement) => find('.country > span').textContent?.trim();

    it('is that of the site, until the tag or the person say otherwise', async () => {
      const site = await mount();
      await site.settle(() => shown(site.find) === 'NL +31');
      const tag = await mount('country="be"');
      expect(shown(tag.find)).to.equal('BE +32');
    });

    it('follows a leading + or 00', async () => {
      const { type, find } = await mount();
      await type('#number', '+44 7400 123456');
      expect(shown(find)).to.equal('GB +44');
      await type('#number', '00 32 470 12 34 56');
      expect(shown(find)).to.equal('BE +32');
    });

    it('is chosen from a list that is made when it is first touched', async () => {
      const { element, find, settle } = await mount('countries="BE DE NL"');
      await settle(() => shown(find) === 'NL +31');
      const select = find<HTMLSelectElement>('select');
      const options = () =>
        [...select.options].map(({ textContent }) => textContent?.replace(/\s+/g, ' ').trim());
      expect(options()).to.deep.equal(['NL +31']);
      select.focus();
      await element.updateComplete;
      expect(options()).to.deep.equal(['Belgium +32', 'Germany +49', 'Netherlands +31']);
      expect(select.value).to.equal('NL');
      await sendKeys({ press: 'ArrowUp' });
      await element.updateComplete;
      expect(shown(find)).to.equal('DE +49');
    });

    it('is sent with the number', async () => {
      const { element, type, find, press, settle } = await mount('countries="BE NL"');
      find('select').focus();
      await element.updateComplete;
      await sendKeys({ type: 'Bel' });
      await element.updateComplete;
      await type('#number', `0470 ${String(Date.now()).slice(-6)}`);
      await press('#send');
      await settle(() => element.status === 'code');
      expect(element.phone).to.match(/^\+32470/);
    });
  });

  describe('with an intent', () => {
    it('shows the masked number, and proves it without learning more', async () => {
      const phone = freshPhone();
      const intent = await createIntent({ phone, purpose: 'login', subject: 'user-1' });
      const { element, find, text, press, type, settle } = await mount(`intent="${intent}"`);
      await settle(() => text('.known') === `We will text +31 6 •••• ${phone.slice(-4)}`);
      expect(find('#number')).to.equal(null);
      await press('#send');
      await settle(() => element.status === 'code');
      await element.updateComplete;
      expect(find('[part=change]')).to.equal(null);
      expect(element.phone).to.equal('');
      await type('#code', await codeSentTo(phone));
      await settle(() => element.status === 'verified');
    });

    it('shows what is approved in every step, large', async () => {
      const phone = freshPhone();
      const transaction = { amount: '1250.00', currency: 'EUR', payee: 'Greenfield Bikes' };
      const intent = await createIntent({ phone, purpose: 'transaction', transaction });
      const { element, text, press, type, settle } = await mount(`intent="${intent}" locale="en"`);
      const isShown = () => text('.amount') === '€1,250.00' && text('.payee') === 'to Greenfield Bikes';
      await settle(isShown);
      await press('#send');
      await settle(() => element.status === 'code' && isShown());
      await type('#code', await codeSentTo(phone));
      await settle(() => element.status === 'verified' && isShown());
    });

    it('says when there is no such intent', async () => {
      const { error } = console;
      console.error = () => {};
      const { text, settle } = await mount('intent="nothing"');
      await settle(() => text('#line') === 'This request has expired. Go back and start again.');
      console.error = error;
    });
  });
});
