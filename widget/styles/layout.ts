/**
 * Where things stand. Every step has the same five rows in one order or another, and every line keeps
 * its room, so that nothing below the element ever moves.
 */
import { css } from 'lit';

export const layout = css`
  *,
  ::before,
  ::after {
    box-sizing: border-box;
  }

  p {
    margin: 0;
  }

  /* The size of its container decides how many lines a sentence takes; 20rem where it decides itself. */
  :host {
    container-type: inline-size;
    contain-intrinsic-inline-size: 20rem;
  }

  .step {
    --_small: 0.875em;
    --_row: 20px;
    /* A sentence takes two lines where it is narrow. */
    --_line: calc(2 * var(--_row));
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--_gap);
    animation: appear 160ms ease-out;
  }

  @keyframes appear {
    from {
      opacity: 0;
    }
  }

  .label {
    min-block-size: var(--_row);
    font-weight: 600;
  }

  .small,
  .line {
    min-block-size: var(--_row);
    color: var(--_muted);
    font-size: var(--_small);
    line-height: calc(20 / 14);
  }

  .line {
    display: flex;
    gap: 6px;
    min-block-size: var(--_line);
    text-wrap: pretty;
  }

  @container (inline-size >= 30rem) {
    .step {
      --_line: var(--_row);
    }
  }

  .line.error {
    color: var(--_danger);
  }

  .line.done .icon {
    color: var(--_success);
  }

  .icon {
    flex: none;
    inline-size: 16px;
    block-size: 16px;
    margin-block: 2px;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.5;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  .terms {
    display: flex;
    justify-content: center;
    gap: 16px;
  }

  .spent {
    display: grid;
    place-content: center;
    min-block-size: var(--_control);
  }

  .transaction {
    margin-block-end: var(--_gap);
    padding: 12px 16px;
    border: 1px solid transparent;
    border-radius: var(--_radius);
    background: var(--_panel);
  }

  .amount {
    font-size: 1.75em;
    font-weight: 650;
    font-variant-numeric: tabular-nums;
    overflow-wrap: anywhere;
  }

  .payee {
    font-weight: 600;
    overflow-wrap: anywhere;
  }

  /* As high as the other steps are. */
  .verified {
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 4px;
    border: 1px solid transparent;
    min-block-size: calc(2 * (var(--_row) + var(--_control)) + var(--_line) + 4 * var(--_gap));
    border-radius: var(--_radius);
    background: color-mix(in srgb, var(--_success) 8%, transparent);
    outline: none;
    text-align: center;
  }

  .tick {
    inline-size: 40px;
    block-size: 40px;
    margin-block-end: 4px;
    fill: color-mix(in srgb, var(--_success) 15%, transparent);
    stroke: var(--_success);
    stroke-width: 3;
    stroke-linecap: round;
    stroke-linejoin: round;

    & circle {
      stroke: none;
    }
  }

  .spoken {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: clip;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  @media (prefers-reduced-motion: reduce) {
    .step {
      animation: none;
    }
  }
`;
