/**
 * Create an account: the visitor types a number on the page, and the backend learns that it is theirs.
 *
 * Purpose `registration`. The proof is bound to this browser's session by its nonce.
 */
import { type Context, Hono } from 'hono';
import { html } from 'hono/html';
import { z } from 'zod';
import { postedCheck, shownCheck } from '../checks.ts';
import {
  emailField,
  newPasswordField,
  proofField,
  type Rejected,
  readForm,
  reject,
  textField,
} from '../form.ts';
import { junction } from '../junctions.ts';
import { maskPhone } from '../mask.ts';
import type { ShopEnv } from '../session.ts';
import type { Shop } from '../shop.ts';
import { field, proofError } from '../views/fields.ts';
import { acceptedPage } from '../views/outcome.ts';
import { checkSource } from '../views/source.ts';

const at = junction('/signup');
const source = checkSource(import.meta.url);

const signupForm = z.object({
  name: textField('Your name'),
  email: emailField,
  password: newPasswordField,
  phone_proof: proofField,
});

export function signup({ siteKey, backend, phoneProof, sessions }: Shop) {
  const show = (c: Context<ShopEnv>, form?: Rejected) => {
    const { nonce } = shownCheck(c.var.session, at.path);
    c.status(form ? 422 : 200);
    return c.render(
      html`
        <p class="lead">For your orders, your workshop bookings and the trade-in wallet.</p>
        <form class="card" method="post">
          ${field({ name: 'name', label: 'Name', autocomplete: 'name', maxlength: 80 }, form)}
          ${field({ name: 'email', label: 'E-mail', type: 'email', autocomplete: 'email' }, form)}
          ${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'new-password', minlength: 10, hint: 'At least 10 characters.' }, form)}
          <phone-proof site-key="${siteKey}" purpose="registration" proof-nonce="${nonce}" name="phone_proof" required></phone-proof>
          ${proofError(form)}
          <button class="button">Create account</button>
        </form>`,
      { title: at.title, at, phone: true },
    );
  };

  return new Hono<ShopEnv>()
    .get('/', (c) => show(c))
    .post('/', async (c) => {
      const form = await readForm(c, signupForm);
      if (!form.ok) return show(c, form);
      const { name, email, password, phone_proof } = form.data;
      if (backend.people.byEmail(email)) {
        return show(c, reject({ name, email }, { email: 'There is an account with this address already.' }));
      }

      // #region check
      const { nonce } = postedCheck(c.var.session, at.path);
      const claims = await phoneProof.verify(phone_proof, { purpose: 'registration', nonce });
      await phoneProof.redeem(phone_proof, { purpose: 'registration' });
      const person = backend.people.add({ name, email, password, phone: claims.phone_number });
      sessions.renew(c, person.id);
      // #endregion

      return acceptedPage(c, {
        at,
        headline: 'Account created',
        text: html`Welcome, ${person.name}. Number <strong class="number">${maskPhone(person.phone)}</strong> verified.`,
        proof: { claims, source },
      });
    });
}
