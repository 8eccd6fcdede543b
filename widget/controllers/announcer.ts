/**
 * Says what changed to those who do not see it. It owns one polite live region, which must be in the page
 * before it speaks.
 *
 *     const announcer = new Announcer(this);
 *     html`<p class="spoken" role="status">${announcer.text}</p>`
 *     announcer.say('Wrong code, 3 attempts left.');
 */
import type { ReactiveController, ReactiveControllerHost } from 'lit';

export class Announcer implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  text = '';

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {}

  say(text: string): void {
    // The same words twice are only news to a live region if something differs.
    this.text = text && text === this.text ? `${text}\u00a0` : text;
    this.#host.requestUpdate();
  }
}
