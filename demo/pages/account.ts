/**
 * Change account details: whoever has the session must also hold the registered phone.
 *
 * Purpose `account_change`, by intent to the number on file. A stolen session alone cannot move the
 * account to another e-mail address.
 */
import { type Context, Hono } from 'hono';
import { html } from 'hono/html';
import { z } from 'zod';
import { endChecks, postedCheck, shownIntent } from '../checks.ts';
import { emailField, proofField, type Rejected, readForm, reject } from '../form.ts';
import { junction } from '../junctions.ts';
import type { Person } from '../people.ts';
import type { ShopEnv } from '../session.ts';
import type { Shop } from '../shop.ts';
import { field, proofError } from '../views/fields.ts';
import { acceptedPage } from '../views/outcome.ts';
import { checkSource } from '../views/source.ts';
import { startAgain } from '../views/start-again.ts';
import { visitor } from '../visitor.ts';

const at = junction('/account');
const source = checkSource(import.meta.url);

const changeForm = z.object({ email: emailField, phone_proof: proofField });

export function account({ siteKey, backend, phoneProof, sessions }: Shop) {
  const show = async (c: Context<ShopEnv>, person: Person, form?: Rejected) => {
    const { session } = c.var;
    const intent = await shownIntent(phoneProof, session, at.path, {
      phone: person.phone,
      purpose: 'account_change',
      subject: person.id,
    });
    c.status(form ? 422 : 200);
    return c.render(
      html`
        <p class="lead">${person.name}, order mails and reset links go to <strong>${person.email}</strong>.</p>
        <form class="card" method="post" action="/account">
          ${field({ name: 'email', label: 'New e-mail address', type: 'email', autocomplete: 'email' }, form)}
          <phone-proof site-key="${siteKey}" intent="${intent.token}" name="phone_proof" required></phone-proof>
          ${proofError(form)}
          <button class="button">Save</button>
        </form>
        ${startAgain('/account/again')}
        ${session.personId ? html`<form class="again" method="post" action="/account/out"><p class="note"><button class="link">Sign out</button></p></form>` : ''}`,
      { title: at.title, at, phone: true },
    );
  };

  return new Hono<ShopEnv>()
    .get('/', async (c) => {
      const person = visitor(backend, c.var.session);
      return person ? show(c, person) : c.redirect('/signup', 303);
    })
    .post('/again', (c) => {
      endChecks(c.var.session, at.path);
      return c.redirect('/account', 303);
    })
    .post('/out', (c) => {
      sessions.renew(c);
      return c.redirect('/login', 303);
    })
    .post('/', async (c) => {
      const form = await readForm(c, changeForm);
      const person = visitor(backend, c.var.session);
      if (!person) return c.redirect('/signup', 303);
      if (!form.ok) return show(c, person, form);
      const { email, phone_proof } = form.data;
      if (backend.people.byEmail(email)) {
        return show(
          c,
          person,
          reject({ email }, { email: 'There is an account with this address already.' }),
        );
      }

      // #region check
      const { nonce } = postedCheck(c.var.session, at.path);
      const purpose = 'account_change';
      const claims = await phoneProof.verify(phone_proof, { purpose, subject: person.id, nonce });
      await phoneProof.redeem(phone_proof, { purpose });
      backend.people.changeEmail(person, email);
      // #endregion

      endChecks(c.var.session, at.path);
      return acceptedPage(c, {
        at,
        headline: 'E-mail address changed',
        text: html`Mail goes to <strong>${person.email}</strong> from now on.`,
        proof: { claims, source },
      });
    });
}
