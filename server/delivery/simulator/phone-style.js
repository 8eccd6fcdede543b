// @ts-check
/**
 * How `<simulator-phone>` is drawn: a phone standing free, or, with the attribute `dock` on a narrow
 * window, a bar at its foot that opens into one.
 */
export const sheet = new CSSStyleSheet();
sheet.replaceSync(`
  :host {
    --_accent: var(--simulator-phone-accent, light-dark(#0b66d8, #6ab0ff));
    --_screen: light-dark(#ffffff, #101314);
    --_ink: light-dark(#14181a, #eef2f3);
    --_muted: light-dark(#5f6a70, #a0abb1);
    --_bubble: light-dark(#e9edef, #262c2f);
    --_line: light-dark(#dfe4e7, #2b3236);
    display: block;
    color: var(--_ink);
    font: 0.9375rem/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  }
  :host([hidden]) { display: none; }
  *, *::before, *::after { box-sizing: border-box; }
  p, ol { margin: 0; padding: 0; }
  button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: start; }
  :focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
  .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

  .frame {
    position: relative;
    width: min(100%, 20rem);
    height: clamp(26rem, 100svh - 7rem, 40rem);
    margin-inline: auto;
    padding: 0.6875rem;
    border-radius: 3.25rem;
    background: #16191b;
    box-shadow: inset 0 0 0 2px light-dark(#3a4146, #566067), inset 0 0 0 4px #0a0c0d,
      0 1.5rem 3rem -1.25rem light-dark(rgb(18 38 29 / 45%), rgb(0 0 0 / 80%));
  }
  .screen {
    position: relative;
    display: grid;
    grid-template-rows: auto auto 1fr auto;
    height: 100%;
    overflow: hidden;
    border-radius: 2.5625rem;
    background: var(--_screen);
  }
  .status-bar {
    display: flex;
    align-items: center;
    justify-content: space-between;
    padding: 0.75rem 1.625rem 0.375rem;
    font-size: 0.875rem;
    font-weight: 600;
    font-variant-numeric: tabular-nums;
  }
  .status-bar::before {
    content: "";
    position: absolute;
    top: 0.625rem;
    left: 50%;
    width: 5.25rem;
    height: 1.5rem;
    border-radius: 1rem;
    background: #0a0c0d;
    translate: -50% 0;
  }
  .signal { display: flex; align-items: end; gap: 2px; height: 0.75rem; }
  .signal i { width: 3px; background: currentColor; border-radius: 1px; }
  .signal i:nth-child(1) { height: 35%; } .signal i:nth-child(2) { height: 55%; }
  .signal i:nth-child(3) { height: 78%; } .signal i:nth-child(4) { height: 100%; }
  .offline .signal { opacity: 0.25; }

  .sender {
    display: grid;
    justify-items: center;
    gap: 0.25rem;
    padding: 0.5rem 1rem 0.625rem;
    border-bottom: 1px solid var(--_line);
    font-size: 0.8125rem;
  }
  .avatar {
    display: grid;
    place-items: center;
    width: 2.5rem;
    aspect-ratio: 1;
    border-radius: 50%;
    background: light-dark(#8d9aa1, #515d63);
    color: #fff;
    font-size: 1.125rem;
    font-weight: 600;
  }

  .thread {
    overflow-y: auto;
    overscroll-behavior: contain;
    padding: 0.5rem 0.875rem 0.875rem;
    list-style: none;
  }
  .thread:focus-visible { outline-offset: -3px; }
  .day { margin: 0.875rem 0 0.375rem; color: var(--_muted); font-size: 0.75rem; text-align: center; }
  li + li:not(.day) { margin-top: 0.625rem; }
  .day + li:not(.day) { margin-top: 0; }
  .bubble {
    width: fit-content;
    max-width: 92%;
    padding: 0.5625rem 0.8125rem;
    border-radius: 1.125rem 1.125rem 1.125rem 0.3125rem;
    background: var(--_bubble);
    white-space: pre-line;
    overflow-wrap: anywhere;
  }
  .meta { margin: 0.1875rem 0 0 0.5rem; color: var(--_muted); font-size: 0.75rem; }
  .failed .meta { color: light-dark(#b3261e, #ff8a80); }
  .code {
    color: var(--_accent);
    font-weight: 600;
    font-variant-numeric: tabular-nums;
    text-decoration: underline;
    text-underline-offset: 0.2em;
    /* Two lines of text are the target, not one: a thumb is wider than a word. */
    padding-block: 0.5rem;
    margin-block: -0.5rem;
  }
  .empty {
    align-self: center;
    padding: 1.5rem;
    color: var(--_muted);
    text-align: center;
    text-wrap: balance;
  }
  .home { width: 7rem; height: 0.3125rem; margin: 0.5rem auto 0.5625rem; border-radius: 1rem; background: var(--_ink); opacity: 0.85; }

  .banner {
    position: absolute;
    inset: 2.75rem 0.5rem auto;
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 0 0.625rem;
    align-items: center;
    padding: 0.6875rem 0.8125rem;
    border-radius: 1.25rem;
    background: light-dark(#f5f7f8, #2c3438);
    box-shadow: 0 0.5rem 1.5rem rgb(0 0 0 / 22%), 0 0 0 1px var(--_line);
    font-size: 0.8125rem;
    line-height: 1.35;
  }
  .banner[hidden] { display: none; }
  .banner .avatar { grid-row: span 2; border-radius: 0.625rem; }
  .banner strong { display: flex; justify-content: space-between; }
  .banner small { color: var(--_muted); font-size: 0.75rem; font-weight: 400; }
  .banner span:last-child { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
  @media (prefers-reduced-motion: no-preference) {
    .banner:not([hidden]) { animation: arrive 200ms ease-out; }
    @keyframes arrive { from { transform: translateY(-120%); opacity: 0; } }
  }

  .dock { display: none; }

  @media (max-width: 60rem) {
    :host([dock]) {
      position: fixed;
      inset: auto 0 0;
      z-index: 5;
      max-height: 100svh;
      overflow-y: auto;
      border-top: 1px solid var(--_line);
      background: var(--_screen);
      box-shadow: 0 -0.5rem 2rem rgb(0 0 0 / 12%);
    }
    :host([dock]) .dock {
      display: grid;
      grid-template-columns: auto minmax(0, 1fr) auto;
      align-items: center;
      gap: 0.75rem;
      width: min(100%, 36rem);
      min-height: 4.5rem;
      margin-inline: auto;
      padding: 0.5rem 1rem max(0.5rem, env(safe-area-inset-bottom));
    }
    .dock .avatar { border-radius: 0.625rem; }
    .latest { display: grid; font-size: 0.875rem; line-height: 1.35; }
    .latest > * { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .latest span { color: var(--_muted); }
    .fill, .toggle { min-height: 2.75rem; padding-inline: 0.875rem; border-radius: 0.625rem; font-weight: 600; white-space: nowrap; }
    .fill { background: var(--_accent); color: light-dark(#fff, #06121f); font-variant-numeric: tabular-nums; }
    .fill[hidden] { display: none; }
    .toggle { box-shadow: inset 0 0 0 1px var(--_line); }
    .actions { display: flex; gap: 0.5rem; }
    :host([dock]) .banner { display: none; }
    :host([dock]) .frame { display: none; height: min(34rem, 100svh - 5.5rem); margin-block: 0.75rem 0; }
    :host([dock][open]) .frame { display: block; }
    :host([dock][open]) .fill { display: none; }
  }

  @media (max-width: 22rem) {
    :host([dock]) .dock { grid-template-columns: minmax(0, 1fr) auto; }
    :host([dock]) .dock .avatar { display: none; }
  }
`);
