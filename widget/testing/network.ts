/**
 * Faults of the network, for single requests; all others reach the real verifier.
 *
 *     const calls = recordCalls();                 // every call to the verifier's API, as it was made
 *     failNext('/check', loseAnswer);              // the server does it, the page never hears of it
 *     failNext('/v1/verifications', answerWith(503, { code: 'unavailable' }, { 'Retry-After': '7' }));
 *     goOffline(); … goOnline();
 */
type Fault = (send: () => Promise<Response>) => Promise<Response>;

export type Call = { method: string; path: string; key: string | null; body: string | null };

const realFetch = globalThis.fetch;
let faults: { ending: string; method: string | undefined; fault: Fault }[] = [];
let calls: Call[] = [];
let isOffline = false;

/** The next call whose path ends so meets the fault instead. */
export function failNext(ending: string, fault: Fault, method?: string): void {
  faults.push({ ending, fault, method });
}

export function recordCalls(): Call[] {
  calls = [];
  return calls;
}

/** The request arrives and is carried out; its answer does not come back. */
export const loseAnswer: Fault = async (send) => {
  await send();
  throw new TypeError('Failed to fetch');
};

/** The request does not arrive. */
export const loseRequest: Fault = () => Promise.reject(new TypeError('Failed to fetch'));

export const answerWith =
  (status: number, problem: object, headers: Record<string, string> = {}): Fault =>
  async () =>
    new Response(
      JSON.stringify({ type: 'about:blank', title: '', detail: 'as tested', status, ...problem }),
      {
        status,
        headers: { 'Content-Type': 'application/problem+json', ...headers },
      },
    );

/** Answers, but not before it is let go. */
export function holdBack(): { fault: Fault; release: () => void } {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { fault: async (send) => released.then(send), release };
}

export function goOffline(): void {
  isOffline = true;
  Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => !isOffline });
}

export function goOnline(): void {
  isOffline = false;
  window.dispatchEvent(new Event('online'));
}

export function healNetwork(): void {
  faults = [];
  calls = [];
  isOffline = false;
}

globalThis.fetch = (input, init) => {
  const request = new Request(input, init);
  const { pathname, origin } = new URL(request.url);
  if (origin !== verifierUrl || !pathname.startsWith('/v1/')) return realFetch(input, init);
  const { method, headers } = request;
  const body = typeof init?.body === 'string' ? init.body : null;
  calls.push({ method, path: pathname, key: headers.get('Idempotency-Key'), body });
  const send = () => realFetch(input, init);
  if (isOffline) return loseRequest(send);
  const index = faults.findIndex(
    ({ ending, method: only }) => pathname.endsWith(ending) && (only === undefined || only === method),
  );
  const [met] = index < 0 ? [] : faults.splice(index, 1);
  return met ? met.fault(send) : send();
};
