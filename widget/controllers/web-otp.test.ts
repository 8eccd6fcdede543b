import { expect } from 'chai';
import { mount } from '../testing/fixture.ts';
import { codeSentTo } from '../testing/verifier.ts';

/** Only what no desktop browser can do is made up: that a message arrives. */
type Asked = CredentialRequestOptions & { otp?: unknown; answer: (code: string) => void };

describe('WebOTP', () => {
  const { get } = CredentialsContainer.prototype;
  const { top } = window;
  let asked: Asked[] = [];

  beforeEach(() => {
    asked = [];
    Object.defineProperty(window, 'OTPCredential', { configurable: true, value: class {} });
    CredentialsContainer.prototype.get = (options = {}) =>
      new Promise((resolve, reject) => {
        asked.push({ ...options, answer: (code) => resolve({ id: '', type: 'otp', code } as Credential) });
        options.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      });
  });
  afterEach(() => {
    CredentialsContainer.prototype.get = get;
    Reflect.deleteProperty(window, 'OTPCredential');
  });

  it('asks for a code while one is awaited, and not before', async () => {
    expect(window.self).to.equal(top);
    const { askForCode } = await mount();
    expect(asked).to.deep.equal([]);
    await askForCode();
    expect(asked).to.have.length(1);
    expect(asked[0]?.otp).to.deep.equal({ transport: ['sms'] });
    expect(asked[0]?.signal?.aborted).to.equal(false);
  });

  it('enters the code that arrives', async () => {
    const { askForCode, element, settle } = await mount();
    const phone = await askForCode();
    asked[0]?.answer(await codeSentTo(phone));
    await settle(() => element.status === 'verified');
  });

  it('stops asking when the code has been typed', async () => {
    const { verify } = await mount();
    await verify();
    expect(asked[0]?.signal?.aborted).to.equal(true);
  });

  it('stops asking when the number is changed or the element goes', async () => {
    const { askForCode, press, element, settle } = await mount();
    await askForCode();
    await press('[part=change]');
    expect(asked[0]?.signal?.aborted).to.equal(true);
    await settle(() => element.status === 'phone');
    await askForCode();
    element.remove();
    expect(asked[1]?.signal?.aborted).to.equal(true);
  });

  it('does not ask where browsers cannot', async () => {
    Reflect.deleteProperty(window, 'OTPCredential');
    const { askForCode } = await mount();
    await askForCode();
    expect(asked).to.deep.equal([]);
  });
});
