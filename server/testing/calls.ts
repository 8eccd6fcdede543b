/**
 * The calls of a page and of a site's backend over real HTTP, to whichever server is named each time.
 *
 *     const calls = createCalls({ siteKey: 'pk_test', secretKey: 'sk_test', origin: ORIGIN, secret: SECRET });
 *     const started = await calls.start(url, { phone: '+31612345678' }, 'key-1');
 *     const held = calls.holderOf(started);
 *     await calls.check(url, held, calls.codeOf(held), 'key-2');
 *
 * Whoever knows the server's secret knows every code: nobody has to look into an inbox for it.
 */
import { createKeyring } from '../secrets.ts';
import { openClientSecret } from '../verification/client-secret.ts';
import { deriveCode } from '../verification/codes.ts';

export type Answer = { status: number; body: Record<string, unknown> };
/** Who holds a verification's client secret. */
export type Holder = { id: string; clientSecret: string };

/** Longer than a repeated request waits for the first one's message: only what is never answered is given up on. */
const TIMEOUT_MS = 60_000;

export type Calls = ReturnType<typeof createCalls>;

export function createCalls({
  siteKey,
  secretKey,
  origin,
  secret,
}: {
  siteKey: string;
  secretKey: string;
  origin: string;
  secret: string;
}) {
  const keyring = createKeyring([secret]);

  async function call(
    method: string,
    url: string,
    { bearer, body, key }: { bearer?: string; body?: object; key?: string | undefined },
  ): Promise<Answer> {
    const response = await fetch(url, {
      method,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        ...(bearer !== secretKey && { Origin: origin }),
        ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }),
        ...(body && { 'Content-Type': 'application/json' }),
        ...(key !== undefined && { 'Idempotency-Key': key }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
  }

  return {
    start: (
      url: string,
      { phone, purpose = 'registration' }: { phone: string; purpose?: string },
      key?: string,
    ) => call('POST', `${url}/v1/verifications`, { body: { siteKey, phone, purpose }, key }),
    resend: (url: string, { id, clientSecret }: Holder, key?: string) =>
      call('POST', `${url}/v1/verifications/${id}/resend`, { bearer: clientSecret, body: {}, key }),
    check: (url: string, { id, clientSecret }: Holder, code: string, key?: string) =>
      call('POST', `${url}/v1/verifications/${id}/check`, { bearer: clientSecret, body: { code }, key }),
    read: (url: string, { id, clientSecret }: Holder) =>
      call('GET', `${url}/v1/verifications/${id}`, { bearer: clientSecret }),
    readAsBackend: (url: string, { id }: Holder) =>
      call('GET', `${url}/v1/verifications/${id}`, { bearer: secretKey }),
    redeem: (url: string, proof: string, key?: string) =>
      call('POST', `${url}/v1/proofs/redeem`, { bearer: secretKey, body: { proof }, key }),

    holderOf: ({ body: { id, clientSecret } }: Answer): Holder => ({
      id: String(id),
      clientSecret: String(clientSecret),
    }),
    codeOf({ id, clientSecret }: Holder): string {
      const opened = openClientSecret(keyring, id, clientSecret);
      if (!opened) throw new Error(`the client secret of ${id} was not made by this server`);
      return deriveCode(opened.secret, opened.seed, id, opened.shape);
    },
  };
}

/** Never the right one. */
export const wrongFor = (code: string, n = 0): string =>
  String((Number(code) + 1 + n) % 1_000_000).padStart(6, '0');
