/**
 * Book the workshop: a slot is held only for a number that was shown to be the visitor's.
 *
 * Purpose `appointment`, number typed on the page.
 */
import { type Context, Hono } from 'hono';
import { html } from 'hono/html';
import { z } from 'zod';
import type { Slot } from '../appointments.ts';
import { postedCheck, shownCheck } from '../checks.ts';
import { proofField, type Rejected, readForm, reject, textField } from '../form.ts';
import { junction } from '../junctions.ts';
import { maskPhone } from '../mask.ts';
import type { ShopEnv } from '../session.ts';
import type { Shop } from '../shop.ts';
import { field, proofError } from '../views/fields.ts';
import type { Fragment } from '../views/layout.ts';
import { acceptedPage } from '../views/outcome.ts';
import { checkSource } from '../views/source.ts';

const at = junction('/appointment');
const source = checkSource(import.meta.url);

const bookingForm = z.object({
  slot: z.string('Choose a time.'),
  bicycle: textField('The bicycle'),
  phone_proof: proofField,
});

export function appointment({ siteKey, backend, phoneProof }: Shop) {
  const show = (c: Context<ShopEnv>, form?: Rejected) => {
    const { nonce } = shownCheck(c.var.session, at.path);
    c.status(form ? 422 : 200);
    return c.render(
      html`
        <p class="lead">A full service takes an hour and a half. We call you when the bicycle is done.</p>
        <form class="card" method="post">
          ${slotPicker(backend.appointments.slots(), form)}
          ${field({ name: 'bicycle', label: 'Which bicycle?', value: 'Green omafiets, rattles', maxlength: 80 }, form)}
          <phone-proof site-key="${siteKey}" purpose="appointment" proof-nonce="${nonce}" name="phone_proof" required></phone-proof>
          ${proofError(form)}
          <button class="button">Book</button>
        </form>`,
      { title: at.title, at, phone: true },
    );
  };

  return new Hono<ShopEnv>()
    .get('/', (c) => show(c))
    .post('/', async (c) => {
      const form = await readForm(c, bookingForm);
      if (!form.ok) return show(c, form);
      const { bicycle, phone_proof } = form.data;
      const slot = backend.appointments.find(form.data.slot);
      if (!slot || slot.isTaken) {
        return show(c, reject({ bicycle }, { slot: 'That time was just taken. Choose another one.' }));
      }

      // #region check
      const { nonce } = postedCheck(c.var.session, at.path);
      const claims = await phoneProof.verify(phone_proof, { purpose: 'appointment', nonce });
      await phoneProof.redeem(phone_proof, { purpose: 'appointment' });
      backend.appointments.book(slot, claims.phone_number);
      // #endregion

      return acceptedPage(c, {
        at,
        headline: `${slot.day}, ${slot.time}`,
        text: html`Booked: ${bicycle}. We call <strong class="number">${maskPhone(claims.phone_number)}</strong>, verified.`,
        proof: { claims, source },
      });
    });
}

function slotPicker(slots: Slot[], form?: Rejected): Fragment {
  const error = form?.errors.slot;
  const chosen = form?.values.slot ?? slots.find((slot) => !slot.isTaken)?.id;
  const days = Map.groupBy(slots, (slot) => slot.day);
  return html`
    <fieldset class="field slots" aria-describedby="slot-note">
      <legend>When?</legend>
      ${[...days].map(
        ([day, ofDay]) => html`
          <div class="slots-day">
            <p>${day}</p>
            ${ofDay.map(
              ({ id, time, isTaken }) => html`
                <label>
                  <input type="radio" name="slot" value="${id}" required ${id === chosen ? 'checked' : ''} ${isTaken ? 'disabled' : ''}>
                  <span>${time}</span>
                </label>`,
            )}
          </div>`,
      )}
      <p class="note ${error ? 'note-error' : ''}" id="slot-note">${error ?? ''}</p>
    </fieldset>`;
}
