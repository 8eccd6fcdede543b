/**
 * Send money from the trade-in wallet: what is approved is what is paid.
 *
 * Purpose `transaction`, by intent with amount and payee. They stand in the element, in the message
 * and inside the proof, and the proof is checked against the shop's own record of the transfer: a
 * page that was tampered with can change neither unnoticed (dynamic linking, PSD2 RTS Art. 5).
 */
import { type Context, Hono } from 'hono';
import { html } from 'hono/html';
import { z } from 'zod';
import { endChecks, postedCheck, shownIntent } from '../checks.ts';
import { proofField, type Rejected, readForm, reject, textField } from '../form.ts';
import { junction } from '../junctions.ts';
import { parseEuros, showEuros } from '../money.ts';
import type { Person } from '../people.ts';
import type { ShopEnv } from '../session.ts';
import type { Shop } from '../shop.ts';
import { field, proofError } from '../views/fields.ts';
import { acceptedPage, refusedPage } from '../views/outcome.ts';
import { checkSource } from '../views/source.ts';
import { startAgain } from '../views/start-again.ts';
import { visitor } from '../visitor.ts';
import type { Transfer } from '../wallets.ts';

const at = junction('/transfer');
const source = checkSource(import.meta.url);

/** One line of visible text: nothing that could reorder or hide what the message shows. */
const visibleLine = (label: string) =>
  textField(label)
    .max(40, `${label} is too long: 40 characters at most.`)
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, `${label} holds characters that cannot be shown.`);

const transferForm = z.object({
  amount: z
    .string()
    .transform((written) => parseEuros(written) ?? 0)
    .refine((cents) => cents > 0, 'An amount looks like 250 or 250.00.'),
  payee: visibleLine('The payee'),
  reference: visibleLine('The reference'),
});
const codeForm = z.object({ phone_proof: proofField });

export function transfer({ siteKey, backend, phoneProof }: Shop) {
  const owner = (c: Context<ShopEnv>) => visitor(backend, c.var.session);
  const find = (c: Context<ShopEnv>) => backend.wallets.find(owner(c)?.id ?? '', c.req.param('id') ?? '');
  const page = ({ id }: Transfer) => `/transfer/${id}`;

  const showForm = (c: Context<ShopEnv>, person: Person, form?: Rejected) => {
    c.status(form ? 422 : 200);
    return c.render(
      html`
        <p class="lead">${person.name}’s trade-in wallet holds <strong>${showEuros(backend.wallets.balanceCents(person.id))}</strong>.</p>
        <form class="card" method="post" action="/transfer">
          ${field({ name: 'amount', label: 'Amount in euros', value: '250.00', inputmode: 'decimal' }, form)}
          ${field({ name: 'payee', label: 'To', value: 'Fien Bakker', maxlength: 40 }, form)}
          ${field({ name: 'reference', label: 'Reference', value: 'Second-hand tandem', maxlength: 40 }, form)}
          <button class="button">Continue</button>
        </form>`,
      { title: at.title, at, phone: true },
    );
  };

  const showApproval = async (c: Context<ShopEnv>, prepared: Transfer, form?: Rejected) => {
    const person = owner(c);
    if (!person) return c.redirect('/signup', 303);
    const intent = await shownIntent(phoneProof, c.var.session, page(prepared), {
      phone: person.phone,
      purpose: 'transaction',
      subject: person.id,
      transaction: prepared.transaction,
    });
    c.status(form ? 422 : 200);
    return c.render(
      html`
        <p class="lead">Read the message before you type its code: it names the amount and the payee.</p>
        <form class="card" method="post" action="${page(prepared)}">
          <phone-proof site-key="${siteKey}" intent="${intent.token}" name="phone_proof" required></phone-proof>
          ${proofError(form)}
          <button class="button">Send money</button>
        </form>
        ${startAgain(`${page(prepared)}/again`)}
        <form class="again" method="post" action="${page(prepared)}/attack">
          <p class="note">Curious? <button class="link">Change the payee behind the customer’s back</button>, then go on.</p>
        </form>`,
      { title: at.title, at, phone: true },
    );
  };

  return new Hono<ShopEnv>()
    .get('/', async (c) => {
      const person = owner(c);
      return person ? showForm(c, person) : c.redirect('/signup', 303);
    })
    .post('/', async (c) => {
      const form = await readForm(c, transferForm);
      const person = owner(c);
      if (!person) return c.redirect('/signup', 303);
      if (!form.ok) return showForm(c, person, form);
      const { amount: amountCents, payee, reference } = form.data;
      if (amountCents > backend.wallets.balanceCents(person.id)) {
        const values = { amount: String(amountCents / 100), payee, reference };
        return showForm(c, person, reject(values, { amount: 'That is more than the wallet holds.' }));
      }
      return c.redirect(page(backend.wallets.prepare(person.id, { amountCents, payee, reference })), 303);
    })
    .get('/:id', async (c) => {
      const prepared = find(c);
      return prepared?.status === 'prepared' ? showApproval(c, prepared) : c.redirect('/transfer', 303);
    })
    .post('/:id/again', (c) => {
      endChecks(c.var.session, `/transfer/${c.req.param('id')}`);
      return c.redirect(`/transfer/${c.req.param('id')}`, 303);
    })
    .post('/:id/attack', (c) => {
      // What a compromised page or clerk would do: the record changes after the person was asked.
      const prepared = find(c);
      if (prepared) prepared.transaction = { ...prepared.transaction, payee: 'Mallory' };
      return c.redirect(`/transfer/${c.req.param('id')}`, 303);
    })
    .post('/:id', async (c) => {
      const prepared = find(c);
      if (!prepared) return c.redirect('/transfer', 303);
      if (
        prepared.status === 'prepared' &&
        prepared.amountCents > backend.wallets.balanceCents(prepared.ownerId)
      ) {
        return refusedPage(c, 'not-enough-money');
      }
      const form = await readForm(c, codeForm);
      if (!form.ok) return showApproval(c, prepared, form);
      const { phone_proof } = form.data;

      // #region check
      const { nonce } = postedCheck(c.var.session, page(prepared));
      const { transaction, ownerId: subject } = prepared;
      const purpose = 'transaction';
      const claims = await phoneProof.verify(phone_proof, { purpose, subject, nonce, transaction });
      await phoneProof.redeem(phone_proof, { purpose, transaction });
      backend.wallets.settle(prepared);
      // #endregion

      return acceptedPage(c, {
        at,
        headline: 'Money sent',
        text: html`<strong>${showEuros(prepared.amountCents)}</strong> to <strong>${transaction.payee}</strong>. ${showEuros(backend.wallets.balanceCents(subject))} left.`,
        proof: { claims, source },
      });
    });
}
