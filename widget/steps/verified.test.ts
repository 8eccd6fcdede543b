import { expect } from 'chai';
import { mount } from '../testing/fixture.ts';

describe('the verified step', () => {
  it('shows which number, said aloud and in focus, for the person was there', async () => {
    const { verify, text, find, element } = await mount();
    const phone = await verify();
    expect(text('.verified')).to.equal(`Verified +31 6 •••• ${phone.slice(-4)} · Change`);
    expect(text('.spoken')).to.equal('Verified');
    expect(element.shadowRoot?.activeElement).to.equal(find('#verified'));
  });

  it('lets the number be changed, and takes the proof back', async () => {
    const { verify, press, find, form, element } = await mount('required');
    const phone = await verify();
    await press('[part=change]');
    expect(element.status).to.equal('phone');
    expect([...new FormData(form)]).to.deep.equal([]);
    expect(form.checkValidity()).to.equal(false);
    expect(find<HTMLInputElement>('#number').value).to.equal(phone);
  });
});
