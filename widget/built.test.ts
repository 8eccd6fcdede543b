/**
 * The built element (`npm run build`), as a page gets it: from the verifier, under the strictest policy.
 */
import { expect } from 'chai';
import type { PhoneProof } from './phone-proof.ts';
import { hands, until } from './testing/fixture.ts';
import { codeSentTo } from './testing/verifier.ts';

describe('the built element', () => {
  let frame: HTMLIFrameElement;
  let page: Document;
  const violations: string[] = [];

  before(async () => {
    frame = document.createElement('iframe');
    frame.src = '/testing/strict';
    frame.width = '400';
    await new Promise((resolve) => {
      frame.addEventListener('load', resolve, { once: true });
      document.body.append(frame);
    });
    page = frame.contentDocument!;
    page.addEventListener('securitypolicyviolation', ({ violatedDirective, sample }) => {
      violations.push(`${violatedDirective} ${sample}`);
    });
  });
  after(() => frame.remove());

  it('verifies, asks the server it came from, and breaks no policy (CSP, Trusted Types)', async () => {
    const element = page.querySelector<PhoneProof>('phone-proof')!;
    await until(
      () => element.shadowRoot?.querySelector('#number'),
      () => `no element: ${violations}`,
    );
    const { type, press, settle, verify, text } = hands(element);
    await type('#number', '');
    await press('#send');
    await settle(() => text('#line') === 'Enter your mobile number.');
    const phone = await verify();
    expect(await codeSentTo(phone)).to.match(/^\d{6}$/);
    expect([...new FormData(page.forms[0]).keys()]).to.deep.equal(['phone_proof']);
    expect(element.shadowRoot?.querySelector('.spoken')?.textContent).to.equal('Verified');
    expect(getComputedStyle(element.shadowRoot!.querySelector('.step')!).display).to.equal('grid');
    expect(violations).to.deep.equal([]);
  });

  it('may stand in a page twice', async () => {
    for (const address of ['/phone-proof.js', '/phone-proof.js?again']) await import(verifierUrl + address);
    expect(customElements.get('phone-proof')).to.be.a('function');
  });
});
