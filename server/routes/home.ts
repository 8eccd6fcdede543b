/** The root page, which links to everything, and a page for each problem `code`. */
import { Hono } from 'hono';
import { html } from 'hono/html';
import { problemCode } from '../contract.ts';
import { Problem, problems } from '../problem.ts';
import { answerWith } from './answer.ts';
import type { RouteDeps } from './deps.ts';
import type { AppContext, Env } from './env.ts';

const document = (title: string, content: unknown) => html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title}</title>
  </head>
  <body>${content}</body>
</html>`;

const page = async (c: AppContext, content: ReturnType<typeof document>) =>
  answerWith(c, String(await content), { type: 'text/html; charset=UTF-8' });

export function homeRoutes({ config, simulator, links }: RouteDeps) {
  const entries = [
    ...links,
    ...(simulator
      ? [{ href: '/simulator', text: 'The simulator: a phone that receives every message' }]
      : []),
    { href: '/phone-proof.js', text: 'The element' },
    { href: '/openapi.json', text: 'The API (OpenAPI)' },
    { href: '/.well-known/openid-configuration', text: 'Issuer metadata' },
    { href: '/.well-known/jwks.json', text: 'The public keys of proofs' },
    { href: '/livez', text: 'Does it run?' },
    { href: '/readyz', text: 'Is it ready?' },
  ];
  return new Hono<Env>()
    .get('/', (c) =>
      page(
        c,
        document(
          'Phone Proof',
          html`<h1>Phone Proof</h1>
            <p>The verifier of ${config.sites.map(({ brand }) => brand).join(', ')}.</p>
            <ul>${entries.map(({ href, text }) => html`<li><a href="${href}">${text}</a></li>`)}</ul>`,
        ),
      ),
    )
    .get('/problems/:code', (c) => {
      const code = problemCode.safeParse(c.req.param('code'));
      if (!code.success) throw new Problem('not-found');
      const { status, title, detail } = problems[code.data];
      return page(
        c,
        document(
          title,
          html`<h1>${title}</h1><p>${detail}</p><p>HTTP ${status}, <code>${code.data}</code></p>`,
        ),
      );
    });
}
