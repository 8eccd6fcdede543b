/**
 * Sign in: a password, then a code to the number on file.
 *
 * Purpose `login`, by intent: the backend names the number, so the page neither shows nor chooses
 * it, and `subject` ties the proof to the account whose password was right.
 */
import { type Context, Hono } from 'hono';
import { html } from 'hono/html';
import { z } from 'zod';
import { endChecks, postedCheck, shownIntent } from '../checks.ts';
import { emailField, proofField, type Rejected, readForm, reject } from '../form.ts';
import { junction } from '../junctions.ts';
import { demoPeople, type Person } from '../people.ts';
import type { ShopEnv } from '../session.ts';
import type { Shop } from '../shop.ts';
import { field, proofError } from '../views/fields.ts';
import { acceptedPage, refusedPage } from '../views/outcome.ts';
import { checkSource } from '../views/source.ts';
import { startAgain } from '../views/start-again.ts';

const at = junction('/login');
const source = checkSource(import.meta.url);

const passwordForm = z.object({ email: emailField, password: z.string().max(200) });
const codeForm = z.object({ phone_proof: proofField });

export function login({ siteKey, backend, phoneProof, sessions }: Shop) {
  const showPassword = (c: Context<ShopEnv>, form?: Rejected) => {
    const demo = c.req.query('as') === 'james' ? demoPeople.james : demoPeople.anna;
    const person = backend.people.byId(demo.id);
    c.status(form ? 422 : 200);
    return c.render(
      html`
        ${
          person
            ? html`<p class="lead">Two accounts are ready to try:
                <a href="/login?as=anna">Anna, in Utrecht</a> and <a href="/login?as=james">James, in Leeds</a>.</p>`
            : html`<p class="lead">No account yet? <a href="/signup">Create one</a> with your own number.</p>`
        }
        <form class="card" method="post" action="/login">
          ${field({ name: 'email', label: 'E-mail', type: 'email', value: person?.email ?? '', autocomplete: 'username' }, form)}
          ${field({ name: 'password', label: 'Password', type: 'password', value: person ? demo.password : '', autocomplete: 'current-password', hint: person ? 'Filled in for you: this is a demo.' : '' }, form)}
          <button class="button">Continue</button>
          <p class="note"><a href="/reset">Forgotten password</a></p>
        </form>`,
      { title: at.title, at, phone: true },
    );
  };

  const showCode = async (c: Context<ShopEnv>, person: Person, form?: Rejected) => {
    const intent = await shownIntent(phoneProof, c.var.session, at.path, {
      phone: person.phone,
      purpose: 'login',
      subject: person.id,
    });
    c.status(form ? 422 : 200);
    return c.render(
      html`
        <p class="lead">Password accepted. One more step, ${person.name}: a code to the number you registered.</p>
        <form class="card" method="post" action="/login/code">
          <phone-proof site-key="${siteKey}" intent="${intent.token}" name="phone_proof" required></phone-proof>
          ${proofError(form)}
          <button class="button">Sign in</button>
        </form>
        ${startAgain('/login/again')}`,
      { title: at.title, at, phone: true },
    );
  };

  const awaitingCode = (c: Context<ShopEnv>) => backend.people.byId(c.var.session.awaitingCodeFor ?? '');

  return new Hono<ShopEnv>()
    .get('/', (c) => showPassword(c))
    .post('/', async (c) => {
      const form = await readForm(c, passwordForm);
      if (!form.ok) return showPassword(c, form);
      const { email, password } = form.data;
      const person = backend.people.byEmail(email);
      if (!person || !backend.people.hasPassword(person, password)) {
        return showPassword(c, reject({ email }, { password: 'E-mail or password is not right.' }));
      }
      endChecks(c.var.session, at.path);
      c.var.session.awaitingCodeFor = person.id;
      return c.redirect('/login/code', 303);
    })
    .get('/code', async (c) => {
      const person = awaitingCode(c);
      return person ? showCode(c, person) : c.redirect('/login', 303);
    })
    .post('/again', (c) => {
      endChecks(c.var.session, at.path);
      return c.redirect('/login/code', 303);
    })
    .post('/code', async (c) => {
      const person = awaitingCode(c);
      if (!person) return refusedPage(c, 'sign-in-over');
      const form = await readForm(c, codeForm);
      if (!form.ok) return showCode(c, person, form);
      const { phone_proof } = form.data;

      // #region check
      const { nonce } = postedCheck(c.var.session, at.path);
      const claims = await phoneProof.verify(phone_proof, { purpose: 'login', subject: person.id, nonce });
      await phoneProof.redeem(phone_proof, { purpose: 'login' });
      sessions.renew(c, person.id);
      // #endregion

      return acceptedPage(c, {
        at,
        headline: `Signed in as ${person.name}`,
        text: html`Something you know and something you hold: both were there.`,
        proof: { claims, source },
      });
    });
}
