/** The shop's front: what this demo is, and its seven journeys as junctions of one cycle route. */
import { Hono } from 'hono';
import { html } from 'hono/html';
import { type Junction, junctions } from '../junctions.ts';
import type { ShopEnv } from '../session.ts';
import type { Shop } from '../shop.ts';
import { art } from '../views/art.ts';
import type { Fragment } from '../views/layout.ts';

export function home({ verifierOrigin, isReal }: Shop) {
  return new Hono<ShopEnv>().get('/', (c) =>
    c.render(
      html`
        <section class="hero">
          <div class="hero-words">
            <h1>Bicycles for flat country and headwind</h1>
            <p class="lead">
              Polder is a demo shop. It asks for your phone number on seven pages, each time for another
              reason, and shows you what its backend got to see.
            </p>
            <p class="onward"><a class="button" href="/signup">Follow the route</a><a href="/checkout">Or straight to the cart</a></p>
          </div>
          ${art('horizon.svg')}
        </section>
        <ol class="route">${junctions.map(stop)}${isReal ? '' : inbox(verifierOrigin)}</ol>`,
      { title: 'Seven reasons to verify a phone' },
    ),
  );
}

function stop({ path, number, title, reason, purpose, numberFrom }: Junction): Fragment {
  return html`
    <li>
      <a href="${path}">
        <span class="sign" aria-hidden="true">${number}</span>
        <span class="stop-words">
          <strong>${title}</strong>
          <span class="stop-reason">${reason}</span>
          <small><code>${purpose}</code> ${numberFrom === 'page' ? 'number typed on the page' : 'code to the number on file'}</small>
        </span>
      </a>
    </li>`;
}

function inbox(verifierOrigin: string): Fragment {
  return html`
    <li>
      <a href="${verifierOrigin}/simulator">
        <span class="sign sign-arrow" aria-hidden="true">→</span>
        <span class="stop-words">
          <strong>Where the messages land</strong>
          <span class="stop-reason">The inbox of every number, on the verifier’s own site.</span>
          <small>also as JSON, for your tests</small>
        </span>
      </a>
    </li>`;
}
