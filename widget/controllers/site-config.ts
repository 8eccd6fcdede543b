/**
 * The site's configuration, as the server tells it: countries, links, and with an intent whom it is for.
 *
 *     const site = new SiteConfig(this, (problem) => …);
 *     site.load(client, { purpose: 'registration' });
 *     site.config?.countries
 *
 * A number can be typed without it; so a failure to load is quiet, and made good when the network is back.
 */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Config } from '../answers.ts';
import type { Client } from '../client.ts';
import type { Problem } from '../flow.ts';

export class SiteConfig implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #onRefused: (problem: Problem) => void;
  #retry: (() => void) | null = null;
  #loading: AbortController | null = null;
  config: Config | null = null;

  constructor(host: ReactiveControllerHost, onRefused: (problem: Problem) => void) {
    this.#host = host;
    this.#onRefused = onRefused;
    host.addController(this);
  }

  hostConnected(): void {
    window.addEventListener('online', this.#onOnline);
  }

  hostDisconnected(): void {
    window.removeEventListener('online', this.#onOnline);
  }

  async load(client: Client, query: { intent?: string; purpose?: string }): Promise<void> {
    this.forget();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    const outcome = await client.config(query, signal);
    if (signal.aborted) return;
    if (outcome.kind === 'answered') {
      this.config = outcome.value;
      this.#host.requestUpdate();
    }
    if (outcome.kind === 'refused') this.#onRefused(outcome.problem);
    if (outcome.kind === 'lost') this.#retry = () => void this.load(client, query);
  }

  forget(): void {
    this.#loading?.abort();
    this.#retry = null;
    this.config = null;
  }

  #onOnline = (): void => this.#retry?.();
}
