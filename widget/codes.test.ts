import { expect } from 'chai';
import type { CodeShape } from '../server/contract.ts';
import { readCode } from './codes.ts';

const six: CodeShape = { length: 6, alphabet: 'numeric' };
const eight: CodeShape = { length: 8, alphabet: 'alphanumeric' };

describe('a code', () => {
  const cases: [written: string, shape: CodeShape, code: string][] = [
    ['123456', six, '123456'],
    ['12', six, '12'],
    ['', six, ''],
    ['123 456', six, '123456'],
    ['123-456', six, '123456'],
    ['123–456', six, '123456'],
    ['1 2 3 4 5 6 ', six, '123456'],
    ['١٢٣٤٥٦', six, '123456'],
    ['१२३४५६', six, '123456'],
    ['１２３４５６', six, '123456'],
    ['1234567', six, '123456'],
    ['12a4', six, '124'],
    ['Demo Shop: 123456 is your code. Do not share it.', six, '123456'],
    ['Your code is 123 456.', six, '123456'],
    ['Paid EUR 2500.00 to ACME 12: code 123-456', six, '123456'],
    ['Order 9876543, code 123456', six, '123456'],
    ['Order #987654: 123456', six, '123456'],
    ['Shop: 111111 is old.\n\n@shop.example #123456', six, '123456'],
    ['Shop: 111111 is old.@shop.example #123456', six, '123456'],
    ['From +31 6 1234 5678: 987654', six, '987654'],
    ['abcd2345', eight, 'ABCD2345'],
    ['abcd-2345', eight, 'ABCD2345'],
    ['Shop: ABCD2345 is your code for checkout.', eight, 'ABCD2345'],
    ['Shop: abcd 2345 is your code for checkout.', eight, 'ABCD2345'],
    ['Somebody at Shop: ABCD2345\n@shop.example #ABCD2345', eight, 'ABCD2345'],
  ];
  for (const [written, shape, code] of cases) {
    it(`is '${code}' in '${written.replaceAll('\n', '⏎')}'`, () => {
      expect(readCode(written, shape)).to.equal(code);
    });
  }
});
