import { expect, it } from 'vitest';
import { parseEuros, showEuros, toDecimal } from './money.ts';

it.each([
  ['250', 25_000],
  ['250.00', 25_000],
  ['250,05', 25_005],
  ['1.250,00', 125_000],
  ['1,250.00', 125_000],
  ['1.250', 125_000],
  ['€ 12', 1_200],
  [' 0.01 ', 1],
])('reads %j as %i cents', (written, cents) => {
  expect(parseEuros(written)).toBe(cents);
});

it.each(['', '-5', '1e3', '12.5', '12.345.6', '0x10', '1 2 3', 'ten', '12345678901'])(
  'does not guess what %j might be',
  (written) => {
    expect(parseEuros(written)).toBeUndefined();
  },
);

it('writes cents for people and for machines', () => {
  expect(showEuros(125_050)).toBe('€1,250.50');
  expect(toDecimal(125_050)).toBe('1250.50');
  expect(toDecimal(5)).toBe('0.05');
});
