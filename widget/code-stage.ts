/**
 * Everything from the moment a code is on its way: entering it, watching its message, and what is shown
 * of it and after it. A chunk of its own, loaded while the number is typed.
 *
 *     const { CodeStage } = await import('./code-stage.ts');
 *     const stage = new CodeStage(this, { verification, announcer, … });
 *     stage.render(flow, words);
 */
import type { ReactiveControllerHost } from 'lit';
import { CodeEntry } from './code-entry.ts';
import { readCode } from './codes.ts';
import type { Announcer } from './controllers/announcer.ts';
import { DeliveryWatch } from './controllers/delivery.ts';
import type { VerificationController } from './controllers/verification.ts';
import { WebOtp } from './controllers/web-otp.ts';
import { spokenTimes } from './deadlines.ts';
import { type CodeStep, type Flow, isWrongCode, type Verification, type VerifiedStep } from './flow.ts';
import { newKey } from './idempotency.ts';
import { renderCode } from './steps/code.ts';
import { renderVerified } from './steps/verified.ts';
import type { Words } from './wording.ts';

export { code as codeStyles } from './styles/code.ts';

type Surroundings = {
  verification: VerificationController;
  announcer: Announcer;
  isDisabled: () => boolean;
  /** Asks for a new code in place of a dead one. */
  onRenew: () => void;
};

export class CodeStage {
  readonly #host: ReactiveControllerHost;
  readonly #surroundings: Surroundings;
  readonly #delivery: DeliveryWatch;
  readonly #entry = new CodeEntry();
  /** What was said about time for this verification: each thing once. */
  readonly #spoken = new Set<string>();

  constructor(host: ReactiveControllerHost, surroundings: Surroundings) {
    const { verification } = surroundings;
    this.#host = host;
    this.#surroundings = surroundings;
    this.#delivery = new DeliveryWatch(host, {
      watched: () => this.#awaited,
      read: verification.read,
      onSeen: (seen) => verification.dispatch({ type: 'seen', verification: seen }),
      onGone: (id) => verification.dispatch({ type: 'gone', id }),
    });
    new WebOtp(
      host,
      () => this.#awaited !== null,
      (text) => this.#fillIn(text),
    );
  }

  /** The verification whose code is awaited. */
  get #awaited(): Verification | null {
    const { flow } = this.#surroundings.verification;
    return flow.step === 'code' && !flow.over ? flow.verification : null;
  }

  flowChanged(next: Flow, previous: Flow): void {
    if (next.step !== 'code') return;
    if (previous.step !== 'code' || previous.verification.id !== next.verification.id) {
      this.#entry.clear();
      this.#spoken.clear();
      // What a reload took up may have ended meanwhile.
      if (next.restored) void this.#delivery.look();
    }
    if (isWrongCode(next)) this.#entry.refused = this.#entry.text;
  }

  tick(now: number, { t }: Words): void {
    const { verification, announcer } = this.#surroundings;
    for (const word of spokenTimes(verification.flow, now)) {
      if (this.#spoken.has(word)) continue;
      this.#spoken.add(word);
      announcer.say(t[word]);
    }
  }

  render(flow: CodeStep | VerifiedStep, words: Words) {
    const { verification, isDisabled, onRenew } = this.#surroundings;
    const common = {
      words,
      isDisabled: isDisabled(),
      onChange: words.isIntent ? null : () => verification.dispatch({ type: 'change' }),
    };
    if (flow.step === 'verified') return renderVerified({ ...common, flow });
    return renderCode({
      ...common,
      flow,
      code: this.#entry.text,
      onInput: this.#onInput,
      onSubmit: this.#submit,
      onResend: () => verification.dispatch({ type: 'resend', key: newKey() }),
      onRenew,
      onRetry: () => verification.dispatch({ type: 'retry' }),
    });
  }

  #fillIn(text: string): void {
    const shape = this.#awaited?.code;
    if (!shape) return;
    this.#entry.text = readCode(text, shape);
    this.#edited();
  }

  #onInput = (event: Event): void => {
    const shape = this.#awaited?.code;
    const input = event.target;
    // While an input method composes, the text is its own.
    if (!shape || !(input instanceof HTMLInputElement) || ('isComposing' in event && event.isComposing))
      return;
    this.#entry.take(input, shape);
    this.#edited();
  };

  #edited(): void {
    this.#surroundings.verification.dispatch({ type: 'edit' });
    this.#host.requestUpdate();
    this.#submit();
  }

  #submit = (): void => {
    const { verification, isDisabled } = this.#surroundings;
    const shape = this.#awaited?.code;
    if (!shape || isDisabled() || !this.#entry.isComplete(shape)) return;
    const { text, refused } = this.#entry;
    verification.dispatch(
      text === refused
        ? { type: 'mistake', code: 'incorrect-code' }
        : { type: 'check', key: newKey(), code: text },
    );
  };
}
