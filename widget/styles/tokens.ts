/**
 * The public custom properties, and what they are when a page says nothing.
 *
 *     phone-proof { --phone-proof-accent: rebeccapurple; --phone-proof-radius: 4px; }
 *
 * Public ones are `--phone-proof-*`; the private `--_*` are what the other sheets use. Tints are mixed
 * from the text colour, so that they suit whatever ground the page has, declared or not.
 */
import { css } from 'lit';

export const tokens = css`
  :host {
    --_accent: var(--phone-proof-accent, light-dark(#2453d6, #9db7ff));
    --_on-accent: var(--phone-proof-on-accent, light-dark(#fff, #0b1533));
    --_danger: var(--phone-proof-danger, light-dark(#b3241c, #ffb4a9));
    --_success: var(--phone-proof-success, light-dark(#1b7a43, #7fdca4));
    --_muted: var(--phone-proof-muted, color-mix(in srgb, currentColor 72%, transparent));
    --_border: var(--phone-proof-border, color-mix(in srgb, currentColor 50%, transparent));
    --_field: var(--phone-proof-field-background, transparent);
    --_panel: var(--phone-proof-panel-background, color-mix(in srgb, currentColor 5%, transparent));
    --_radius: var(--phone-proof-radius, 10px);
    --_control: var(--phone-proof-control-height, 48px);
    --_gap: var(--phone-proof-gap, 8px);
    --_cell-gap: var(--phone-proof-cell-gap, 8px);
    --_code-size: var(--phone-proof-code-size, 1.5em);
    --_focus-width: var(--phone-proof-focus-width, 2px);

    display: block;
    color: var(--phone-proof-text, inherit);
    font-family: var(--phone-proof-font, inherit);
    line-height: 1.25;
    text-align: start;
    -webkit-tap-highlight-color: transparent;
  }

  :host([hidden]) {
    display: none;
  }

  /* Said outright, a theme brings its own text colour: the page's may be meant for another ground. */
  :host([theme='light']) {
    color-scheme: light;
    color: var(--phone-proof-text, #16181d);
  }

  :host([theme='dark']) {
    color-scheme: dark;
    color: var(--phone-proof-text, #f1f2f4);
  }
`;
