// @ts-check
/**
 * Does what a phone's keyboard does when a code is tapped: sets the value of the code box and says so.
 *
 * The drawn phone dispatches `code-tapped`; the element hears nothing but the `input` and `change`
 * events it would get from the browser's own autofill. No part of the element is called.
 */
const nativeValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');

/** @returns {HTMLInputElement | undefined} the first code box that can take a code now */
function codeBox() {
  for (const element of document.querySelectorAll('phone-proof')) {
    const input = element.shadowRoot?.querySelector('input[autocomplete="one-time-code"]');
    if (input instanceof HTMLInputElement && !input.disabled && !input.readOnly) return input;
  }
  return undefined;
}

document.addEventListener('code-tapped', (event) => {
  if (!(event instanceof CustomEvent)) return;
  const input = codeBox();
  if (!input) return;
  input.focus();
  nativeValue?.set?.call(input, event.detail.code);
  input.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
  input.dispatchEvent(new Event('change', { bubbles: true }));
});
