/**
 * The first step: which number. A native select beside one real input; or, with an intent, the masked
 * number that the server already knows.
 *
 *     renderPhone({ flow, words, field: { typed, country, countries, … }, onSend })
 */
import { html, nothing } from 'lit';
import type { Config } from '../answers.ts';
import type { PhoneStep } from '../flow.ts';
import { fill, isolate } from '../locales/format.ts';
import { callingCodeOf } from '../phone/countries.ts';
import { lineOf, type Words } from '../wording.ts';
import { icons, renderFace, renderLine, renderTransaction } from './parts.ts';

export type PhoneField = {
  typed: string;
  country: string | null;
  /** What the select offers: only the chosen country until the picker is touched. */
  countries: readonly { country: string; name: string }[];
  isRequired: boolean;
  onType: (text: string) => void;
  onChoose: (country: string) => void;
  onTouchPicker: () => void;
};

export type PhoneView = {
  flow: PhoneStep;
  words: Words;
  isDisabled: boolean;
  config: Config | null;
  /** 'intent': the number is not typed. */
  field: PhoneField | 'intent';
  onSend: () => void;
};

export function renderPhone({ flow, words, isDisabled, config, field, onSend }: PhoneView) {
  const { t } = words;
  const { kind } = flow.activity;
  const isIntent = field === 'intent';
  const line = lineOf(flow, words);
  const label = kind === 'busy' ? t.sending : kind === 'waiting' ? t.retry : t.send;
  return html`
    <form
      class="step"
      part="form"
      novalidate
      @submit=${(event: Event) => {
        event.preventDefault();
        onSend();
      }}
    >
      ${isIntent ? renderTransaction(config?.intent?.transaction ?? null, words) : nothing}
      ${isIntent ? renderKnown(config, words) : renderField(field, line.tone === 'error', isDisabled, words)}
      ${renderLine(line)}
      <button
        id="send"
        class="button"
        part="button"
        aria-describedby="line"
        aria-disabled=${kind === 'busy'}
        ?disabled=${isDisabled}
      >
        ${renderFace(label, kind === 'busy')}
      </button>
      <p class="small terms" part="terms">
        ${renderLink(config?.termsUrl, t.terms)} ${renderLink(config?.privacyUrl, t.privacy)}
      </p>
    </form>
  `;
}

const renderField = (field: PhoneField, isWrong: boolean, isDisabled: boolean, { t }: Words) => html`
  <label class="label" part="label" for="number">${t.phoneLabel}</label>
  <div class="field ${isWrong ? 'wrong' : ''}" part="field">
    <span class="country" part="country">
      <span aria-hidden="true">${field.country} ${callingCodeText(field.country)}</span>
      ${icons.chevron}
      <select
        aria-label=${t.countryLabel}
        ?disabled=${isDisabled}
        @pointerdown=${field.onTouchPicker}
        @focus=${field.onTouchPicker}
        @change=${({ target }: Event) => {
          if (target instanceof HTMLSelectElement) field.onChoose(target.value);
        }}
      >
        ${field.countries.map(
          ({ country, name }) => html`
            <option value=${country} .selected=${country === field.country}>
              ${name} ${callingCodeText(country)}
            </option>
          `,
        )}
      </select>
    </span>
    <input
      id="number"
      part="number"
      type="tel"
      autocomplete="tel"
      enterkeyhint="send"
      aria-describedby="line"
      aria-invalid=${isWrong}
      aria-required=${field.isRequired}
      ?disabled=${isDisabled}
      .value=${field.typed}
      @input=${({ target }: Event) => {
        if (target instanceof HTMLInputElement) field.onType(target.value);
      }}
    />
  </div>
`;

const renderKnown = (config: Config | null, { t }: Words) => html`
  <p class="label" part="label">${t.intentLabel}</p>
  <p class="field known" part="field">
    ${icons.phone}
    <span>
      ${config?.intent ? fill(t.intentTarget, { phone: isolate(config.intent.phoneMasked) }) : nothing}
    </span>
  </p>
`;

const callingCodeText = (country: string | null) => {
  const callingCode = country && callingCodeOf(country);
  return callingCode ? `+${callingCode}` : '';
};

const renderLink = (address: string | null | undefined, label: string) =>
  address ? html`<a href=${address} target="_blank" rel="noopener">${label}</a>` : nothing;
