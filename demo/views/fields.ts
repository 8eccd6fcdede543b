/**
 * Form controls as this shop draws them: label above, hint or error below, values kept after an error.
 *
 *     field({ name: 'email', label: 'E-mail', type: 'email', autocomplete: 'email' }, form)
 */
import { html } from 'hono/html';
import type { Rejected } from '../form.ts';
import type { Fragment } from './layout.ts';

export type FieldOptions = {
  name: string;
  label: string;
  type?: 'text' | 'email' | 'password';
  value?: string;
  hint?: string;
  autocomplete?: string;
  inputmode?: 'text' | 'decimal';
  minlength?: number;
  maxlength?: number;
};

export function field(options: FieldOptions, form?: Rejected): Fragment {
  const { name, label, type = 'text', hint, autocomplete = 'off', inputmode, minlength, maxlength } = options;
  const error = form?.errors[name];
  // A password is never sent back into a page.
  const value = (type === 'password' ? undefined : form?.values[name]) ?? options.value ?? '';
  const noteId = `${name}-note`;
  return html`
    <div class="field">
      <label for="${name}">${label}</label>
      <input id="${name}" name="${name}" type="${type}" value="${value}" autocomplete="${autocomplete}" required
        aria-describedby="${noteId}"
        ${error ? html`aria-invalid="true"` : ''}
        ${inputmode ? html`inputmode="${inputmode}"` : ''}
        ${minlength ? html`minlength="${minlength}"` : ''}
        ${maxlength ? html`maxlength="${maxlength}"` : ''}>
      <p class="note ${error ? 'note-error' : ''}" id="${noteId}">${error ?? hint ?? ''}</p>
    </div>`;
}

/** The element's own line is inside it; this one is for a form posted without a proof at all. */
export function proofError(form?: Rejected): Fragment {
  const error = form?.errors.phone_proof;
  return error ? html`<p class="note note-error" role="alert">${error}</p>` : html``;
}
