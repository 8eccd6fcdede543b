/**
 * What the shop sells, and when it wants to know a customer's number for sure.
 *
 *     cartTotalCents(session.cart) > CODE_ABOVE_CENTS  // ask for a code
 */
export type Product = { sku: string; name: string; note: string; priceCents: number };

export const products: readonly Product[] = [
  { sku: 'pannier', name: 'Canvas pannier', note: 'Waxed, 20 litres, clips on', priceCents: 7_900 },
  { sku: 'lights', name: 'Dynamo light set', note: 'Front and rear, standlight', priceCents: 4_450 },
  { sku: 'bell', name: 'Brass bell', note: 'Heard two bridges away', priceCents: 1_800 },
];

/** Sku → how many. */
export type Cart = Map<string, number>;

export const MAX_QUANTITY = 9;

/** Above this a parcel is worth stealing, so the courier needs a number that is really the customer's. */
export const CODE_ABOVE_CENTS = 10_000;

export function initialCart(): Cart {
  return new Map(products.map(({ sku }) => [sku, 1]));
}

export function cartTotalCents(cart: Cart): number {
  return products.reduce((total, { sku, priceCents }) => total + priceCents * (cart.get(sku) ?? 0), 0);
}
