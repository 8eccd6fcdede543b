/**
 * Takes the code out of the message where the browser can (WebOTP: Chrome on Android; Safari fills by
 * `autocomplete="one-time-code"` and needs none of this).
 *
 *     new WebOtp(this, () => isCodeStep, (code) => this.#enter(code));
 *
 * It owns the browser's request: made when a code is awaited, and withdrawn as soon as none is, because
 * a forgotten request would catch the code of somebody else's form.
 */
import type { ReactiveController, ReactiveControllerHost } from 'lit';

/** WICG web-otp, which TypeScript's library does not know. */
type OtpRequest = CredentialRequestOptions & { otp: { transport: ['sms'] } };

export class WebOtp implements ReactiveController {
  readonly #isAwaited: () => boolean;
  readonly #onCode: (code: string) => void;
  #request: AbortController | null = null;

  constructor(host: ReactiveControllerHost, isAwaited: () => boolean, onCode: (code: string) => void) {
    this.#isAwaited = isAwaited;
    this.#onCode = onCode;
    host.addController(this);
  }

  hostUpdated(): void {
    const isAwaited = this.#isAwaited();
    if (isAwaited && !this.#request) void this.#begin();
    if (!isAwaited) this.#end();
  }

  hostDisconnected(): void {
    this.#end();
  }

  async #begin(): Promise<void> {
    if (!isSupported()) return;
    const request = new AbortController();
    this.#request = request;
    const options: OtpRequest = { otp: { transport: ['sms'] }, signal: request.signal };
    try {
      const credential = await navigator.credentials.get(options);
      if (credential && 'code' in credential && !request.signal.aborted)
        this.#onCode(String(credential.code));
    } catch {
      // Withdrawn, declined by the person, or forbidden by the page's Permissions-Policy: they type.
    }
  }

  #end(): void {
    this.#request?.abort();
    this.#request = null;
  }
}

/** In a frame it would need a policy from the page around it; asking there only makes noise in its console. */
const isSupported = (): boolean =>
  'OTPCredential' in window && window.isSecureContext && window.top === window.self;
