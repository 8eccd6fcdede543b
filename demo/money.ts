/**
 * Euro amounts, kept in cents so that no sum is ever rounded.
 *
 *     parseEuros('1.250,50')  // 125050
 *     toDecimal(125_050)      // '1250.50', as the verifier takes it
 *     showEuros(125_050)      // '€1,250.50', as a person reads it
 */
const euros = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' });

export function showEuros(cents: number): string {
  return euros.format(cents / 100);
}

export function toDecimal(cents: number): string {
  return `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
}

/** Takes `250`, `250,00`, `1.250,00` and `1,250.00`; anything else is undefined, never a guess. */
export function parseEuros(written: string): number | undefined {
  const match = /^€?\s*(\d{1,3}(?:[., ]\d{3})+|\d{1,7})(?:[.,](\d{2}))?$/.exec(written.trim());
  if (!match) return undefined;
  const [, whole = '', cents = '00'] = match;
  return Number(whole.replace(/\D/g, '')) * 100 + Number(cents);
}
