/**
 * `<phone-proof>`: proves a phone number, and puts the proof into the form it stands in.
 *
 *     <script type="module" src="https://verify.example.com/phone-proof.js"></script>
 *     <phone-proof site-key="pk_…" purpose="registration" required></phone-proof>
 *
 * This file is what a page sees of it: attributes, properties, methods, events, states and the form's
 * side. What happens is decided in `flow.ts`, said in `wording.ts`, drawn in `steps/`.
 */
import { adoptStyles, html, LitElement, type PropertyValues } from 'lit';
import { createClient, type StartBody } from './client.ts';
import { ServerClock } from './clock.ts';
import type { CodeStage } from './code-stage.ts';
import { Announcer } from './controllers/announcer.ts';
import { Countdown } from './controllers/countdown.ts';
import { SiteConfig } from './controllers/site-config.ts';
import { VerificationController, type VerificationHost } from './controllers/verification.ts';
import { deadlinesOf } from './deadlines.ts';
import { emit } from './events.ts';
import { type Effect, type Flow, isBusy, isWrongCode, type Target } from './flow.ts';
import { newKey } from './idempotency.ts';
import { fallback, firstLocale, loadMessages, type Messages } from './locales/index.ts';
import { Memory } from './memory.ts';
import { nameCountries, regionsOf } from './phone/countries.ts';
import { allowedCountries, NumberEntry } from './phone/entry.ts';
import { faultOf, writeNumber } from './phone/numbers.ts';
import { type PhoneField, renderPhone } from './steps/phone.ts';
import { styles } from './styles/index.ts';
import { validityOf } from './validity.ts';
import { announcementOf, lineOf, type Words } from './wording.ts';

/** The server that this very script came from: `phone-proof.js` and `v1/` lie side by side. */
const moduleAddress = import.meta.url;
const homeServer = new URL('.', moduleAddress).href;

const defaultName = 'phone_proof';

/** Null where it was taken away again. */
type Attribute = string | null | undefined;

/**
 * @summary Phone verification by a one-time code, as a form field.
 *
 * @attr {string} site-key - The site's publishable key, `pk_…`.
 * @attr {string} server - The server's address, where it is not the one the script came from.
 * @attr {string} purpose - Why the number is verified: `registration`, `checkout`, …
 * @attr {string} intent - A verification prepared by the site's backend; the number is then not typed.
 * @attr {string} proof-nonce - Comes back inside the proof.
 * @attr {string} name - The proof's name in the form. Default `phone_proof`.
 * @attr {boolean} required - The form waits for the proof.
 * @attr {boolean} disabled
 * @attr {string} phone - Fills the number in, in any written form.
 * @attr {string} country - The country to begin with, ISO 3166-1 alpha-2.
 * @attr {string} countries - The countries to offer, separated by commas or spaces.
 * @attr {string} locale - BCP 47; default is the language of the page around it.
 * @attr {string} channel - How the code is sent.
 * @attr {'auto' | 'light' | 'dark'} theme - `auto` follows the page's `color-scheme`.
 * @attr {boolean} autofocus
 *
 * @fires code-sent - A message is on its way: `{ phoneMasked, expiresAt }`.
 * @fires verified - The proof is there and in the form: `{ proof, expiresAt }`.
 * @fires expired - The code or the proof has died: `{ what }`.
 * @fires failed - The server refused: `{ code, detail }`.
 * @fires status-change - Another step shows: `{ status }`.
 *
 * @cssstate phone - The number is asked for.
 * @cssstate code - The code is asked for.
 * @cssstate verified - The proof is there.
 * @cssstate busy - A request is under way.
 * @cssstate error - An error is shown.
 *
 * @csspart form - A step with everything in it.
 * @csspart label - What is asked for.
 * @csspart field - The box around country and number.
 * @csspart country - The country, with its select.
 * @csspart number - The input for the number.
 * @csspart line - The reserved line: hint, delivery or error.
 * @csspart button - Sends the code.
 * @csspart terms - The site's terms and privacy links.
 * @csspart sent-to - Where the code was sent.
 * @csspart change - Back to the number.
 * @csspart code-field - The box around the code.
 * @csspart cell - The drawing of one place of the code.
 * @csspart code - The input for the code.
 * @csspart again - Sends again, asks for a new code, or tries again.
 * @csspart transaction - What is being approved.
 * @csspart amount - Its amount.
 * @csspart payee - Who gets it.
 * @csspart verified - The last step.
 * @csspart tick - Its tick.
 *
 * @cssprop --phone-proof-accent - Button, focus, links and the next cell.
 * @cssprop --phone-proof-on-accent - Text on the accent.
 * @cssprop --phone-proof-danger - Errors.
 * @cssprop --phone-proof-success - The tick.
 * @cssprop --phone-proof-text - Text; inherited by default.
 * @cssprop --phone-proof-muted - Secondary text.
 * @cssprop --phone-proof-border - Borders of fields and cells.
 * @cssprop --phone-proof-field-background - Fields and cells.
 * @cssprop --phone-proof-panel-background - Transaction and verified panels.
 * @cssprop --phone-proof-font - Font family; inherited by default.
 * @cssprop --phone-proof-radius - Corners. Default `10px`.
 * @cssprop --phone-proof-control-height - Fields, cells and buttons. Default `48px`.
 * @cssprop --phone-proof-gap - Between the rows. Default `8px`.
 * @cssprop --phone-proof-cell-gap - Between the cells. Default `8px`.
 * @cssprop --phone-proof-code-size - Type size of the code. Default `1.5em`.
 * @cssprop --phone-proof-focus-width - Width of the focus ring. Default `2px`.
 */
export class PhoneProof extends LitElement implements VerificationHost {
  static readonly formAssociated = true;
  static override styles = styles;
  static override properties = {
    siteKey: { attribute: 'site-key' },
    server: {},
    purpose: {},
    intent: {},
    proofNonce: { attribute: 'proof-nonce' },
    name: { reflect: true },
    required: { type: Boolean, reflect: true },
    disabled: { type: Boolean, reflect: true },
    phone: { noAccessor: true },
    country: {},
    countries: {},
    locale: {},
    channel: {},
    theme: { reflect: true },
  };

  declare siteKey: Attribute;
  declare server: Attribute;
  declare purpose: Attribute;
  declare intent: Attribute;
  declare proofNonce: Attribute;
  declare name: Attribute;
  declare required: boolean;
  declare disabled: boolean;
  declare country: Attribute;
  declare countries: Attribute;
  declare locale: Attribute;
  declare channel: Attribute;
  declare theme: 'auto' | 'light' | 'dark' | null | undefined;

  readonly #internals = this.attachInternals();
  readonly #clock = new ServerClock();
  readonly #announcer = new Announcer(this);
  readonly #verification = new VerificationController(this, this.#clock);
  readonly #site = new SiteConfig(this, ({ code, detail }) => this.#misconfigured(code, detail));
  readonly #numberEntry = new NumberEntry();

  /** What comes after the number: loaded when somebody begins with it. */
  #codeStage: CodeStage | null = null;
  #messages: Messages = fallback;
  /** A fieldset around it may disable it, too. */
  #isFormDisabled = false;
  #isPickerTouched = false;
  /** As last drawn: what is new about the next drawing decides where the focus goes. */
  #drawn: Flow | null = null;
  #hadFocus = false;

  constructor() {
    super();
    this.required = false;
    this.disabled = false;
    new Countdown(this, this.#clock, () => deadlinesOf(this.#flow), this.#tick);
    this.addEventListener('focusin', () => this.#loadCodeStage().catch(() => {}));
    // A label outside, or a press beside the controls, means the control in question.
    this.addEventListener('click', (event) => {
      if (event.composedPath()[0] === this) this.focus();
    });
  }

  // ── Properties and methods for the page ────────────────────────────────────────────────────────

  /** The signed proof, once the number is verified. */
  get proof(): string | null {
    return this.#flow.step === 'verified' ? this.#flow.proof : null;
  }

  /** The number under verification (E.164), or what was typed so far. Setting it fills the field in. */
  get phone(): string {
    const known = this.#flow.step === 'phone' ? null : this.#flow.verification.phone;
    return known ?? writeNumber(this.#numberEntry.number);
  }

  set phone(text: string | null) {
    this.#typeNumber(text ?? '');
  }

  /** Which step shows. */
  get status(): Flow['step'] {
    return this.#flow.step;
  }

  /** Has the code sent, as if the button were pressed. */
  start(): void {
    if (this.#isDisabled) return;
    if (!this.siteKey) this.#misconfigured('invalid-key', 'the element has no site-key');
    const target = this.siteKey ? this.#target() : null;
    if (target) this.#verification.dispatch({ type: 'send', key: newKey(), target });
  }

  /** Forgets everything that was typed, sent and proved. */
  reset(): void {
    this.#verification.dispatch({ type: 'reset' });
    this.#numberEntry.clear();
    this.phone = this.getAttribute('phone');
  }

  override focus(options?: FocusOptions): void {
    this.#control?.focus(options);
  }

  // ── The form's side ────────────────────────────────────────────────────────────────────────────

  get form(): HTMLFormElement | null {
    return this.#internals.form;
  }

  get validity(): ValidityState {
    return this.#internals.validity;
  }

  get validationMessage(): string {
    return this.#internals.validationMessage;
  }

  get willValidate(): boolean {
    return this.#internals.willValidate;
  }

  checkValidity(): boolean {
    return this.#internals.checkValidity();
  }

  reportValidity(): boolean {
    return this.#internals.reportValidity();
  }

  formResetCallback(): void {
    this.reset();
  }

  formDisabledCallback(isDisabled: boolean): void {
    this.#isFormDisabled = isDisabled;
    this.requestUpdate();
  }

  /** What the browser keeps for another visit is the country alone: the number is not for its storage. */
  formStateRestoreCallback(state: unknown): void {
    if (typeof state === 'string' && state) this.#chooseCountry(state);
  }

  #updateForm(): void {
    const value = new FormData();
    // By FormData and not by text, so that it is submitted under its default name, too.
    if (this.proof) value.set(this.name || defaultName, this.proof);
    this.#internals.setFormValue(this.proof ? value : null, this.#numberEntry.chosen ?? '');
    const snapshot = { isRequired: this.required, step: this.#flow.step };
    const { flags, message } = validityOf(snapshot, this.#messages);
    this.#internals.setValidity(flags, message, this.#control ?? undefined);
  }

  #updateStates(): void {
    const shown = new Set<string>([this.#flow.step]);
    if (isBusy(this.#flow)) shown.add('busy');
    if (lineOf(this.#flow, this.#words).tone === 'error') shown.add('error');
    const { states } = this.#internals;
    try {
      for (const state of ['phone', 'code', 'verified', 'busy', 'error']) {
        if (shown.has(state)) states.add(state);
        else states.delete(state);
      }
    } catch {
      // A browser from before 2024 only knows other names: pages style by parts there.
    }
  }

  // ── The verification's side ────────────────────────────────────────────────────────────────────

  get #flow(): Flow {
    return this.#verification.flow;
  }

  /** Anew whenever it is about another verification. */
  #begin(): void {
    const { siteKey, purpose, intent } = this;
    if (!siteKey) return;
    const client = createClient({ server: this.server || homeServer, siteKey, clock: this.#clock });
    const subject = [siteKey, intent ?? purpose ?? '', this.proofNonce ?? '', this.name || defaultName].join(
      ' ',
    );
    this.#verification.begin({
      client,
      memory: new Memory(subject, this.#clock),
      ready: () => this.#loadCodeStage(),
      startBody: (target) => this.#startBody(target),
      resendBody: () => (this.channel ? { channel: this.channel } : {}),
    });
    void this.#site.load(client, { ...(intent && { intent }), ...(purpose && { purpose }) });
  }

  #target(): Target | null {
    if (this.intent) return 'intent';
    // A new code in place of a dead one goes to the same number.
    const known = this.#flow.step === 'code' ? this.#flow.verification.phone : null;
    if (known) return { phone: known, country: null };
    const { number, country } = this.#numberEntry;
    const fault = faultOf(number);
    if (!fault) return { phone: writeNumber(number), country };
    this.#verification.dispatch({ type: 'mistake', code: fault });
    return null;
  }

  /** For the person a sentence, for the developer the reason. */
  #misconfigured(code: string, detail: string): void {
    console.error(`<phone-proof> ${code}: ${detail}`);
    this.#verification.dispatch({ type: 'misconfigured', code });
  }

  #startBody(target: Target): StartBody {
    const { channel, proofNonce, intent } = this;
    const common = { locale: this.#locale, ...(channel && { channel }) };
    if (target === 'intent') return { ...common, intent: intent ?? '' };
    const { phone, country } = target;
    return {
      ...common,
      phone,
      ...(country && { country }),
      purpose: this.purpose ?? this.#site.config?.purpose ?? '',
      ...(proofNonce && { nonce: proofNonce }),
    };
  }

  flowChanged(next: Flow, previous: Flow): void {
    this.#codeStage?.flowChanged(next, previous);
    // So that 'Change' finds the number again; after a reload only the server had kept it.
    if (next.step === 'phone' && previous.step !== 'phone' && !this.#numberEntry.typed) {
      this.#numberEntry.type(previous.verification.phone ?? '');
    }
    this.#updateForm();
    this.#updateStates();
    const announcement = announcementOf(next, previous, this.#words);
    if (announcement) this.#announcer.say(announcement);
    if (next.step !== previous.step) emit(this, 'status-change', { status: next.step });
  }

  flowEmitted(effect: Effect & { type: 'emit' }, flow: Flow): void {
    if (effect.event === 'code-sent' && flow.step === 'code') {
      const { phoneMasked, expiresAt } = flow.verification;
      emit(this, 'code-sent', { phoneMasked, expiresAt: rfc3339(expiresAt) });
    } else if (effect.event === 'verified' && flow.step === 'verified') {
      emit(this, 'verified', { proof: flow.proof, expiresAt: rfc3339(flow.expiresAt) });
    } else if (effect.event === 'expired') {
      emit(this, 'expired', { what: effect.what });
    } else if (effect.event === 'failed') {
      emit(this, 'failed', { code: effect.code, detail: effect.detail });
    }
  }

  #tick = (now: number): void => {
    this.#verification.dispatch({ type: 'tick', now });
    this.#codeStage?.tick(now, this.#words);
  };

  // ── What the person does ───────────────────────────────────────────────────────────────────────

  #typeNumber(text: string): void {
    this.#numberEntry.type(text);
    this.#edited();
  }

  #chooseCountry(country: string): void {
    this.#numberEntry.chosen = country;
    this.#edited();
  }

  #edited(): void {
    this.#verification.dispatch({ type: 'edit' });
    this.requestUpdate();
  }

  // ── What is shown ──────────────────────────────────────────────────────────────────────────────

  get #isDisabled(): boolean {
    return this.disabled || this.#isFormDisabled;
  }

  /** The language of the text around it, unless the tag says otherwise. */
  get #locale(): string {
    const around = this.closest<HTMLElement>('[lang]')?.lang ?? document.documentElement.lang;
    return firstLocale(this.locale, around, navigator.language);
  }

  get #words(): Words {
    return { t: this.#messages, locale: this.#locale, now: this.#clock.now(), isIntent: !!this.intent };
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('siteKey') || changed.has('server') || changed.has('purpose') || changed.has('intent')) {
      this.#begin();
    }
    if (changed.has('locale') || !this.hasUpdated) void this.#loadMessages();
    this.#offerCountries();
    this.#hadFocus = this.shadowRoot?.activeElement != null;
  }

  async #loadMessages(): Promise<void> {
    this.#messages = await loadMessages(this.#locale);
    this.requestUpdate();
  }

  protected override render() {
    return html`${this.#renderStep()}
      <p class="spoken" role="status">${this.#announcer.text}</p>`;
  }

  #renderStep() {
    const flow = this.#flow;
    const words = this.#words;
    if (flow.step !== 'phone') return this.#codeStage?.render(flow, words);
    return renderPhone({
      flow,
      words,
      isDisabled: this.#isDisabled,
      config: this.#site.config,
      field: this.intent ? 'intent' : this.#phoneField(),
      onSend: () => this.start(),
    });
  }

  /** Rejects where it cannot be fetched; whoever needs it waits for the network then. */
  async #loadCodeStage(): Promise<void> {
    if (this.#codeStage) return;
    const { CodeStage, codeStyles } = await import('./code-stage.ts');
    if (this.#codeStage || !this.shadowRoot) return;
    adoptStyles(this.shadowRoot, [...PhoneProof.elementStyles, codeStyles]);
    this.#codeStage = new CodeStage(this, {
      verification: this.#verification,
      announcer: this.#announcer,
      isDisabled: () => this.#isDisabled,
      onRenew: () => this.start(),
    });
  }

  #offerCountries(): void {
    const { config } = this.#site;
    this.#numberEntry.offer({
      allowed: allowedCountries(this.countries, config?.countries),
      guesses: [
        this.country?.toUpperCase(),
        config?.defaultCountry,
        ...regionsOf([...(this.locale ? [this.locale] : []), ...navigator.languages]),
      ],
    });
  }

  #phoneField(): PhoneField {
    const { typed, country, countries } = this.#numberEntry;
    return {
      typed,
      country,
      countries: this.#isPickerTouched
        ? nameCountries(countries, this.#locale)
        : countries.filter((offered) => offered === country).map((name) => ({ country: name, name })),
      isRequired: this.required,
      onType: (text) => this.#typeNumber(text),
      onChoose: (chosen) => this.#chooseCountry(chosen),
      onTouchPicker: () => {
        this.#isPickerTouched = true;
        // Seen and left as it was is chosen, too: no better guess may change it any more.
        this.#numberEntry.chosen ??= this.#numberEntry.country;
        this.requestUpdate();
      },
    };
  }

  /** What the person is to use next. */
  get #control(): HTMLElement | null {
    return this.renderRoot?.querySelector('#number, #code, #verified, #send') ?? null;
  }

  protected override firstUpdated(): void {
    if (this.hasAttribute('autofocus') && document.activeElement === document.body) this.focus();
  }

  /**
   * The focus moves only where the person was in here, and so had a hand in it: to the next step's
   * control, or to the field that an error is about.
   */
  protected override updated(): void {
    const flow = this.#flow;
    const drawn = this.#drawn;
    this.#drawn = flow;
    this.#updateForm();
    this.#updateStates();
    if (!drawn || !this.#hadFocus || drawn === flow) return;
    const isNewStep = drawn.step !== flow.step;
    const isWrongNumber = flow.step === 'phone' && flow.activity.kind === 'error';
    if (isNewStep || isWrongNumber || isWrongCode(flow)) this.focus();
    // The next digit typed then begins the code anew.
    const control = this.#control;
    if (isWrongCode(flow) && control instanceof HTMLInputElement) control.select();
  }
}

const rfc3339 = (time: number) => new Date(time).toISOString();

// The script may stand in a page twice.
if (!customElements.get('phone-proof')) customElements.define('phone-proof', PhoneProof);

declare global {
  interface HTMLElementTagNameMap {
    'phone-proof': PhoneProof;
  }
}
