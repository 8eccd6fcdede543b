import { sendKeys } from '@web/test-runner-commands';
import { expect } from 'chai';
import { mount } from '../testing/fixture.ts';
import { failNext, holdBack, recordCalls } from '../testing/network.ts';
import { codeSentTo, createIntent, freshPhone, messagesTo, pass } from '../testing/verifier.ts';

const another = (code: string) => code.replace(/./, (first) => String((Number(first) + 1) % 10));

describe('the code step', () => {
  it('has one input that phones and browsers know how to fill', async () => {
    const { askForCode, find, element } = await mount();
    await askForCode();
    const input = find<HTMLInputElement>('#code');
    expect(element.shadowRoot?.querySelectorAll('input')).to.have.length(1);
    expect(input.autocomplete).to.equal('one-time-code');
    expect(input.inputMode).to.equal('numeric');
    expect(input.hasAttribute('maxlength')).to.equal(false);
    expect(input.labels?.[0]?.textContent).to.equal('Enter the 6-digit code');
  });

  it('takes over the focus that the button had', async () => {
    const { askForCode, find, element } = await mount();
    await askForCode();
    expect(element.shadowRoot?.activeElement).to.equal(find('#code'));
  });

  it('submits itself once, when the last digit is typed', async () => {
    const { askForCode, element, settle } = await mount();
    const code = await codeSentTo(await askForCode());
    const calls = recordCalls();
    await sendKeys({ type: code.slice(0, 5) });
    expect(calls.filter(({ path }) => path.endsWith('/check'))).to.have.length(0);
    await sendKeys({ type: code.slice(5) });
    await settle(() => element.status === 'verified');
    expect(calls.filter(({ path }) => path.endsWith('/check'))).to.have.length(1);
  });

  for (const [what, write] of [
    ['with a space', (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`],
    ['inside its message', (code: string) => `Test Shop: ${code} is your code. @localhost #${code}`],
    ['in Arabic digits', (code: string) => code.replace(/\d/g, (digit) => '٠١٢٣٤٥٦٧٨٩'[Number(digit)] ?? '')],
  ] as const) {
    it(`takes a code pasted ${what}`, async () => {
      const { askForCode, type, element, settle } = await mount();
      await type('#code', write(await codeSentTo(await askForCode())));
      await settle(() => element.status === 'verified');
    });
  }

  it('takes letters in either case where codes have them', async () => {
    const { askForCode, type, find, element, settle } = await mount('purpose="checkout"');
    element.purpose = 'checkout';
    await element.updateComplete;
    const code = await codeSentTo(await askForCode());
    expect(code).to.have.length(8);
    expect(find<HTMLInputElement>('#code').inputMode).to.equal('text');
    await type('#code', code.toLowerCase());
    await settle(() => element.status === 'verified');
  });

  it('leaves caret and text alone while a code is typed and mended', async () => {
    const { askForCode, find, element } = await mount();
    await askForCode();
    const input = find<HTMLInputElement>('#code');
    await sendKeys({ type: '1245' });
    input.setSelectionRange(2, 2);
    await sendKeys({ type: '3' });
    await element.updateComplete;
    expect([input.value, input.selectionStart]).to.deep.equal(['12345', 3]);
    await sendKeys({ type: 'x ' });
    expect([input.value, input.selectionStart]).to.deep.equal(['12345', 3]);
    await sendKeys({ press: 'Backspace' });
    await element.updateComplete;
    expect([input.value, input.selectionStart]).to.deep.equal(['1245', 2]);
  });

  describe('when the code is wrong', () => {
    it('says how many attempts are left, and takes the next one in its place', async () => {
      const { askForCode, element, find, text, settle } = await mount();
      const code = await codeSentTo(await askForCode());
      await sendKeys({ type: another(code) });
      await settle(() => text('#line') === 'Wrong code, 4 attempts left.');
      expect(find('#code').getAttribute('aria-invalid')).to.equal('true');
      expect(text('.spoken')).to.equal('Wrong code, 4 attempts left.');
      await sendKeys({ type: code });
      await settle(() => element.status === 'verified');
    });

    it('does not spend an attempt on the same code again', async () => {
      const { askForCode, type, press, find, text, settle } = await mount();
      const wrong = another(await codeSentTo(await askForCode()));
      await type('#code', wrong);
      await settle(() => text('#line') === 'Wrong code, 4 attempts left.');
      const calls = recordCalls();
      await type('#code', wrong.slice(0, 5));
      await type('#code', wrong);
      find('#code').closest('form')?.requestSubmit();
      expect(text('#line')).to.equal('Wrong code, 4 attempts left.');
      expect(calls).to.deep.equal([]);
      void press;
    });

    it('ends after the last attempt with a way to begin again', async () => {
      const { askForCode, type, press, find, text, element, settle } = await mount();
      const phone = await askForCode();
      let wrong = await codeSentTo(phone);
      for (const line of [
        'Wrong code, 4 attempts left.',
        'Wrong code, 3 attempts left.',
        'Wrong code, 2 attempts left.',
        'Wrong code, 1 attempt left.',
        'No attempts left. Ask for a new code.',
      ]) {
        wrong = another(wrong);
        await type('#code', wrong);
        await settle(() => text('#line') === line);
      }
      expect(find<HTMLInputElement>('#code').readOnly).to.equal(true);
      await press('#again');
      await settle(
        () => text('#line') !== 'No attempts left. Ask for a new code.' && !element.matches(':state(busy)'),
      );
      expect(element.status).to.equal('code');
      expect(find<HTMLInputElement>('#code').value).to.equal('');
      await type('#code', await codeSentTo(phone));
      await settle(() => element.status === 'verified');
    });
  });

  describe('sending again', () => {
    it('waits for the time the server set, then sends the same code once', async () => {
      const { askForCode, press, find, text, element, settle } = await mount();
      const phone = await askForCode();
      expect(text('#again')).to.match(/^Send again in 0:(30|29)$/);
      await press('#again');
      expect(await messagesTo(phone)).to.have.length(1);
      await pass(31_000);
      await settle(() => text('#again') === 'Send again');
      expect(text('.spoken')).to.equal('You can now have the code sent again.');
      find('#again').click();
      find('#again').click();
      await settle(() => /^Send again in (1:00|0:59)$/.test(text('#again')));
      const messages = await messagesTo(phone);
      expect(messages).to.have.length(2);
      expect(messages[0]?.code).to.equal(messages[1]?.code);
      expect(element.status).to.equal('code');
    });

    it('keeps what was typed', async () => {
      const { askForCode, press, find, text, type, settle } = await mount();
      await askForCode();
      await type('#code', '123');
      await pass(31_000);
      await settle(() => text('#again') === 'Send again');
      await press('#again');
      await settle(() => text('#again').startsWith('Send again in'));
      expect(find<HTMLInputElement>('#code').value).to.equal('123');
    });
  });

  describe('an expired code', () => {
    it('is replaced in place', async () => {
      const { askForCode, press, type, events, text, element, settle } = await mount();
      const phone = await askForCode();
      await pass(5 * 60_000);
      await settle(() => text('#line') === 'This code has expired. Ask for a new one.');
      expect(events.at(-1)).to.deep.equal({ type: 'expired', detail: { what: 'code' } });
      await press('#again');
      await settle(() => text('#again').startsWith('Send again in'));
      expect(element.status).to.equal('code');
      await type('#code', await codeSentTo(phone));
      await settle(() => element.status === 'verified');
    });

    it('is replaced in place with an intent, too', async () => {
      const phone = freshPhone();
      const intent = await createIntent({ phone, purpose: 'login' });
      const { press, type, text, element, settle } = await mount(`intent="${intent}"`);
      await press('#send');
      await settle(() => element.status === 'code');
      await pass(5 * 60_000);
      await settle(() => text('#again') === 'Text me a new code');
      await press('#again');
      await settle(() => text('#again').startsWith('Send again in'));
      await type('#code', await codeSentTo(phone));
      await settle(() => element.status === 'verified');
    });
  });

  it('goes back to the number, keeps it, and makes the code worthless', async () => {
    const { askForCode, press, find, element, settle } = await mount();
    const phone = await askForCode();
    const calls = recordCalls();
    await press('[part=change]');
    expect(element.status).to.equal('phone');
    expect(find<HTMLInputElement>('#number').value).to.equal(phone);
    expect(element.shadowRoot?.activeElement).to.equal(find('#number'));
    await settle(() => calls.some(({ method }) => method === 'DELETE'));
  });

  it('cannot be typed into while it is checked, and stays in focus', async () => {
    const { askForCode, type, find, text, element, settle } = await mount();
    const code = await codeSentTo(await askForCode());
    const { fault, release } = holdBack();
    failNext('/check', fault);
    await type('#code', code);
    expect(find<HTMLInputElement>('#code').readOnly).to.equal(true);
    expect(text('#line')).to.equal('Checking…');
    expect(element.shadowRoot?.activeElement).to.equal(find('#code'));
    release();
    await settle(() => element.status === 'verified');
  });

  it('tells what becomes of the message', async () => {
    const { askForCode, text, settle } = await mount();
    await askForCode();
    await settle(() => text('#line') !== '');
    expect(text('#line')).to.match(/^(On its way|Delivered|Sending)/);
  });
});
