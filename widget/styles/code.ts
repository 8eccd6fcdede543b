/**
 * The code's input, drawn as cells: the letters of one input are spaced so that each falls into the
 * middle of one of the boxes behind it. Codes are read from left to right in every language.
 */
import { css, unsafeCSS } from 'lit';

/** By attribute selector, because a style attribute is what strict pages (CSP) forbid. */
const lengths = [4, 5, 6, 7, 8, 9, 10].map((length) => `.code[data-length='${length}']{--_length:${length}}`);

export const code = css`
  ${unsafeCSS(lengths.join(''))}

  .code {
    --_pitch: min((100cqi + var(--_cell-gap)) / var(--_length), 72px);
    --_cell: calc(var(--_pitch) - var(--_cell-gap));
    position: relative;
    direction: ltr;
    block-size: var(--_control);
    /* The caret behind the last digit would make the input scroll; so it is wider than what is seen of it. */
    overflow: clip;
    overflow-clip-margin: 4px;
  }

  .cells {
    display: flex;
    gap: var(--_cell-gap);
    block-size: 100%;
  }

  .cells span {
    flex: none;
    inline-size: var(--_cell);
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
    background: var(--_field);
  }

  .code:has(:focus:read-write) :is(.next, .filled:last-child) {
    border-color: var(--_accent);
    outline: var(--_focus-width) solid var(--_accent);
    outline-offset: -1px;
  }

  .code.wrong {
    color: var(--_danger);

    & .cells span {
      border-color: currentColor;
    }
  }

  #code {
    position: absolute;
    inset: 0;
    inline-size: calc(100% + var(--_pitch));
    block-size: 100%;
    padding-inline-start: calc((var(--_cell) - 1ch) / 2);
    outline: none;
    font-size: var(--_code-size);
    font-variant-numeric: tabular-nums;
    letter-spacing: calc(var(--_pitch) - 1ch);
    text-transform: uppercase;
  }

  /* Letters differ in width: only a monospaced face keeps them in their cells. */
  .letters #code {
    font-family: ui-monospace, monospace;
  }

  /* Across the gaps between the cells a selection reads as a bar; so it tints the digits alone. */
  #code::selection {
    background: transparent;
    color: var(--_accent);
  }

  .wrong #code::selection {
    color: inherit;
  }

  /* The plate that forced colours put behind text would cover the cells. */
  @media (forced-colors: active) {
    #code {
      color: CanvasText;
      forced-color-adjust: none;
    }
  }
`;
