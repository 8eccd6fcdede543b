/**
 * The element's tests: real Chromium, against the real verifier.
 *
 *     npx wtr                                  all of them
 *     npx wtr widget/flow.test.ts --watch      one, again and again
 *
 * The verifier keeps its data in memory and sends to its simulator; its allowed origin is the page that
 * runs the tests, so that CORS is as real as everything else. Tests may move its clock and play the
 * site's backend, through the `/testing/…` routes below.
 */
import { esbuildPlugin } from '@web/dev-server-esbuild';
import { chromeLauncher } from '@web/test-runner-chrome';
import { chromiumFlags, findChromium } from './scripts/chromium.ts';
import { freePort } from './scripts/free-port.ts';
import { parseConfig } from './server/config.ts';
import { startServer } from './server/serve.ts';

const executablePath = findChromium();
if (!executablePath) throw new Error('no Chromium, Chrome or Edge on this machine; CHROME_PATH may name one');

const [pagePort, verifierPort] = [await freePort(), await freePort()];
const verifierUrl = `http://localhost:${verifierPort}`;
const secretKey = 'sk_test';

/** Milliseconds that the verifier is ahead of everybody else. */
let clockSkewMs = 0;

const plenty = [{ limit: 100_000, window: '1h' }];
const verifier = await startServer({
  clock: () => Date.now() + clockSkewMs,
  config: parseConfig(
    {
      publicUrl: verifierUrl,
      port: verifierPort,
      dataDir: ':memory:',
      secrets: ['for tests of the element, and for nothing else'],
      logLevel: 'silent',
      delivery: { provider: 'simulator' },
      sites: [
        {
          id: 'test',
          brand: 'Test Shop',
          publishableKey: 'pk_test',
          secretKey,
          allowedOrigins: [`http://localhost:${pagePort}`],
          defaultCountry: 'NL',
          termsUrl: 'https://shop.example/terms',
          limits: {
            phoneFromClient: plenty,
            phone: plenty,
            client: plenty,
            site: plenty,
            failedGuesses: { perNetwork: plenty[0], inARow: plenty[0] },
          },
          purposes: {
            registration: {},
            checkout: { countries: ['NL', 'BE'], code: { length: 8, alphabet: 'alphanumeric' } },
            login: { requiresIntent: true },
            transaction: { requiresIntent: true, requiresTransaction: true },
          },
        },
      ],
    },
    {},
  ),
});

export default {
  files: 'widget/**/*.test.ts',
  rootDir: import.meta.dirname,
  hostname: 'localhost',
  port: pagePort,
  nodeResolve: true,
  // One verifier and one clock for all: tests take turns.
  concurrency: 1,
  browsers: [chromeLauncher({ launchOptions: { executablePath, args: [...chromiumFlags] } })],
  plugins: [
    esbuildPlugin({ ts: true, target: 'es2022', tsconfig: 'widget/tsconfig.json' }),
    { name: 'verifier', serverStop: () => verifier.close() },
  ],
  middleware: [testingRoutes],
  testRunnerHtml: (testFramework) => `<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>Tests of the element</title>
        <style>:root { color-scheme: light dark; } body { margin: 16px; background: Canvas; color: CanvasText; font: 16px/1.5 sans-serif; }</style>
      </head>
      <body>
        <script>globalThis.verifierUrl = '${verifierUrl}';</script>
        <script type="module" src="${testFramework}"></script>
      </body>
    </html>`,
  // Refusals are what many tests are about, and the browser logs each.
  filterBrowserLogs: ({ args }) => !/Lit is in dev mode|Failed to load resource/.test(String(args[0])),
  testFramework: { config: { timeout: 10_000 } },
};

/**
 * `POST /testing/clock?advance=31000`; `POST /testing/intents` with the body of the verifier's own;
 * `GET /testing/strict`, a page as strict as pages get, with the built element from the verifier.
 */
async function testingRoutes(context, next) {
  if (context.path === '/testing/clock') {
    clockSkewMs += Number(context.query.advance);
    context.body = { skew: clockSkewMs };
  } else if (context.path === '/testing/intents') {
    const answer = await fetch(`${verifierUrl}/v1/intents`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secretKey}` },
      body: await new Response(context.req).text(),
      duplex: 'half',
    });
    context.status = answer.status;
    context.body = await answer.json();
  } else if (context.path === '/testing/strict') {
    context.set(
      'content-security-policy',
      [
        `default-src 'none'; base-uri 'none'; script-src ${verifierUrl}; connect-src ${verifierUrl}`,
        "require-trusted-types-for 'script'; trusted-types lit-html",
      ].join('; '),
    );
    context.type = 'html';
    context.body = `<!doctype html>
      <html lang="en">
        <title>Strict</title>
        <script type="module" src="${verifierUrl}/phone-proof.js"></script>
        <form><phone-proof site-key="pk_test" purpose="registration" required></phone-proof></form>
      </html>`;
  } else {
    await next();
  }
}
