/**
 * What more than one step shows: icons, the line under a field, a button's face, what is approved.
 */
import { html, nothing, svg, type TemplateResult } from 'lit';
import type { Transaction } from '../../server/contract.ts';
import { fill, money } from '../locales/format.ts';
import type { Line, Words } from '../wording.ts';

const icon = (shape: TemplateResult) =>
  html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${shape}</svg>`;

export const icons = {
  error: icon(svg`<circle cx="8" cy="8" r="7" /><path d="M8 4.5v4M8 11.2v.3" />`),
  done: icon(svg`<circle cx="8" cy="8" r="7" /><path d="m5 8.2 2.1 2.1L11 6.2" />`),
  chevron: icon(svg`<path d="m4.5 6.5 3.5 3.5 3.5-3.5" />`),
  phone: icon(svg`<rect x="4" y="1.5" width="8" height="13" rx="2" /><path d="M7.2 12h1.6" />`),
};

/** Tells the truth about what is going on; its room is always there. Said aloud by the announcer, not by itself. */
export const renderLine = ({ tone, text }: Line) => html`
  <p id="line" class="line ${tone}" part="line">
    ${tone === 'error' ? icons.error : tone === 'done' ? icons.done : nothing}
    <span>${text}</span>
  </p>
`;

/** The words change while the button works; its size and its focus do not. */
export const renderFace = (label: string, isBusy: boolean) =>
  html`${isBusy ? html`<span class="spinner"></span>` : nothing}<span>${label}</span>`;

/** What the person approves, large, as it stands in the message. */
export const renderTransaction = (transaction: Transaction | null, { t, locale }: Words) =>
  transaction &&
  html`
    <section class="transaction" part="transaction">
      <p class="small">${t.approving}</p>
      <p class="amount" part="amount">${money(transaction, locale)}</p>
      <p class="payee" part="payee">${fill(t.payee, { payee: transaction.payee })}</p>
      ${
        transaction.reference === undefined
          ? nothing
          : html`<p class="small">${fill(t.reference, { reference: transaction.reference })}</p>`
      }
    </section>
  `;
