/**
 * The demo shop: a customer's site with its own backend, on another origin than the verifier.
 *
 *     const shop = createShop({ shopUrl: 'http://localhost:8788', verifierUrl: 'http://localhost:8787',
 *       siteKey: 'pk_demo', secretKey: 'sk_demo', audience: 'http://localhost:8788' });
 *     serve({ fetch: shop.fetch, port: 8788 });
 *
 * Each page is one file under `pages/`: its HTML and the few lines of backend that check its proof.
 * A refused proof is an error thrown by those lines and becomes a page in exactly one place, here.
 */
import { fileURLToPath } from 'node:url';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { csrf } from 'hono/csrf';
import { secureHeaders } from 'hono/secure-headers';
import { type Backend, createBackend } from './backend.ts';
import { account } from './pages/account.ts';
import { appointment } from './pages/appointment.ts';
import { checkout } from './pages/checkout.ts';
import { home } from './pages/home.ts';
import { login } from './pages/login.ts';
import { reset } from './pages/reset.ts';
import { signup } from './pages/signup.ts';
import { transfer } from './pages/transfer.ts';
import { createPhoneProof, isUnavailable, type PhoneProof, refusalCode } from './phone-proof.ts';
import { type Sessions, type ShopEnv, sessions } from './session.ts';
import { layout } from './views/layout.ts';
import { notFoundPage, refusedPage, unavailablePage } from './views/outcome.ts';

export type ShopOptions = {
  /** Where people reach the shop: the Origin its forms are posted from. */
  shopUrl: string;
  verifierUrl: string;
  /** Publishable: stands in the pages. */
  siteKey: string;
  /** Secret: never leaves this backend. */
  secretKey: string;
  audience: string;
  /** Messages reach real phones: no phone is drawn, and nobody's number comes with the demo. */
  isReal?: boolean;
  /** For tests, as is `clock` (milliseconds since the epoch). */
  fetch?: typeof globalThis.fetch;
  clock?: () => number;
};

/** What every page is given. */
export type Shop = {
  verifierOrigin: string;
  isReal: boolean;
  siteKey: string;
  backend: Backend;
  phoneProof: PhoneProof;
  sessions: Sessions;
};

const publicFolder = fileURLToPath(new URL('public', import.meta.url));
const FORM_BYTES = 64 * 1024;

export function createShop(options: ShopOptions): Hono<ShopEnv> {
  const { siteKey, secretKey, audience, isReal = false, fetch, clock = Date.now } = options;
  const shopOrigin = new URL(options.shopUrl).origin;
  const verifierOrigin = new URL(options.verifierUrl).origin;

  const shop: Shop = {
    verifierOrigin,
    isReal,
    siteKey,
    backend: createBackend({ now: clock, hasDemoPeople: !isReal }),
    phoneProof: createPhoneProof({
      verifierUrl: options.verifierUrl,
      audience,
      secretKey,
      ...(fetch ? { fetch } : {}),
    }),
    sessions: sessions({ now: clock, isSecure: shopOrigin.startsWith('https:') }),
  };

  const app = new Hono<ShopEnv>();

  app.use(
    secureHeaders({
      // All that a site has to add for the element: the verifier as a source of script, and as a place to call.
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'", verifierOrigin],
        connectSrc: [verifierOrigin],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        requireTrustedTypesFor: ["'script'"],
      },
      // The stricter 'no-referrer' would turn the Origin of our own form posts into 'null'.
      referrerPolicy: 'same-origin',
      strictTransportSecurity: shopOrigin.startsWith('https:'),
    }),
  );
  app.use(serveStatic({ root: publicFolder }));
  app.use(bodyLimit({ maxSize: FORM_BYTES }));
  app.use(csrf({ origin: shopOrigin }));
  app.use(shop.sessions.middleware);
  app.use(layout(shop));

  app.route('/', home(shop));
  app.route('/signup', signup(shop));
  app.route('/login', login(shop));
  app.route('/reset', reset(shop));
  app.route('/checkout', checkout(shop));
  app.route('/transfer', transfer(shop));
  app.route('/appointment', appointment(shop));
  app.route('/account', account(shop));

  app.notFound(notFoundPage);
  app.onError((error, c) => {
    const code = refusalCode(error);
    if (code !== undefined) return refusedPage(c, code);
    if (isUnavailable(error)) return unavailablePage(c, error);
    if ('getResponse' in error) return error.getResponse();
    throw error;
  });

  return app;
}
