/**
 * Forgotten password: the registered phone opens the account, then a new password is chosen.
 *
 * Purpose `password_reset`, by intent. An unknown address gets the same words but no code box, which
 * still tells an attentive stranger that there is no account. A site for which that matters sends
 * an e-mail first and puts the code behind its link; the check below stays the same.
 */
import { type Context, Hono } from 'hono';
import { html } from 'hono/html';
import { z } from 'zod';
import { endChecks, postedCheck, shownIntent } from '../checks.ts';
import { emailField, newPasswordField, proofField, type Rejected, readForm } from '../form.ts';
import { junction } from '../junctions.ts';
import type { ShopEnv } from '../session.ts';
import type { Shop } from '../shop.ts';
import { field, proofError } from '../views/fields.ts';
import { acceptedPage } from '../views/outcome.ts';
import { checkSource } from '../views/source.ts';
import { startAgain } from '../views/start-again.ts';
import { visitor } from '../visitor.ts';

const at = junction('/reset');
const source = checkSource(import.meta.url);

const emailForm = z.object({ email: emailField });
const codeForm = z.object({ phone_proof: proofField });
const passwordForm = z.object({ password: newPasswordField });

export function reset({ siteKey, backend, phoneProof }: Shop) {
  const showEmail = (c: Context<ShopEnv>, form?: Rejected) => {
    c.status(form ? 422 : 200);
    return c.render(
      html`
        <p class="lead">Tell us your e-mail address. The code goes to the phone you registered, not to this page.</p>
        <form class="card" method="post" action="/reset">
          ${field({ name: 'email', label: 'E-mail', type: 'email', value: visitor(backend, c.var.session)?.email ?? '', autocomplete: 'username' }, form)}
          <button class="button">Continue</button>
        </form>`,
      { title: at.title, at, phone: true },
    );
  };

  const showCode = async (c: Context<ShopEnv>, form?: Rejected) => {
    const { session } = c.var;
    const { address = '', personId } = session.reset ?? {};
    const person = backend.people.byId(personId ?? '');
    const intent =
      person &&
      (await shownIntent(phoneProof, session, at.path, {
        phone: person.phone,
        purpose: 'password_reset',
        subject: person.id,
      }));
    c.status(form ? 422 : 200);
    return c.render(
      html`
        <p class="lead">If <strong>${address}</strong> has an account, its registered phone opens it.</p>
        ${
          intent
            ? html`
              <form class="card" method="post" action="/reset/code">
                <phone-proof site-key="${siteKey}" intent="${intent.token}" name="phone_proof" required></phone-proof>
                ${proofError(form)}
                <button class="button">Continue</button>
              </form>
              ${startAgain('/reset/again')}`
            : html`<p class="card">No code to enter here? Check the address, or <a href="/signup">create an account</a>.</p>`
        }`,
      { title: at.title, at, phone: true },
    );
  };

  const showPassword = (c: Context<ShopEnv>, form?: Rejected) => {
    c.status(form ? 422 : 200);
    return c.render(
      html`
        <p class="lead">Your number is confirmed. Now choose a new password.</p>
        <form class="card" method="post" action="/reset/password">
          ${field({ name: 'password', label: 'New password', type: 'password', autocomplete: 'new-password', minlength: 10, hint: 'At least 10 characters.' }, form)}
          <button class="button">Save password</button>
        </form>`,
      { title: at.title, at, phone: true },
    );
  };

  return new Hono<ShopEnv>()
    .get('/', (c) => showEmail(c))
    .post('/', async (c) => {
      const form = await readForm(c, emailForm);
      if (!form.ok) return showEmail(c, form);
      const { session } = c.var;
      const person = backend.people.byEmail(form.data.email);
      endChecks(session, at.path);
      session.reset = { address: form.data.email, ...(person && { personId: person.id }) };
      return c.redirect('/reset/code', 303);
    })
    .get('/code', async (c) => (c.var.session.reset ? showCode(c) : c.redirect('/reset', 303)))
    .post('/again', (c) => {
      endChecks(c.var.session, at.path);
      return c.redirect('/reset/code', 303);
    })
    .post('/code', async (c) => {
      const { session } = c.var;
      const person = backend.people.byId(session.reset?.personId ?? '');
      if (!person) return c.redirect('/reset', 303);
      const form = await readForm(c, codeForm);
      if (!form.ok) return showCode(c, form);
      const { phone_proof } = form.data;

      // #region check
      const { nonce } = postedCheck(session, at.path);
      const purpose = 'password_reset';
      const claims = await phoneProof.verify(phone_proof, { purpose, subject: person.id, nonce });
      await phoneProof.redeem(phone_proof, { purpose });
      session.newPassword = { personId: person.id, claims };
      // #endregion

      delete session.reset;
      endChecks(session, at.path);
      return c.redirect('/reset/password', 303);
    })
    .get('/password', (c) => (c.var.session.newPassword ? showPassword(c) : c.redirect('/reset', 303)))
    .post('/password', async (c) => {
      const { session } = c.var;
      const person = backend.people.byId(session.newPassword?.personId ?? '');
      if (!person || !session.newPassword) return c.redirect('/reset', 303);
      const form = await readForm(c, passwordForm);
      if (!form.ok) return showPassword(c, form);
      const { claims } = session.newPassword;
      backend.people.setPassword(person, form.data.password);
      delete session.newPassword;
      return acceptedPage(c, {
        at,
        headline: 'Password changed',
        text: html`Sign in with the new one from now on.`,
        proof: { claims, source },
      });
    });
}
