/** What the shop does without a browser: its headers, and forms that come from elsewhere. */
import { expect, it } from 'vitest';
import { createShop } from './shop.ts';

const shopUrl = 'https://shop.example';
const verifierUrl = 'https://verify.example';

const shop = (fetch: typeof globalThis.fetch = () => Promise.reject(new Error('no network'))) =>
  createShop({ shopUrl, verifierUrl, siteKey: 'pk_demo', secretKey: 'sk_demo', audience: shopUrl, fetch });

const form = (fields: Record<string, string>, headers: Record<string, string> = { origin: shopUrl }) => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  body: new URLSearchParams(fields),
});

it('allows the verifier as a source of script and as a place to call, and nothing else', async () => {
  const policy = (await shop().request('/signup')).headers.get('content-security-policy');
  expect(policy?.split('; ')).toEqual([
    "default-src 'none'",
    `script-src 'self' ${verifierUrl}`,
    `connect-src ${verifierUrl}`,
    "style-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ]);
});

it('has no script or style in its pages, which that policy would not run', async () => {
  for (const path of ['/', '/signup', '/login', '/reset', '/checkout', '/transfer', '/appointment']) {
    const page = await (await shop().request(path)).text();
    expect(page).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src=)/);
  }
});

it('keeps its secret key out of every page', async () => {
  expect(await (await shop().request('/signup')).text()).not.toContain('sk_demo');
});

it.each([
  ['another site', { origin: 'https://evil.example' }],
  ['nowhere', {}],
])('refuses a form posted from %s', async (_, headers) => {
  const answer = await shop().request('/login', form({ email: 'a@b.example', password: 'x' }, headers));
  expect(answer.status).toBe(403);
});

it('shows a visitor nothing but text of what was typed', async () => {
  const email = '"><script>alert(1)</script>';
  const answer = await shop().request('/login', form({ email, password: 'x' }));
  expect(answer.status).toBe(422);
  expect(await answer.text()).not.toContain('<script>alert');
});

it('says so when the verifier cannot be reached, and changes nothing', async () => {
  const answer = await shop().request('/account');
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain('data-result="unavailable"');
});

it('passes on what the verifier says when it will not prepare a code', async () => {
  const busy = async () =>
    Response.json({ code: 'unavailable', detail: 'Wait 30 seconds.' }, { status: 503 });
  expect(await (await shop(busy).request('/account')).text()).toContain('Wait 30 seconds.');
});

it('knows nobody’s number and draws no phone where messages are real', async () => {
  const real = createShop({
    shopUrl,
    verifierUrl,
    siteKey: 'pk_demo',
    secretKey: 'sk_demo',
    audience: shopUrl,
    isReal: true,
  });
  for (const path of ['/account', '/transfer']) {
    expect((await real.request(path)).headers.get('location')).toBe('/signup');
  }
  expect(await (await real.request('/login')).text()).not.toContain('anna@polder.example');
  expect(await (await real.request('/signup')).text()).not.toContain('simulator');
});

it('keeps its cookie from scripts and from other sites', async () => {
  const cookie = (await shop().request('/')).headers.get('set-cookie');
  expect(cookie).toMatch(/HttpOnly/);
  expect(cookie).toMatch(/SameSite=Lax/);
  expect(cookie).toMatch(/Secure/);
});
