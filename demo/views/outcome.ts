/**
 * What a visitor sees after a form was posted: accepted (with all the backend received), refused, or not now.
 *
 *     return acceptedPage(c, { at, headline: 'Account created', text: …, claims, source });
 */
import type { Context } from 'hono';
import { html } from 'hono/html';
import { endChecks } from '../checks.ts';
import { type Junction, junction, nextJunction } from '../junctions.ts';
import { VerifierUnavailable } from '../phone-proof.ts';
import type { ShopEnv } from '../session.ts';
import { explainClaims, refusalSentence } from './explain.ts';
import type { Fragment } from './layout.ts';

export type Accepted = {
  at: Junction;
  headline: string;
  /** What happened, in one or two sentences. */
  text: Fragment;
  /** Absent where no code was needed. */
  proof?: { claims: Readonly<Record<string, unknown>>; source: string };
};

export function acceptedPage(c: Context<ShopEnv>, { at, headline, text, proof }: Accepted) {
  endChecks(c.var.session, at.path);
  const next = nextJunction(at.path);
  return c.render(
    html`
      <section class="card outcome">
        <p class="stamp stamp-good" aria-hidden="true"></p>
        <h2>${headline}</h2>
        <p class="lead">${text}</p>
        <p class="onward">
          <a class="button" href="${next.path}"><span class="sign sign-small" aria-hidden="true">${next.number}</span>Next: ${next.title}</a>
          <a href="/">All journeys</a>
        </p>
      </section>
      ${proof ? received(proof.claims, proof.source) : ''}`,
    { title: at.title, at, result: 'accepted', phone: true },
  );
}

export function refusedPage(c: Context<ShopEnv>, code: string) {
  const at = here(c);
  endChecks(c.var.session, at.path);
  c.status(422);
  return c.render(
    html`
      <section class="card outcome">
        <p class="stamp stamp-bad" aria-hidden="true"></p>
        <h2>Not accepted</h2>
        <p class="lead">${refusalSentence(code)}</p>
        <p class="note">The backend's word for it: <code data-code>${code}</code></p>
        <p class="onward"><a class="button" href="${at.path}">Start again</a></p>
      </section>`,
    { title: at.title, at, result: 'refused', phone: true },
  );
}

export function unavailablePage(c: Context<ShopEnv>, error: Error) {
  const detail = error instanceof VerifierUnavailable ? error.detail : undefined;
  const at = here(c);
  c.status(503);
  return c.render(
    html`
      <section class="card outcome">
        <p class="stamp stamp-bad" aria-hidden="true"></p>
        <h2>Not possible right now</h2>
        <p class="lead">${detail ?? 'The number could not be checked just now.'} Nothing was changed; please try again in a moment.</p>
        <p class="onward"><a class="button" href="${at.path}">Try again</a></p>
      </section>`,
    { title: at.title, at, result: 'unavailable', phone: true },
  );
}

export function notFoundPage(c: Context<ShopEnv>) {
  c.status(404);
  return c.render(
    html`
      <section class="card outcome">
        <h1>No such road</h1>
        <p class="lead">This page is not on the map. <a href="/">Back to all journeys</a></p>
      </section>`,
    { title: 'Not found' },
  );
}

function here(c: Context<ShopEnv>): Junction {
  return junction(`/${c.req.path.split('/')[1]}`);
}

function received(claims: Readonly<Record<string, unknown>>, source: string): Fragment {
  return html`
    <details class="card received" data-claims="${JSON.stringify(claims)}">
      <summary>What the backend received</summary>
      <p>A signed JWT, in the form field <code>phone_proof</code>. These are its claims, once the signature was checked:</p>
      <dl class="claims">
        ${explainClaims(claims).map(
          ({ name, value, note }) => html`
            <div>
              <dt><code>${name}</code></dt>
              <dd><code>${value}</code> <small>${note}</small></dd>
            </div>`,
        )}
      </dl>
      <p>And this is the code that took it:</p>
      <pre tabindex="0"><code>${source}</code></pre>
      <p class="note">Reload this page, so that the browser posts the form again, and nothing happens twice: the proof is spent.</p>
    </details>`;
}
