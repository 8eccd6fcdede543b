/**
 * The shop's page: header, the page's own content, and beside it the drawn phone in which messages arrive.
 *
 *     app.use(layout({ verifierOrigin, backend }));
 *     return c.render(html`…`, { title: 'Sign in', at: junction('/login'), phone: true });
 */
import type { MiddlewareHandler } from 'hono';
import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { Junction } from '../junctions.ts';
import type { Session, ShopEnv } from '../session.ts';
import type { Shop } from '../shop.ts';
import { art } from './art.ts';

export type Fragment = HtmlEscapedString | Promise<HtmlEscapedString>;

/** What became of a posted form, for people and for the tests that read `<main data-result>`. */
type Result = 'accepted' | 'refused' | 'unavailable';

type PageOptions = {
  title: string;
  /** Where on the map this page stands; its round sign heads the page. */
  at?: Junction;
  /** Whether the drawn phone stands beside it. */
  phone?: boolean;
  result?: Result;
};

declare module 'hono' {
  interface ContextRenderer {
    // biome-ignore lint/style/useShorthandFunctionType: Hono reads the renderer's type from this interface
    (content: Fragment, options: PageOptions): Response | Promise<Response>;
  }
}

const styleSheets = ['shop', 'forms', 'outcome', 'home'];

export function layout({ verifierOrigin, backend, isReal }: Shop): MiddlewareHandler<ShopEnv> {
  return async (c, next) => {
    c.setRenderer((content, options) => {
      const { session } = c.var;
      const hasPhone = options.phone && !isReal;
      const person = session.personId === undefined ? undefined : backend.people.byId(session.personId);
      c.header('Cache-Control', 'no-store');
      return c.html(html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${options.title} – Polder Bicycles</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml">
    ${styleSheets.map((name) => html`<link rel="stylesheet" href="/${name}.css">`)}
    <script type="module" src="${verifierOrigin}/phone-proof.js"></script>
    ${hasPhone ? phoneScripts(verifierOrigin) : ''}
  </head>
  <body>
    <a class="skip" href="#main">Skip to the page</a>
    <header class="top">
      <a class="brand" href="/">${art('bicycle.svg')}<span>Polder</span></a>
      <nav class="links" aria-label="Shop">
        <a href="/checkout">Cart</a>
        <a href="/appointment">Workshop</a>
        <a href="/transfer">Wallet</a>
        ${person ? html`<a href="/account">${person.name}</a>` : html`<a href="/login">Sign in</a>`}
      </nav>
    </header>
    <div class="stage ${hasPhone ? 'stage-phone' : ''}">
      <main id="main" ${options.result ? html`data-result="${options.result}"` : ''}>
        ${options.at ? signpost(options.at, options.title) : ''}
        ${content}
      </main>
      ${hasPhone ? drawnPhone(verifierOrigin, session) : ''}
    </div>
    <footer class="foot">
      <p>Polder is not a real shop: nothing is sold${isReal ? ', but messages are really sent' : ', and messages only reach the drawn phone'}.</p>
      <p><a href="/">All journeys</a> <a href="${verifierOrigin}/">The verifier</a></p>
    </footer>
  </body>
</html>`);
    });
    await next();
  };
}

function signpost(at: Junction, title: string): Fragment {
  return html`
    <header class="signpost">
      <span class="sign" aria-hidden="true">${at.number}</span>
      <h1>${title}</h1>
    </header>`;
}

function phoneScripts(verifierOrigin: string): Fragment {
  return html`
    <script type="module" src="${verifierOrigin}/simulator/phone.js"></script>
    <script type="module" src="/autofill.js"></script>`;
}

/** Only messages of this visit: the inbox is shared by everybody who tries the demo. */
function drawnPhone(verifierOrigin: string, session: Session): Fragment {
  return html`
    <aside class="beside" aria-label="Your phone">
      <simulator-phone dock server="${verifierOrigin}" since="${new Date(session.startedAt).toISOString()}"></simulator-phone>
      <p class="beside-note">A drawn phone. Tap a code and it fills in, as your phone would do it.</p>
    </aside>`;
}
