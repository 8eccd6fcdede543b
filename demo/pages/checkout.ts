/**
 * Checkout: a code only where it is worth one. Above €100 the courier gets a number that works.
 *
 * Purpose `checkout`, number typed by the customer. Whether a code is needed is decided by the
 * shop's own total, never by what the form says.
 */
import { type Context, Hono } from 'hono';
import { html } from 'hono/html';
import { z } from 'zod';
import {
  type Cart,
  CODE_ABOVE_CENTS,
  cartTotalCents,
  initialCart,
  MAX_QUANTITY,
  products,
} from '../catalog.ts';
import { postedCheck, shownCheck } from '../checks.ts';
import { proofField, type Rejected, readForm, textField } from '../form.ts';
import { junction } from '../junctions.ts';
import { maskPhone } from '../mask.ts';
import { showEuros } from '../money.ts';
import type { ShopEnv } from '../session.ts';
import type { Shop } from '../shop.ts';
import { field, proofError } from '../views/fields.ts';
import type { Fragment } from '../views/layout.ts';
import { acceptedPage } from '../views/outcome.ts';
import { checkSource } from '../views/source.ts';

const at = junction('/checkout');
const source = checkSource(import.meta.url);

const cartForm = z.object({
  sku: z.enum(products.map(({ sku }) => sku)),
  quantity: z.coerce.number().int().min(0).max(MAX_QUANTITY),
});
const deliveryForm = z.object({ name: textField('Your name'), address: textField('The address') });
const verifiedForm = deliveryForm.extend({ phone_proof: proofField });

export function checkout({ siteKey, backend, phoneProof }: Shop) {
  const show = (c: Context<ShopEnv>, form?: Rejected) => {
    const { cart } = c.var.session;
    const { nonce } = shownCheck(c.var.session, at.path);
    const totalCents = cartTotalCents(cart);
    const needsCode = totalCents > CODE_ABOVE_CENTS;
    c.status(form ? 422 : 200);
    return c.render(
      html`
        ${cartCard(cart, totalCents)}
        <form class="card" method="post">
          ${field({ name: 'name', label: 'Name', autocomplete: 'name', maxlength: 80 }, form)}
          ${field({ name: 'address', label: 'Address', autocomplete: 'street-address', maxlength: 80 }, form)}
          ${
            needsCode
              ? html`
                <p class="why">A parcel above ${showEuros(CODE_ABOVE_CENTS)}: the courier calls before coming, so please confirm your number.</p>
                <phone-proof site-key="${siteKey}" purpose="checkout" proof-nonce="${nonce}" name="phone_proof" required></phone-proof>
                ${proofError(form)}`
              : html`<p class="why">Up to ${showEuros(CODE_ABOVE_CENTS)} we need no number: this one goes through the letterbox.</p>`
          }
          <button class="button" ${totalCents === 0 ? 'disabled' : ''}>Order for ${showEuros(totalCents)}</button>
        </form>`,
      { title: at.title, at, phone: true },
    );
  };

  return new Hono<ShopEnv>()
    .get('/', (c) => show(c))
    .post('/cart', async (c) => {
      const form = await readForm(c, cartForm);
      if (form.ok) c.var.session.cart.set(form.data.sku, form.data.quantity);
      return c.redirect('/checkout', 303);
    })
    .post('/', async (c) => {
      const { session } = c.var;
      const totalCents = cartTotalCents(session.cart);
      if (totalCents === 0) return c.redirect('/checkout', 303);

      if (totalCents <= CODE_ABOVE_CENTS) {
        const form = await readForm(c, deliveryForm);
        if (!form.ok) return show(c, form);
        const order = backend.orders.place({ name: form.data.name, phone: null, totalCents });
        session.cart = initialCart();
        return acceptedPage(c, {
          at,
          headline: `Order ${order} placed`,
          text: html`${showEuros(totalCents)}, and no code asked.`,
        });
      }

      const form = await readForm(c, verifiedForm);
      if (!form.ok) return show(c, form);
      const { name, phone_proof } = form.data;

      // #region check
      const { nonce } = postedCheck(session, at.path);
      const claims = await phoneProof.verify(phone_proof, { purpose: 'checkout', nonce });
      await phoneProof.redeem(phone_proof, { purpose: 'checkout' });
      const order = backend.orders.place({ name, phone: claims.phone_number, totalCents });
      // #endregion

      session.cart = initialCart();
      return acceptedPage(c, {
        at,
        headline: `Order ${order} placed`,
        text: html`${showEuros(totalCents)}. The courier calls <strong class="number">${maskPhone(claims.phone_number)}</strong>, verified.`,
        proof: { claims, source },
      });
    });
}

function cartCard(cart: Cart, totalCents: number): Fragment {
  return html`
    <section class="card cart" aria-label="Cart">
      <ul>
        ${products.map(({ sku, name, note, priceCents }) => {
          const quantity = cart.get(sku) ?? 0;
          return html`
            <li>
              <p class="cart-name"><strong>${name}</strong><small>${note}</small></p>
              <form class="stepper" method="post" action="/checkout/cart">
                <input type="hidden" name="sku" value="${sku}">
                <button name="quantity" value="${Math.max(quantity - 1, 0)}" aria-label="One ${name} less" ${quantity === 0 ? 'disabled' : ''}>−</button>
                <span aria-label="${quantity} in the cart">${quantity}</span>
                <button name="quantity" value="${Math.min(quantity + 1, MAX_QUANTITY)}" aria-label="One ${name} more" ${quantity === MAX_QUANTITY ? 'disabled' : ''}>+</button>
              </form>
              <p class="cart-price">${showEuros(priceCents * quantity)}</p>
            </li>`;
        })}
      </ul>
      <p class="cart-total"><span>Total</span><strong data-total>${showEuros(totalCents)}</strong></p>
    </section>`;
}
