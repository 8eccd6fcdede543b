/**
 * The second step: the code. One real, visible input; the cells behind it are a drawing.
 *
 *     renderCode({ flow, words, code, onInput, onSubmit, onResend, … })
 *
 * Six inputs instead would break autofill, paste, undo, the caret and every screen reader.
 */
import { html, nothing } from 'lit';
import type { CodeStep } from '../flow.ts';
import { fill, isolate, timer } from '../locales/format.ts';
import { lineOf, type Words } from '../wording.ts';
import { renderFace, renderLine, renderTransaction } from './parts.ts';

export type CodeView = {
  flow: CodeStep;
  words: Words;
  isDisabled: boolean;
  code: string;
  /** Null with an intent, whose number is not the page's to change. */
  onChange: (() => void) | null;
  onInput: (event: Event) => void;
  onSubmit: () => void;
  onResend: () => void;
  onRenew: () => void;
  onRetry: () => void;
};

export function renderCode(view: CodeView) {
  const { flow, words, isDisabled, code, onChange, onInput, onSubmit } = view;
  const { t, locale } = words;
  const { length, alphabet } = flow.verification.code;
  const isNumeric = alphabet === 'numeric';
  const line = lineOf(flow, words);
  const isWrong = line.tone === 'error' && (flow.over !== null || flow.activity.kind === 'error');
  const isLocked = flow.over !== null || flow.activity.kind === 'busy';
  const label = fill(isNumeric ? t.codeLabelNumeric : t.codeLabelAlphanumeric, {
    length: new Intl.NumberFormat(locale).format(length),
  });
  return html`
    <form
      class="step"
      part="form"
      novalidate
      @submit=${(event: Event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      ${renderTransaction(flow.verification.transaction, words)}
      <label class="label" part="label" for="code">${label}</label>
      <p id="sent-to" class="small sent-to" part="sent-to">
        ${fill(t.sentTo, { phone: isolate(flow.verification.phoneMasked) })}
        ${
          onChange
            ? html`· <button type="button" class="link" part="change" aria-label=${t.changeLabel} ?disabled=${isDisabled} @click=${onChange}>${t.change}</button>`
            : nothing
        }
      </p>
      <div class="code ${isNumeric ? '' : 'letters'} ${isWrong ? 'wrong' : ''}" data-length=${length} part="code-field">
        <span class="cells" aria-hidden="true">
          ${Array.from(
            { length },
            (_, index) =>
              html`<span class=${index < code.length ? 'filled' : index === code.length ? 'next' : ''} part="cell"></span>`,
          )}
        </span>
        <input
          id="code"
          part="code"
          type="text"
          inputmode=${isNumeric ? 'numeric' : 'text'}
          autocomplete="one-time-code"
          autocapitalize=${isNumeric ? 'none' : 'characters'}
          autocorrect="off"
          spellcheck="false"
          enterkeyhint="done"
          aria-describedby="sent-to line"
          aria-invalid=${isWrong}
          ?disabled=${isDisabled}
          ?readonly=${isLocked}
          .value=${code}
          @input=${onInput}
          @compositionend=${onInput}
        />
      </div>
      ${renderLine(line)} ${renderAction(view)}
    </form>
  `;
}

/** The one button of this step is always the way on when no code comes, whatever the reason. */
function renderAction({ flow, words, isDisabled, onResend, onRenew, onRetry }: CodeView) {
  const { t, locale, now } = words;
  const { activity, over, verification } = flow;
  const button = (
    label: string,
    onClick: (() => void) | null,
    { strong = false, isBusy = false } = {},
  ) => html`
    <button
      id="again"
      type="button"
      class="button ${strong ? '' : 'quiet'}"
      part="again"
      aria-disabled=${onClick === null}
      ?disabled=${isDisabled}
      @click=${() => onClick?.()}
    >
      ${renderFace(label, isBusy)}
    </button>
  `;
  if (activity.kind === 'busy' && activity.request.kind !== 'check') {
    return button(t.sending, null, { strong: over !== null, isBusy: true });
  }
  if (activity.kind === 'waiting') return button(t.retry, onRetry, { strong: true });
  if (over) return button(t.renew, onRenew, { strong: true });
  if (verification.resendsRemaining < 1) return html`<p class="small spent">${t.noMoreResends}</p>`;
  if (now < verification.resendAt) {
    return button(fill(t.resendIn, { time: timer(verification.resendAt - now, locale) }), null);
  }
  return button(t.resend, activity.kind === 'busy' ? null : onResend);
}
