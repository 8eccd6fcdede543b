/**
 * What every outage's story has in common: what stands before it, what must hold while it lasts, and what
 * must work after it.
 *
 *     const server = await serverOn({ store: { engine: 'redis', url: redis.url } });
 *     const before = await prepare(server);
 *     await redis.admin.config('SET', 'maxmemory', 1);
 *     await expectToFailWell(server, before, { saying: /OOM/ });
 *     await redis.admin.config('SET', 'maxmemory', 0);
 *     await expectToRecover(server, before);
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { expect, onTestFinished } from 'vitest';
import type { ConfigInput } from '../config.ts';
import type { StartedVerification } from '../contract.ts';
import { until } from '../testing/poll.ts';
import { expectProblem } from '../testing/problems.ts';
import { type Answer, startTestServer, type TestServer } from '../testing/server.ts';
import { tempDir } from '../testing/temp-dir.ts';

/** A server on a store of the test's, closed after it. */
export async function serverOn(config: Partial<ConfigInput>): Promise<TestServer> {
  const elementDir = tempDir();
  writeFileSync(join(elementDir, 'phone-proof.js'), '// the element');
  const server = await startTestServer({ config, elementDir });
  onTestFinished(() => server.close());
  return server;
}

let phones = 0;
/** A Dutch mobile number that nobody in this process had before. */
export const newPhone = (): string => `+316${String(10_000_000 + phones++)}`;

/** A request that must be decided; the same one every time, under an idempotency key of its own. */
type Request = {
  name: string;
  call: () => Promise<Answer<object>>;
  /** What it is answered in the end. */
  status: number;
  /** Messages to its number before it and after it. */
  messages: { to: string; before: number; after: number };
};

/** What people are in the middle of when the store gives way. */
export type Before = Request[];

export async function prepare(server: TestServer): Promise<Before> {
  const to = {
    start: newPhone(),
    intent: newPhone(),
    check: newPhone(),
    resend: newPhone(),
    redeem: newPhone(),
    backend: newPhone(),
  };
  const startFor = async (phone: string) => (await server.start({ phone, purpose: 'registration' })).body;
  const [checking, resending, proof] = [
    await startFor(to.check),
    await startFor(to.resend),
    await server.proofFor(to.redeem),
  ];
  const code = await server.codeFor(to.check);
  const intentFor = (phone: string) =>
    server.backend<{ intent: string }>('POST', '/v1/intents', { phone, purpose: 'login' });
  const { intent } = (await intentFor(to.intent)).body;
  server.clock.advance(30_000);

  const request = (
    name: string,
    status: number,
    messages: Request['messages'],
    call: (key: Record<string, string>) => Promise<Answer<object>>,
  ): Request => {
    const key = { 'Idempotency-Key': randomUUID() };
    return { name, status, messages, call: () => call(key) };
  };
  return [
    request('start', 201, { to: to.start, before: 0, after: 1 }, (key) =>
      server.start({ phone: to.start, purpose: 'registration' }, key),
    ),
    request('start by intent', 201, { to: to.intent, before: 0, after: 1 }, (key) =>
      server.start({ intent }, key),
    ),
    request('check', 200, { to: to.check, before: 1, after: 1 }, (key) => server.check(checking, code, key)),
    request('resend', 200, { to: to.resend, before: 1, after: 2 }, (key) => server.resend(resending, key)),
    request('redeem', 200, { to: to.redeem, before: 1, after: 1 }, (key) =>
      server.backend('POST', '/v1/proofs/redeem', { proof }, key),
    ),
  ];
}

/** How many messages each of the numbers got. */
const sentTo = (server: TestServer, before: Before) =>
  Promise.all(
    before.map(async ({ name, messages }) => [name, (await server.messagesTo(messages.to)).length]),
  );

const readiness = async (server: TestServer) => (await server.call('GET', '/readyz')).status === 200;

/**
 * While it lasts: whatever must be decided is refused with 503 and nothing is sent, what needs no decision
 * is served, and the log says what is wrong.
 *
 * @param isReady where the trouble may be over the next moment and `/readyz` does not tell
 */
export async function expectToFailWell(
  server: TestServer,
  before: Before,
  { saying, isReady = false }: { saying: RegExp; isReady?: boolean },
): Promise<void> {
  if (!isReady) await until(async () => !(await readiness(server)), 'the outage');
  server.logLines.length = 0;
  const prepareIntent = () => server.backend('POST', '/v1/intents', { phone: newPhone(), purpose: 'login' });
  const calls = [...before, { name: 'prepare an intent', call: prepareIntent }];
  const answers = await Promise.all(calls.map(async ({ name, call }) => ({ name, answer: await call() })));
  for (const { name, answer } of answers) {
    expect([name, answer.status]).toEqual([name, 503]);
    expectProblem(answer, 503, 'unavailable');
  }
  if (!isReady) expectProblem(await server.call('GET', '/readyz'), 503, 'unavailable');
  expect(await sentTo(server, before)).toEqual(before.map(({ name, messages }) => [name, messages.before]));
  await expectToStandBy(server);
  // The first to be refused may not know more than that the connection is lost.
  await until(async () => {
    await readiness(server);
    return reasons(server).some((reason) => saying.test(reason));
  }, 'a line that says what is wrong').catch((error: unknown) => {
    throw new Error(`the log never said ${saying}, but ${reasons(server).join('\n')}`, { cause: error });
  });
}

/** What no outage of the store takes away: the key set, the process's own health and the element. */
export async function expectToStandBy(server: TestServer): Promise<void> {
  for (const path of ['/livez', '/.well-known/jwks.json', '/phone-proof.js']) {
    expect([path, (await fetch(`${server.url}${path}`)).status]).toEqual([path, 200]);
  }
  const { keys } = (await server.call<{ keys: unknown[] }>('GET', '/.well-known/jwks.json')).body;
  expect(keys).toHaveLength(1);
}

/** Why requests were refused, as the log has it. */
export const reasons = ({ logLines }: TestServer): string[] => [
  ...new Set(
    logLines
      .filter((line) => line.includes('"request.unavailable"'))
      .map((line): string => JSON.parse(line).error),
  ),
];

/** Repeats a request, as the element does, until it is decided. */
export async function insist<Body>(call: () => Promise<Answer<Body>>): Promise<Answer<Body>> {
  let answer = await call();
  await until(async () => {
    if (answer.status !== 503) return true;
    expect(answer.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
    await delay(20);
    answer = await call();
    return answer.status !== 503;
  }, 'an answer');
  return answer;
}

/**
 * After it: without a restart everything works again, and each request that was refused meanwhile is done
 * once, however often it is repeated.
 */
export async function expectToRecover(server: TestServer, before: Before): Promise<void> {
  await until(() => readiness(server), 'the recovery');
  for (const { name, call, status } of before) {
    const first = await insist(call);
    expect([name, first.status, first.body]).toEqual([name, status, first.body]);
    const again = await insist(call);
    expect([name, factsOf(again)]).toEqual([name, factsOf(first)]);
  }
  expect(await sentTo(server, before)).toEqual(before.map(({ name, messages }) => [name, messages.after]));
  await expectWholeJourney(server);
}

/** An answer without what may differ between two tellings of the same: a proof is signed again. */
function factsOf({ status, body }: Answer<object>): object {
  if (!('proof' in body)) return { status, body };
  const { proof, ...rest } = body;
  return { status, body: { ...rest, claims: decodeJwt(String(proof)) } };
}

/** From the number to the redeemed proof. */
export async function expectWholeJourney(server: TestServer): Promise<void> {
  const phone = newPhone();
  const started = await server.start({ phone, purpose: 'registration' });
  expect(started.status).toBe(201);
  const code = await server.codeFor(phone);
  expect((await server.check(started.body, wrongFor(code))).status).toBe(422);
  const checked = await server.check(started.body, code);
  expect(checked.status).toBe(200);
  const redeem = () => server.backend('POST', '/v1/proofs/redeem', { proof: checked.body.proof });
  expect((await redeem()).status).toBe(200);
  expect((await redeem()).status).toBe(409);
}

export const wrongFor = (code: string): string => (code === '000000' ? '111111' : '000000');

// ── Load ─────────────────────────────────────────────────────────────────────────────────────────

export type Load = {
  /** Journeys that came to their end so far; throws what went wrong in one. */
  done(): number;
  /** Answers of 503 so far. */
  refused(): number;
  /** Lets those under way end; fails when anything about any of them was wrong. */
  stop(): Promise<void>;
};

type LoadOptions = {
  width?: number;
  /** Where the store may lose what it answered, a journey ends with what was lost. */
  mayForget?: boolean;
};

/** What a journey was about is gone. */
class Forgotten extends Error {}

/**
 * People who come one after the other, `width` at a time: each asks for a code, mistypes it, types it, and
 * their site redeems the proof. A refused call is repeated under its own key. Every fourth only guesses.
 */
export function startLoad(server: TestServer, { width = 8, mayForget = false }: LoadOptions = {}): Load {
  let isStopping = false;
  let done = 0;
  let refused = 0;

  /** Until it is decided; counts the refusals. */
  const decided = <Body>(call: (key: Record<string, string>) => Promise<Answer<Body>>) => {
    const key = { 'Idempotency-Key': randomUUID() };
    return insist(async () => {
      const answer = await call(key);
      if (answer.status === 503) refused += 1;
      if (answer.status === 404 && mayForget) throw new Forgotten();
      return answer;
    });
  };

  async function start(phone: string): Promise<StartedVerification> {
    const { status, body } = await decided((key) => server.start({ phone, purpose: 'registration' }, key));
    expect([status, body]).toEqual([201, body]);
    return body;
  }

  async function journey(): Promise<void> {
    const phone = newPhone();
    const started = await start(phone);
    expect(await server.messagesTo(phone)).toHaveLength(1);
    const code = await server.codeFor(phone);
    const wrong = await decided((key) => server.check(started, wrongFor(code), key));
    expect([wrong.status, wrong.body.attemptsRemaining]).toEqual([422, 4]);
    const right = await decided((key) => server.check(started, code, key));
    expect([right.status, right.body]).toEqual([200, right.body]);
    const { proof } = right.body;
    const redeem = () => decided((key) => server.backend('POST', '/v1/proofs/redeem', { proof }, key));
    expect((await redeem()).status).toBe(200);
    const again = await redeem();
    if (mayForget && again.status === 200) throw new Forgotten();
    expect(again.status).toBe(409);
    expect((await decided((key) => server.check(started, code, key))).status).toBe(409);
  }

  async function guessing(): Promise<void> {
    const phone = newPhone();
    const started = await start(phone);
    const code = await server.codeFor(phone);
    const guesses = Array.from({ length: 9 }, (_, nth) => String(nth).repeat(6)).filter(
      (one) => one !== code,
    );
    const answers = await Promise.all(
      guesses.map((guess) => decided((key) => server.check(started, guess, key))),
    );
    const looked = answers.filter(({ status }) => status === 422);
    expect(looked.map(({ body }) => body.attemptsRemaining).toSorted()).toEqual([0, 1, 2, 3, 4]);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(guesses.length - 5);
    expect((await decided((key) => server.check(started, code, key))).status).toBe(409);
  }

  async function people(nth: number): Promise<void> {
    while (!isStopping) {
      await (nth % 4 === 3 ? guessing() : journey()).catch((error: unknown) => {
        if (!(error instanceof Forgotten)) throw error;
      });
      done += 1;
    }
  }

  const failures: unknown[] = [];
  const all = Array.from({ length: width }, (_, nth) =>
    people(nth).catch((error: unknown) => void failures.push(error)),
  );
  return {
    done: () => {
      if (failures.length > 0) throw failures[0];
      return done;
    },
    refused: () => refused,
    stop: async () => {
      isStopping = true;
      await Promise.all(all);
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** Until people have come and gone. */
export async function traffic(load: Load): Promise<void> {
  const before = load.done();
  await until(() => load.done() >= before + 8, 'traffic');
}

/** Until somebody more was refused. */
export async function refusal(load: Load): Promise<void> {
  const before = load.refused();
  await until(() => load.refused() > before, 'a refusal');
}
