/**
 * Digits of any script as ASCII digits, and other compatibility forms (full-width `＋`) as plain ones.
 *
 *     plainText('٠١٢ ＋३')   // '012 +3'
 */
export function plainText(text: string): string {
  return text.normalize('NFKC').replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)));
}

/** Unicode keeps the ten digits of a script in order, and every run of them starts at a zero. */
function digitValue(digit: string): number {
  const codePoint = digit.codePointAt(0) ?? 0;
  let zero = codePoint;
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
  return (codePoint - zero) % 10;
}
