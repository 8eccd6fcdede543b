/**
 * A real server on a free port for tests: real SQLite, real HTTP, a clock that the test moves.
 *
 *     const server = await startTestServer();
 *     const { body } = await server.start({ phone: '+31612345678', purpose: 'registration' });
 *     server.clock.advance(30_000);
 *     await server.check(body, await server.codeFor('+31612345678'));
 *     await server.close();
 */
import { type ConfigInput, parseConfig } from '../config.ts';
import type { StartedVerification } from '../contract.ts';
import type { Provider } from '../delivery/provider.ts';
import { createLog } from '../log.ts';
import { startServer } from '../serve.ts';

export const ORIGIN = 'https://shop.example';
export const SECRET = 'a secret for tests, long enough to be one';
export const ISSUER = 'https://verify.example';

type SiteInput = ConfigInput['sites'][number];

/** One site with every purpose of the contract; `overrides` go on top. */
export function testSite(overrides: Partial<SiteInput> = {}): SiteInput {
  return {
    id: 'shop',
    brand: 'Shop',
    publishableKey: 'pk_test',
    secretKey: 'sk_test',
    allowedOrigins: [ORIGIN],
    purposes: {
      registration: {},
      login: { requiresIntent: true },
      password_reset: { requiresIntent: true },
      checkout: {},
      transaction: { requiresIntent: true, requiresTransaction: true },
      account_change: { requiresIntent: true },
      appointment: {},
      letters: { code: { length: 8, alphabet: 'alphanumeric' } },
    },
    ...overrides,
  };
}

const many = [{ limit: 1_000_000, window: '1h' }] satisfies [{ limit: number; window: string }];

/** Limits that no test meets by accident. */
export const NO_LIMITS: SiteInput['limits'] = {
  phoneFromClient: many,
  phone: many,
  client: many,
  site: many,
  failedGuesses: { perNetwork: { limit: 1_000_000, window: '1h' }, inARow: { limit: 100_000, window: '1h' } },
};

export type Answer<Body = Record<string, unknown>> = { status: number; headers: Headers; body: Body };

export type TestServer = Awaited<ReturnType<typeof startTestServer>>;

export async function startTestServer({
  config: overrides = {},
  now = Date.parse('2026-11-23T12:00:00Z'),
  elementDir,
  provider,
}: {
  config?: Partial<ConfigInput>;
  /** Where the clock begins; `'real'` for the machine's own. */
  now?: number | 'real';
  /** In place of the built element's folder. */
  elementDir?: string;
  /** In place of the configured one. */
  provider?: Provider;
} = {}) {
  let time = now === 'real' ? 0 : now;
  const clock = now === 'real' ? Date.now : () => time;
  const logLines: string[] = [];
  const config = parseConfig({
    publicUrl: ISSUER,
    port: 0,
    host: '127.0.0.1',
    dataDir: ':memory:',
    secrets: [SECRET],
    delivery: { provider: 'simulator' },
    sites: [testSite({ limits: NO_LIMITS })],
    ...overrides,
  });
  const log = createLog('debug', { write: (line: string) => logLines.push(line) });
  const server = await startServer({
    config,
    clock,
    log,
    ...(elementDir !== undefined && { elementDir }),
    ...(provider && { provider }),
  });
  const url = `http://127.0.0.1:${server.port}`;

  async function call<Body = Record<string, unknown>>(
    method: string,
    path: string,
    {
      body,
      headers = {},
      origin = ORIGIN,
    }: { body?: unknown; headers?: Record<string, string>; origin?: string | null } = {},
  ): Promise<Answer<Body>> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(origin !== null && { Origin: origin }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
  }

  const bearer = (secret: string) => ({ Authorization: `Bearer ${secret}` });
  type Held = { id: string; clientSecret: string };

  const messagesTo = async (phone: string) => {
    const response = await fetch(`${url}/simulator/messages?to=${encodeURIComponent(phone)}`);
    return (await response.json()) as { body: string; code: string }[];
  };

  async function proofOf({ id, clientSecret }: Held, phone: string): Promise<string> {
    const [newest] = await messagesTo(phone);
    const checked = await call<{ proof: string }>('POST', `/v1/verifications/${id}/check`, {
      body: { code: newest?.code },
      headers: bearer(clientSecret),
    });
    if (checked.status !== 200) throw new Error(`no proof: ${JSON.stringify(checked.body)}`);
    return checked.body.proof;
  }

  return {
    ...server,
    url,
    config,
    logLines,
    call,
    clock: {
      now: clock,
      advance: (ms: number) => {
        time += ms;
      },
    },
    start: (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
      call<StartedVerification>('POST', '/v1/verifications', {
        body: { siteKey: 'pk_test', ...body },
        headers,
      }),
    resend: ({ id, clientSecret }: Held, headers: Record<string, string> = {}) =>
      call('POST', `/v1/verifications/${id}/resend`, {
        body: {},
        headers: { ...bearer(clientSecret), ...headers },
      }),
    check: ({ id, clientSecret }: Held, code: string, headers: Record<string, string> = {}) =>
      call<Record<string, unknown> & { proof: string }>('POST', `/v1/verifications/${id}/check`, {
        body: { code },
        headers: { ...bearer(clientSecret), ...headers },
      }),
    /** The proof of a whole verification, for a purpose that pages may start. */
    proofFor: async (phone: string, body: Record<string, unknown> = {}): Promise<string> => {
      const started = await call<StartedVerification>('POST', '/v1/verifications', {
        body: { siteKey: 'pk_test', purpose: 'registration', phone, ...body },
      });
      return proofOf(started.body, phone);
    },
    /** The proof of a whole verification that starts from an intent. */
    proofByIntent: async (phone: string, intentBody: Record<string, unknown>): Promise<string> => {
      const intent = await call<{ intent: string }>('POST', '/v1/intents', {
        body: { phone, ...intentBody },
        origin: null,
        headers: bearer('sk_test'),
      });
      const started = await call<StartedVerification>('POST', '/v1/verifications', {
        body: { siteKey: 'pk_test', intent: intent.body.intent },
      });
      return proofOf(started.body, phone);
    },
    cancel: ({ id, clientSecret }: Held) =>
      call('DELETE', `/v1/verifications/${id}`, { headers: bearer(clientSecret) }),
    read: ({ id, clientSecret }: Held) =>
      call('GET', `/v1/verifications/${id}`, { headers: bearer(clientSecret) }),
    /** As the site's backend. */
    backend: <Body = Record<string, unknown>>(
      method: string,
      path: string,
      body?: unknown,
      headers: Record<string, string> = {},
    ) => call<Body>(method, path, { body, origin: null, headers: { ...bearer('sk_test'), ...headers } }),
    /** What the simulator holds for a number, newest first. */
    messagesTo,
    codeFor: async (phone: string): Promise<string> => {
      const [newest] = await messagesTo(phone);
      if (!newest) throw new Error(`no message to ${phone}`);
      return newest.code;
    },
  };
}
