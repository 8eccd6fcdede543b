import { expect } from 'chai';
import { faultOf, readNumber, writeNumber } from './numbers.ts';

describe('a written number', () => {
  const cases: [written: string, sent: string][] = [
    ['0612345678', '0612345678'],
    ['06 1234 5678', '0612345678'],
    ['06-1234.5678', '0612345678'],
    ['(020) 123/4567', '0201234567'],
    ['+31612345678', '+31612345678'],
    ['+31 6 12 34 56 78', '+31612345678'],
    ['0031 6 12345678', '+31612345678'],
    ['+44 (0)7400 123456', '+447400123456'],
    ['+44(0) 7400 123456', '+447400123456'],
    ['(+44) 7400 123456', '+447400123456'],
    ['tel:+31-6-1234-5678', '+31612345678'],
    ['tel:+31-6-1234-5678;ext=12', '+31612345678'],
    ['Call me: +31 6 1234 5678, after 6', '+31612345678'],
    ['Room 12, 06 1234 5678', '0612345678'],
    ['＋３１ ６ １２３４ ５６７８', '+31612345678'],
    ['٠٦١٢٣٤٥٦٧٨', '0612345678'],
    ['۰۶۱۲۳۴۵۶۷۸', '0612345678'],
    ['०६१२३४५६७८', '0612345678'],
    ['+١ ٢١٢ ٥٥٥ ٠١٠٠', '+12125550100'],
    ['𝟎𝟔𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖', '0612345678'],
    ['06\u20111234\u20115678', '0612345678'],
    ['06\u00a01234\u202f5678', '0612345678'],
    ['\u202a+31 6 1234 5678\u202c', '+31612345678'],
    ['', ''],
    ['no number', ''],
    ['+', ''],
  ];
  for (const [written, sent] of cases) {
    it(`'${written}' is sent as '${sent}'`, () => expect(writeNumber(readNumber(written))).to.equal(sent));
  }
});

describe('a plainly wrong number', () => {
  for (const [written, fault] of [
    ['', 'phone-missing'],
    ['abc', 'phone-missing'],
    ['+', 'phone-missing'],
    ['06', 'phone-too-short'],
    ['+31 6', 'phone-too-short'],
    ['0031', 'phone-too-short'],
    ['+683 4001', null],
    ['0612345678', null],
  ] as const) {
    it(`'${written}': ${fault ?? 'none'}`, () => expect(faultOf(readNumber(written))).to.equal(fault));
  }
});
