/**
 * The calls to the server. A call never throws: it resolves to an outcome.
 *
 *     const client = createClient({ server: 'https://verify.example.com', siteKey: 'pk_…', clock });
 *     const outcome = await client.start({ phone: '+31612345678', purpose: 'login' }, key);
 *     if (outcome.kind === 'answered') outcome.value.phoneMasked;
 *
 * `refused` is the server's considered No (RFC 9457, by `code`). `lost` is everything that leaves open
 * whether the server did what was asked: no network, no answer in time, a gateway's error page, a 503.
 * A lost call is repeated with the same `Idempotency-Key`, and so does nothing twice.
 */
import { type Config, readApproval, readConfig, readProblem, readVerification } from './answers.ts';
import type { ServerClock } from './clock.ts';
import type { Problem, Verification } from './flow.ts';

export type Outcome<Value> =
  | { kind: 'answered'; value: Value }
  | { kind: 'refused'; problem: Problem }
  | { kind: 'lost'; offline: boolean; retryAt: number | null };

export type StartBody = { locale?: string; channel?: string } & (
  | { intent: string }
  | { phone: string; country?: string; purpose: string; nonce?: string }
);

export type Client = ReturnType<typeof createClient>;

/** Total, from the call to the last byte: a dripping answer must not hold a person up either. */
const timeoutMs = 15_000;

export function createClient({
  server,
  siteKey,
  clock,
}: {
  /** The address under which `v1/` is found. */
  server: string;
  siteKey: string;
  clock: ServerClock;
}) {
  const addressOf = (path: string) => new URL(`v1/${path}`, server.endsWith('/') ? server : `${server}/`);
  const pathOf = ({ id }: Verification) => `verifications/${encodeURIComponent(id)}`;

  async function call<Value>(
    path: string,
    read: (json: unknown) => Value,
    {
      secret,
      key,
      signal,
      ...init
    }: { method?: string; body?: string; secret?: string; key?: string; signal?: AbortSignal } = {},
  ): Promise<Outcome<Value>> {
    const headers = new Headers();
    if (init.body !== undefined) headers.set('Content-Type', 'application/json');
    if (secret !== undefined) headers.set('Authorization', `Bearer ${secret}`);
    if (key !== undefined) headers.set('Idempotency-Key', key);
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(addressOf(path), {
        ...init,
        headers,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        // Whoever the person is to the server's site is none of our business.
        credentials: 'omit',
      });
      if (response.ok) {
        return { kind: 'answered', value: read(response.status === 204 ? undefined : await response.json()) };
      }
      const retryAfterMs = Number(response.headers.get('Retry-After')) * 1000 || null;
      if (response.status === 503) return lost(retryAfterMs);
      const problem = readProblem(await response.json(), secret);
      if (problem.verification) clock.witness(problem.verification.deliveryAt);
      // A time and the wait until then, in one answer: that is what the server's clock says.
      const endsAt = problem.retryAt ?? (problem.code === 'resend-too-early' ? problem.resend?.at : null);
      if (endsAt && retryAfterMs) clock.set(endsAt - retryAfterMs);
      problem.retryAt ??= retryAfterMs && clock.now() + retryAfterMs;
      return { kind: 'refused', problem };
    } catch {
      return lost(null);
    }
  }

  const lost = (retryAfterMs: number | null) =>
    ({
      kind: 'lost',
      offline: !navigator.onLine,
      retryAt: retryAfterMs && clock.now() + retryAfterMs,
    }) as const;

  const post = (body: object) => ({ method: 'POST', body: JSON.stringify(body) });

  const readFresh = (secret?: string) => (json: unknown) => {
    const verification = readVerification(json, secret);
    clock.witness(verification.deliveryAt);
    return verification;
  };

  return {
    config(query: { intent?: string; purpose?: string }, signal?: AbortSignal): Promise<Outcome<Config>> {
      const search = new URLSearchParams({ siteKey, ...query });
      return call(`widget-config?${search}`, readConfig, signal ? { signal } : {});
    },

    start: (body: StartBody, key: string): Promise<Outcome<Verification>> =>
      call('verifications', readFresh(), { ...post({ siteKey, ...body }), key }),

    read: (verification: Verification, signal: AbortSignal): Promise<Outcome<Verification>> =>
      call(pathOf(verification), readFresh(verification.clientSecret), {
        secret: verification.clientSecret,
        signal,
      }),

    resend: (
      verification: Verification,
      body: { channel?: string },
      key: string,
    ): Promise<Outcome<Verification>> =>
      call(`${pathOf(verification)}/resend`, readFresh(verification.clientSecret), {
        ...post(body),
        secret: verification.clientSecret,
        key,
      }),

    check: (
      verification: Verification,
      code: string,
      key: string,
    ): Promise<Outcome<{ proof: string; expiresAt: number }>> =>
      call(`${pathOf(verification)}/check`, readApproval, {
        ...post({ code }),
        secret: verification.clientSecret,
        key,
      }),

    cancel: (verification: Verification): Promise<Outcome<void>> =>
      call(pathOf(verification), () => undefined, { method: 'DELETE', secret: verification.clientSecret }),
  };
}
