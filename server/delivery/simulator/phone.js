// @ts-check
/**
 * `<simulator-phone>`: a drawn phone in which the simulator's messages arrive.
 *
 *     <script type="module" src="https://verifier.example/simulator/phone.js"></script>
 *     <simulator-phone to="+31612345678"></simulator-phone>
 *     <script>addEventListener('code-tapped', ({ detail }) => console.log(detail.code))</script>
 *
 * It asks the server that its script came from, once a second while it can be seen. Served as it is
 * to any page, so it is plain JavaScript, and needs no exception in a strict CSP.
 */
import { sheet } from './phone-style.js';

/**
 * @typedef {object} Message
 * @property {string} id
 * @property {string} to E.164
 * @property {string} channel
 * @property {string} body
 * @property {string} code
 * @property {string} provider
 * @property {string} at RFC 3339
 * @property {string} status
 */

const POLL_MS = 1000;
const BANNER_MS = 8000;
const UNNAMED_SENDER = 'Messages';

const time = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Messages begin with the brand, which is also what a phone shows as their sender. @param {Message} message */
const senderOf = ({ body }) => /^([^:\n]{1,30}): /.exec(body)?.[1] ?? UNNAMED_SENDER;

/** Where the code stands in the text is a button; the rest stays text. @param {Message} message */
function bodyWithCode({ body, code }) {
  const at = body.indexOf(code);
  if (at < 0) return [body];
  const button = h('button', { type: 'button', class: 'code', 'aria-label': `Use code ${code}` }, code);
  button.dataset.code = code;
  return [body.slice(0, at), button, body.slice(at + code.length)];
}

export class SimulatorPhone extends HTMLElement {
  static observedAttributes = ['server', 'to', 'since'];

  /** Message id → its bubble, in order of arrival. @type {Map<string, HTMLLIElement>} */
  #bubbles = new Map();
  /** Whether the first answer is in: what was there before is shown, but not announced. */
  #isCaughtUp = false;
  #lastTo = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pollTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #bannerTimer;
  /** @type {AbortController | undefined} */
  #connection;

  #clock = h('span', { class: 'clock' });
  #avatar = h('span', { class: 'avatar', 'aria-hidden': 'true' });
  #sender = h('span');
  #thread = h('ol', { class: 'thread', 'aria-label': 'Messages', tabindex: '0', hidden: '' });
  #empty = h('p', { class: 'empty' }, 'No messages yet. A code you ask for arrives here.');
  #banner = h('button', {
    class: 'banner',
    type: 'button',
    hidden: '',
    tabindex: '-1',
    'aria-hidden': 'true',
  });
  #announcement = h('p', { class: 'unseen', role: 'status' });
  #preview = h('span');
  #previewAvatar = h('span', { class: 'avatar', 'aria-hidden': 'true' });
  #previewSender = h('strong');
  #fill = h('button', { class: 'fill', type: 'button', hidden: '' });
  #toggle = h('button', { class: 'toggle', type: 'button', 'aria-expanded': 'false' }, 'Phone');
  #frame = h(
    'section',
    { class: 'frame', 'aria-label': 'Simulated phone' },
    h(
      'div',
      { class: 'screen' },
      h(
        'div',
        { class: 'status-bar', 'aria-hidden': 'true' },
        this.#clock,
        h('span', { class: 'signal' }, h('i'), h('i'), h('i'), h('i')),
      ),
      h('div', { class: 'sender' }, this.#avatar, this.#sender),
      this.#empty,
      this.#thread,
      h('div', { class: 'home', 'aria-hidden': 'true' }),
      this.#banner,
    ),
  );

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet];
    root.append(
      this.#frame,
      h(
        'div',
        { class: 'dock' },
        this.#previewAvatar,
        h('div', { class: 'latest' }, this.#previewSender, this.#preview),
        h('div', { class: 'actions' }, this.#fill, this.#toggle),
      ),
      this.#announcement,
    );
    root.addEventListener('click', this.#onClick);
    this.#reset();
  }

  /** The verifier's origin. */
  get server() {
    return this.getAttribute('server') ?? new URL(import.meta.url).origin;
  }

  connectedCallback() {
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    document.addEventListener('visibilitychange', () => this.#poll(), { signal });
    this.#poll();
  }

  disconnectedCallback() {
    this.#connection?.abort();
    clearTimeout(this.#pollTimer);
    clearTimeout(this.#bannerTimer);
  }

  attributeChangedCallback() {
    this.#reset();
    if (this.isConnected) this.#poll();
  }

  #reset() {
    this.#bubbles.clear();
    this.#thread.replaceChildren();
    this.#isCaughtUp = false;
    this.#lastTo = '';
    this.#showSender(UNNAMED_SENDER);
    this.#preview.textContent = 'No messages yet';
    this.#fill.hidden = true;
    this.#banner.hidden = true;
    this.#thread.hidden = true;
    this.#empty.hidden = false;
  }

  async #poll() {
    clearTimeout(this.#pollTimer);
    const connection = this.#connection;
    if (!connection || connection.signal.aborted || document.visibilityState === 'hidden') return;
    const asked = this.#url();
    try {
      const response = await fetch(asked, { signal: connection.signal, cache: 'no-store' });
      if (!response.ok) throw new Error(`The simulator answered ${response.status}`);
      /** @type {Message[]} */
      const messages = await response.json();
      // The filter may have changed while the answer was on its way.
      if (asked === this.#url()) this.#receive(messages.toReversed());
      this.#frame.classList.remove('offline');
    } catch {
      if (connection.signal.aborted) return;
      this.#frame.classList.add('offline');
    }
    this.#clock.textContent = time.format(new Date());
    clearTimeout(this.#pollTimer);
    this.#pollTimer = setTimeout(() => this.#poll(), POLL_MS);
  }

  #url() {
    const url = new URL('/simulator/messages', this.server);
    const to = this.getAttribute('to');
    if (to) url.searchParams.set('to', to);
    return url.href;
  }

  /** @param {Message[]} messages oldest first */
  #receive(messages) {
    const since = Date.parse(this.getAttribute('since') ?? '') || 0;
    const wanted = messages.filter(({ at }) => Date.parse(at) >= since);
    const fresh = wanted.filter(({ id }) => !this.#bubbles.has(id));
    for (const message of fresh) this.#append(message);
    for (const message of wanted) this.#showStatus(message);

    const latest = fresh.at(-1);
    if (latest) {
      this.#showLatest(latest);
      if (this.#isCaughtUp) this.#announce(latest);
    }
    this.#isCaughtUp = true;
  }

  /** @param {Message} message */
  #append(message) {
    if (message.to !== this.#lastTo) {
      this.#thread.append(h('li', { class: 'day' }, `Text message to ${message.to}`));
      this.#lastTo = message.to;
    }
    const bubble = h(
      'li',
      {},
      h('p', { class: 'bubble' }, ...bodyWithCode(message)),
      h('p', { class: 'meta' }),
    );
    bubble.dataset.messageId = message.id;
    this.#bubbles.set(message.id, bubble);
    this.#thread.append(bubble);
  }

  /** @param {Message} message */
  #showStatus({ id, at, status }) {
    const bubble = this.#bubbles.get(id);
    const meta = bubble?.querySelector('.meta');
    if (!bubble || !meta) return;
    bubble.classList.toggle('failed', status === 'failed');
    const text =
      status === 'failed' ? `${time.format(new Date(at))} · not delivered` : time.format(new Date(at));
    if (meta.textContent !== text) meta.textContent = text;
  }

  /** @param {Message} message */
  #showLatest(message) {
    this.#empty.hidden = true;
    this.#thread.hidden = false;
    this.#thread.scrollTop = this.#thread.scrollHeight;
    this.#showSender(senderOf(message));
    this.#preview.textContent = message.body;
    this.#fill.textContent = `Use ${message.code}`;
    this.#fill.dataset.code = message.code;
    this.#fill.hidden = false;
  }

  /** @param {string} name */
  #showSender(name) {
    const initial = name.slice(0, 1).toUpperCase();
    for (const line of [this.#sender, this.#previewSender]) line.textContent = name;
    for (const avatar of [this.#avatar, this.#previewAvatar]) avatar.textContent = initial;
  }

  /** @param {Message} message */
  #announce(message) {
    const sender = senderOf(message);
    this.#announcement.textContent = `New message from ${sender}: ${message.body}`;
    this.#banner.replaceChildren(
      h('span', { class: 'avatar' }, sender.slice(0, 1).toUpperCase()),
      h('strong', {}, sender, h('small', {}, 'now')),
      h('span', {}, message.body),
    );
    this.#banner.dataset.code = message.code;
    this.#banner.hidden = false;
    clearTimeout(this.#bannerTimer);
    this.#bannerTimer = setTimeout(() => this.#hideBanner(), BANNER_MS);
    this.dispatchEvent(
      new CustomEvent('message-arrived', { detail: message, bubbles: true, composed: true }),
    );
  }

  #hideBanner() {
    this.#banner.hidden = true;
  }

  /** @param {Event} event */
  #onClick = ({ target }) => {
    if (!(target instanceof Element)) return;
    if (target.closest('.toggle')) {
      this.#open(!this.hasAttribute('open'));
      return;
    }
    const code = target.closest('button')?.dataset.code;
    if (code === undefined) return;
    this.#hideBanner();
    this.#fill.hidden = true;
    this.#open(false);
    this.dispatchEvent(new CustomEvent('code-tapped', { detail: { code }, bubbles: true, composed: true }));
  };

  /** Only where it is docked at the foot of a narrow window. @param {boolean} isOpen */
  #open(isOpen) {
    this.toggleAttribute('open', isOpen);
    this.#toggle.setAttribute('aria-expanded', String(isOpen));
    this.#toggle.textContent = isOpen ? 'Close' : 'Phone';
    this.#thread.scrollTop = this.#thread.scrollHeight;
  }
}

customElements.define('simulator-phone', SimulatorPhone);
