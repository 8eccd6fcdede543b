/**
 * The last step: done. The form's own button is what goes on.
 *
 *     renderVerified({ flow, words, onChange })
 */
import { html, nothing, svg } from 'lit';
import type { VerifiedStep } from '../flow.ts';
import { isolate } from '../locales/format.ts';
import type { Words } from '../wording.ts';
import { renderTransaction } from './parts.ts';

export type VerifiedView = {
  flow: VerifiedStep;
  words: Words;
  isDisabled: boolean;
  /** Null with an intent, whose number is not the page's to change. */
  onChange: (() => void) | null;
};

/** Takes the focus that the code had, so that it is never nowhere; hence the negative tabindex. */
export const renderVerified = ({ flow, words, isDisabled, onChange }: VerifiedView) => html`
  <div class="step">
    ${renderTransaction(flow.verification.transaction, words)}
    <div id="verified" class="verified" part="verified" role="group" aria-label=${words.t.verified} tabindex="-1">
      <svg class="tick" part="tick" viewBox="0 0 40 40" aria-hidden="true">
        ${svg`<circle cx="20" cy="20" r="20" /><path d="m12 20.5 5.5 5.5L28.5 15" />`}
      </svg>
      <p class="label">${words.t.verified}</p>
      <p>
        ${isolate(flow.verification.phoneMasked)}
        ${
          onChange
            ? html`· <button type="button" class="link" part="change" aria-label=${words.t.changeLabel} ?disabled=${isDisabled} @click=${onChange}>${words.t.change}</button>`
            : nothing
        }
      </p>
    </div>
  </div>
`;
