/**
 * What is typed into and pressed: field, buttons, links, and the one focus ring they share.
 */
import { css } from 'lit';

export const controls = css`
  input,
  select,
  button {
    margin: 0;
    padding: 0;
    border: 0;
    background: none;
    color: inherit;
    font: inherit;
    letter-spacing: inherit;
    touch-action: manipulation;
  }

  .field {
    display: flex;
    direction: ltr;
    min-block-size: var(--_control);
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
    background: var(--_field);
  }

  :is(.button, .link, a):focus-visible {
    outline: var(--_focus-width) solid var(--_accent);
    outline-offset: 2px;
  }

  .field:has(:focus) {
    border-color: var(--_accent);
    outline: var(--_focus-width) solid var(--_accent);
    outline-offset: -1px;
  }

  .field.wrong {
    border-color: var(--_danger);
  }

  #number {
    flex: 1;
    min-inline-size: 0;
    padding-inline: 12px;
    border-radius: inherit;
    outline: none;
    /* Below 16 px Safari on a phone zooms the page in, and not out again. */
    font-size: max(1em, 16px);
    font-variant-numeric: tabular-nums;
  }

  /* The select lies unseen over its short form, so that the list says 'Netherlands' and the field 'NL'. */
  .country {
    position: relative;
    display: flex;
    flex: none;
    align-items: center;
    gap: 4px;
    padding-inline: 12px 8px;
    border-inline-end: 1px solid color-mix(in srgb, var(--_border) 50%, transparent);
    font-variant-numeric: tabular-nums;
  }

  .country select {
    position: absolute;
    inset: 0;
    inline-size: 100%;
    opacity: 0;
    cursor: pointer;
  }

  option {
    background: Canvas;
    color: CanvasText;
  }

  .known {
    align-items: center;
    gap: 8px;
    padding-inline: 12px;
    border-color: transparent;
    background: var(--_panel);
    direction: inherit;
  }

  .button {
    display: flex;
    justify-content: center;
    align-items: center;
    gap: 8px;
    inline-size: 100%;
    min-block-size: var(--_control);
    padding: 4px 16px;
    /* Seen only where colours are forced, and backgrounds are gone. */
    border: 1px solid transparent;
    border-radius: var(--_radius);
    background: var(--_accent);
    color: var(--_on-accent);
    font-weight: 600;
    cursor: pointer;
    transition: background-color 120ms;
  }

  .quiet {
    border-color: var(--_border);
    background: transparent;
    color: inherit;
    font-variant-numeric: tabular-nums;
  }

  .quiet[aria-disabled='true'] {
    border-color: color-mix(in srgb, var(--_border) 40%, transparent);
    color: var(--_muted);
    font-weight: inherit;
  }

  .button[aria-disabled='true'] {
    cursor: default;
  }

  @media (hover: hover) {
    .button:not([aria-disabled='true'], .quiet):hover {
      background: color-mix(in srgb, var(--_accent) 90%, currentColor);
    }

    .quiet:not([aria-disabled='true']):hover {
      background: var(--_panel);
    }
  }

  /* Inline, yet with room for a thumb around it. */
  .link {
    position: relative;
    color: var(--_accent);
    text-decoration: underline;
    text-underline-offset: 0.2em;
    cursor: pointer;
  }

  .link::after {
    content: '';
    position: absolute;
    inset: -12px -8px;
  }

  a {
    color: inherit;
    text-underline-offset: 0.2em;
  }

  :is(.link, a):focus-visible {
    border-radius: 2px;
  }

  :is(input, select, button):disabled {
    cursor: not-allowed;
  }

  :host(:disabled) :is(.field, .code, .button) {
    opacity: 0.55;
  }

  .spinner {
    flex: none;
    inline-size: 16px;
    block-size: 16px;
    border: 2px solid;
    border-inline-start-color: transparent;
    border-radius: 50%;
    animation: turn 800ms linear infinite;
  }

  @keyframes turn {
    to {
      rotate: 1turn;
    }
  }

  @media (prefers-reduced-motion: reduce) {
    .spinner {
      animation: none;
    }

    .button {
      transition: none;
    }
  }
`;
