import { expect } from 'chai';
import en from './en.ts';
import { duration, fill, fillCount, money, timer } from './format.ts';
import { fallback, firstLocale, loadMessages } from './index.ts';

const plain = (text: string) => text.replace(/[\u2066\u2069]/g, '').replace(/[\u00a0\u202f]/g, ' ');

describe('texts', () => {
  it('have their values filled in', () => {
    expect(fill('{a} and {b}, {a}', { a: 1, b: 'x' })).to.equal('1 and x, 1');
  });
  it('count the way their language does', () => {
    expect(fillCount(en.incorrectCode, 1, 'en')).to.equal('Wrong code, 1 attempt left.');
    expect(fillCount(en.incorrectCode, 3, 'en')).to.equal('Wrong code, 3 attempts left.');
    expect(fillCount({ other: '{count}' }, 3, 'ar-EG')).to.equal('٣');
  });
  it('fall back to English', async () => {
    expect(await loadMessages('xx-YY')).to.equal(fallback);
    expect(await loadMessages('')).to.equal(fallback);
  });
  it('are not put off by a language that is none', () => {
    expect(firstLocale('not a tag!', 'en_US', '', null, 'nl-BE')).to.equal('nl-BE');
    expect(firstLocale('en_US')).to.equal('en');
  });
  it('fit into two lines of a narrow element', () => {
    for (const [code, text] of Object.entries(en.errors)) expect(text.length, code).to.be.at.most(72);
  });
});

describe('durations', () => {
  for (const [ms, text] of [
    [0, '1 second'],
    [24_000, '24 seconds'],
    [59_001, '1 minute'],
    [61_000, '2 minutes'],
    [3_600_001, '2 hours'],
  ] as const) {
    it(`${ms} ms is ${text}, never less than it takes`, () => expect(duration(ms, 'en')).to.equal(text));
  }
  for (const [ms, text] of [
    [24_000, '0:24'],
    [23_001, '0:24'],
    [65_000, '1:05'],
    [-5, '0:00'],
  ] as const) {
    it(`${ms} ms counts down as ${text}`, () => expect(plain(timer(ms, 'en'))).to.equal(text));
  }
  it('count in the digits of their language', () => expect(plain(timer(65_000, 'ar-EG'))).to.equal('١:٠٥'));
});

describe('money', () => {
  const of = (amount: string, currency: string) => plain(money({ amount, currency, payee: '' }, 'en'));
  it('is written exactly', () => {
    expect(of('250.00', 'EUR')).to.equal('€250.00');
    expect(of('250', 'EUR')).to.equal('€250.00');
    expect(of('1234567.5', 'USD')).to.equal('$1,234,567.50');
    expect(of('500', 'JPY')).to.equal('¥500');
    expect(of('999999999999999.99', 'USD')).to.equal('$999,999,999,999,999.99');
    expect(of('0.1234', 'EUR')).to.equal('€0.1234');
    expect(of('1.5', 'KWD')).to.equal('KWD 1.500');
    expect(of('1.5', 'JPY')).to.equal('¥1.5');
  });
});
