import { expect } from 'chai';
import { allowedCountries, NumberEntry } from './entry.ts';

const entryFor = (allowed: string[], ...guesses: (string | null)[]) => {
  const entry = new NumberEntry();
  entry.offer({ allowed, guesses });
  return entry;
};

describe('entering a number', () => {
  it('begins with the best guess', () => expect(entryFor(['BE', 'NL'], 'NL').country).to.equal('NL'));

  it('lets the calling code decide the country', () => {
    const entry = entryFor(['BE', 'NL', 'GB'], 'NL');
    entry.type('0044 7400 123456');
    expect(entry.country).to.equal('GB');
    expect(entry.typed).to.equal('0044 7400 123456');
  });

  it('keeps a chosen country when the guesses get better', () => {
    const entry = entryFor(['BE', 'NL'], null);
    entry.chosen = 'BE';
    entry.offer({ allowed: ['BE', 'NL'], guesses: ['NL'] });
    expect(entry.country).to.equal('BE');
  });

  it('leaves the country alone when the number belongs to none that is offered', () => {
    const entry = entryFor(['BE', 'NL'], 'NL');
    entry.type('+49 151 23456789');
    expect(entry.country).to.equal('NL');
  });
});

describe('the countries on offer', () => {
  it('are those of the tag that the site allows', () => {
    expect(allowedCountries('be, nl FR', ['NL', 'BE'])).to.deep.equal(['BE', 'NL']);
  });
  it('are all that the site allows when the tag is silent', () => {
    expect(allowedCountries(null, ['NL', 'BE', 'XX'])).to.deep.equal(['NL', 'BE']);
  });
});
