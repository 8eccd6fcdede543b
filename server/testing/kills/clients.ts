/**
 * Clients of servers that die: each repeats a request whose answer was lost at any other server, with the same
 * `Idempotency-Key`, as docs/api.md tells it to, and writes down what it was answered. Whatever means something new
 * has a key of its own.
 *
 *     const clients = createClients(calls, urls);
 *     await clients.work(stopping);       // until the signal
 *     await clients.audit();              // once nobody dies any more
 *     clients.broken;                     // { 'one proof a code': [], … }
 */
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { type Answer, type Calls, type Holder, wrongFor } from '../calls.ts';

export type BrokenPromises = {
  'one proof for a code': string[];
  'one redemption of a proof': string[];
  'no counter goes back': string[];
  'what was answered stays': string[];
  'no answer but those of the API': string[];
};

export type Counts = {
  verifications: number;
  guesses: number;
  resends: number;
  proofs: number;
  redemptions: number;
  answers: number;
  /** The server died with the request in its hands. */
  lost: number;
  /** Answered 503: nothing was decided. */
  unavailable: number;
};

/** In one go from start to proof, some on the way to too many guesses. */
const BUSY_CLIENTS = 16;
/** These wait for their resends. */
const PATIENT_CLIENTS = 8;
const AUDITORS = 16;

const GUESSES = 5;
const RESENDS = 3;
/** A start and its resends: what a number's share must be for its end to be known exactly. */
export const MESSAGES_A_NUMBER = 1 + RESENDS;

const GIVE_UP_AFTER_MS = 120_000;
const LONGEST_PAUSE_MS = 10;

/** One verification, as its client knows it. */
type Story = {
  holder: Holder;
  phone: string;
  code: string;
  attempts: number;
  resends: number;
  /** The key under which the right code was accepted, and what it brought. */
  approval: { key: string; proof: string } | undefined;
  isRedeemed: boolean;
};

type Keyed = { key: string; answer: Answer };

export function createClients(calls: Calls, urls: string[]) {
  const counts: Counts = {
    verifications: 0,
    guesses: 0,
    resends: 0,
    proofs: 0,
    redemptions: 0,
    answers: 0,
    lost: 0,
    unavailable: 0,
  };
  const broken: BrokenPromises = {
    'one proof for a code': [],
    'one redemption of a proof': [],
    'no counter goes back': [],
    'what was answered stays': [],
    'no answer but those of the API': [],
  };
  const stories: Story[] = [];
  let nextPhone = 10_000_000;

  /** The same request again and again, at whichever server, until one answers. */
  async function ask(request: (url: string) => Promise<Answer>): Promise<Answer> {
    const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
    while (performance.now() < giveUpAt) {
      try {
        const answer = await request(urls[some(0, urls.length - 1)] ?? '');
        counts.answers += 1;
        if (answer.status !== 503) return answer;
        counts.unavailable += 1;
      } catch (error) {
        // A connection that breaks is a server that died. One that stays silent is not, and is a finding.
        if (error instanceof Error && error.name === 'TimeoutError') throw error;
        if (!isRefused(error)) counts.lost += 1;
      }
      await delay(Math.random() * LONGEST_PAUSE_MS);
    }
    throw new Error('no server answers any more');
  }

  /** As often as `count` says at the same time, under different keys. */
  const askAtOnce = (
    count: number,
    request: (url: string, key: string) => Promise<Answer>,
  ): Promise<Keyed[]> =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const key = crypto.randomUUID();
        return { key, answer: await ask((url) => request(url, key)) };
      }),
    );
  const askOnce = async (request: (url: string, key: string) => Promise<Answer>): Promise<Answer> => {
    const [only] = await askAtOnce(1, request);
    if (!only) throw new Error('nothing was asked');
    return only.answer;
  };

  const told = ({ status, body }: Answer) => `${status} ${JSON.stringify(body)}`;
  const isRefusal = ({ body }: Answer, code: string) => body.code === code;
  const unexpected = (what: string, { holder }: Story, answer: Answer) =>
    broken['no answer but those of the API'].push(`${what} of ${holder.id}: ${told(answer)}`);

  async function start(): Promise<Story | undefined> {
    const phone = `+316${nextPhone}`;
    nextPhone += 1;
    const answer = await askOnce((url, key) => calls.start(url, { phone }, key));
    if (answer.status !== 201) {
      broken['no answer but those of the API'].push(`start: ${told(answer)}`);
      return undefined;
    }
    counts.verifications += 1;
    const holder = calls.holderOf(answer);
    const story: Story = {
      holder,
      phone,
      code: calls.codeOf(holder),
      attempts: GUESSES,
      resends: 0,
      approval: undefined,
      isRedeemed: false,
    };
    stories.push(story);
    return story;
  }

  /** Wrong codes at the same time; of those, as many are looked at as are left, and each costs one. */
  async function guess(story: Story, count: number): Promise<void> {
    const { holder, code, attempts } = story;
    const answers = await askAtOnce(count, (url, key) => calls.check(url, holder, wrongFor(code), key));
    const looked = answers.filter(({ answer }) => isRefusal(answer, 'incorrect-code'));
    for (const { answer } of answers) {
      if (!isRefusal(answer, 'incorrect-code') && !isRefusal(answer, 'verification-closed')) {
        unexpected('a guess', story, answer);
      }
    }
    counts.guesses += looked.length;
    const left = looked.map(({ answer }) => Number(answer.body.attemptsRemaining)).toSorted((a, b) => b - a);
    const expected = Array.from({ length: Math.min(count, attempts) }, (_, nth) => attempts - 1 - nth);
    if (left.join() !== expected.join()) {
      broken['no counter goes back'].push(
        `${holder.id} had ${attempts} guesses; ${count} wrong ones left [${left}]`,
      );
    }
    story.attempts = Math.max(0, attempts - count);
  }

  async function approve(story: Story): Promise<void> {
    const { holder, code, attempts } = story;
    const answers = await askAtOnce(some(1, 3), (url, key) => calls.check(url, holder, code, key));
    const accepted = answers.filter(({ answer }) => answer.status === 200);
    for (const { answer } of answers) {
      if (answer.status !== 200 && !isRefusal(answer, 'verification-closed')) {
        unexpected('a right code', story, answer);
      }
    }
    if (attempts === 0) {
      if (accepted.length > 0) {
        broken['no counter goes back'].push(`${holder.id} was approved after ${GUESSES} wrong guesses`);
      }
      return;
    }
    if (accepted.length > 1) broken['one proof for a code'].push(`${holder.id} has ${accepted.length}`);
    const [first] = accepted;
    if (!first) {
      broken['what was answered stays'].push(`${holder.id} took the right code and gave nobody a proof`);
      return;
    }
    counts.proofs += 1;
    story.approval = { key: first.key, proof: String(first.answer.body.proof) };
  }

  async function redeem(story: Story): Promise<void> {
    const { holder, approval } = story;
    if (!approval) return;
    const answers = await askAtOnce(some(1, 3), (url, key) => calls.redeem(url, approval.proof, key));
    const taken = answers.filter(({ answer }) => answer.status === 200);
    for (const { answer } of answers) {
      if (answer.status !== 200 && !isRefusal(answer, 'proof-redeemed')) {
        unexpected('a redemption', story, answer);
      }
    }
    if (taken.length > 1) broken['one redemption of a proof'].push(`${holder.id}: ${taken.length} at once`);
    if (taken.length === 0) {
      broken['what was answered stays'].push(`the proof of ${holder.id} was spent, and nobody was told yes`);
    }
    counts.redemptions += 1;
    story.isRedeemed = true;
  }

  /** Again and again until none is left, or until it is time to go. */
  async function resend(story: Story, stopping: AbortSignal): Promise<void> {
    const { holder } = story;
    while (!stopping.aborted) {
      const answer = await askOnce((url, key) => calls.resend(url, holder, key));
      if (isRefusal(answer, 'resends-exhausted')) {
        if (story.resends < RESENDS) unexpected('resend', story, answer);
        return;
      }
      if (answer.status === 200) {
        story.resends += 1;
        counts.resends += 1;
      } else if (!isRefusal(answer, 'resend-too-early')) {
        unexpected('resend', story, answer);
        return;
      }
      const { at, remaining } = answer.body.resend as { at: string; remaining: number };
      if (remaining !== RESENDS - story.resends) {
        broken['no counter goes back'].push(
          `${holder.id} was sent again ${story.resends} times and has ${remaining} left`,
        );
        return;
      }
      const waitMs = Math.max(0, Date.parse(at) - Date.now()) + Math.random() * LONGEST_PAUSE_MS;
      await delay(waitMs, undefined, { signal: stopping }).catch(() => {});
    }
  }

  /** What a page and a backend see must be what the client was told. */
  async function look(story: Story): Promise<void> {
    const { holder, attempts, resends, approval } = story;
    const lost = (what: string) => broken['what was answered stays'].push(`${holder.id}: ${what}`);
    const page = await ask((url) => calls.read(url, holder));
    if (page.status !== 200) {
      lost(told(page));
      return;
    }
    const status = approval ? 'approved' : attempts === 0 ? 'failed' : 'pending';
    if (page.body.status !== status) lost(`${status} became ${page.body.status}`);
    if (page.body.attemptsRemaining !== attempts) {
      const what = `${holder.id} had ${attempts} guesses left, and then ${page.body.attemptsRemaining}`;
      broken['no counter goes back'].push(what);
    }
    const backend = await ask((url) => calls.readAsBackend(url, holder));
    const deliveries = Array.isArray(backend.body.deliveries) ? backend.body.deliveries.length : 0;
    if (deliveries !== 1 + resends) lost(`${1 + resends} deliveries became ${deliveries}`);
  }

  /** What was over must stay over, and what was answered must be answered again. */
  async function insist(story: Story): Promise<void> {
    const { holder, code, approval, isRedeemed, resends, phone, attempts } = story;
    const again = await askOnce((url, key) => calls.check(url, holder, code, key));
    if (approval || attempts === 0) {
      if (again.status === 200) broken['one proof for a code'].push(`${holder.id} gave another later on`);
      else if (!isRefusal(again, 'verification-closed')) unexpected('another check', story, again);
    } else if (again.status !== 200) {
      broken['what was answered stays'].push(`${holder.id} takes its right code no more: ${told(again)}`);
    }
    if (approval) {
      const repeated = await ask((url) => calls.check(url, holder, code, approval.key));
      if (repeated.status !== 200) {
        broken['what was answered stays'].push(`${holder.id} forgot its approval: ${told(repeated)}`);
      } else if (decodeJwt(String(repeated.body.proof)).jti !== decodeJwt(approval.proof).jti) {
        broken['one proof for a code'].push(`${holder.id} has a second under the same key`);
      }
    }
    if (approval && isRedeemed) {
      const redeemed = await askOnce((url, key) => calls.redeem(url, approval.proof, key));
      if (redeemed.status === 200) broken['one redemption of a proof'].push(`${holder.id}: again later on`);
      else if (!isRefusal(redeemed, 'proof-redeemed')) unexpected('another redemption', story, redeemed);
    }
    if (resends === RESENDS) {
      const more = await askOnce((url, key) => calls.start(url, { phone }, key));
      if (more.status !== 429) broken['no counter goes back'].push(`the limit of ${phone}: ${told(more)}`);
    }
  }

  async function live(nth: number): Promise<void> {
    const story = await start();
    if (!story) return;
    switch (nth % 4) {
      case 0: // Too many guesses, one after the other or all together.
        for (const count of Math.random() < 0.5 ? [1, 1, 1, 1, 1, 1, 1] : [GUESSES + 2])
          await guess(story, count);
        await approve(story);
        break;
      case 1: // Left after a wrong code.
        await guess(story, 1);
        break;
      default:
        for (let wrong = some(0, 2); wrong > 0; wrong -= 1) await guess(story, 1);
        await approve(story);
        if (nth % 4 === 3) await redeem(story);
    }
    await look(story);
  }

  async function wait(stopping: AbortSignal): Promise<void> {
    const story = await start();
    if (!story) return;
    await resend(story, stopping);
    await guess(story, 1);
    await approve(story);
    await redeem(story);
    await look(story);
  }

  return {
    counts,
    broken,
    /** Resolves once the signal came and everybody has finished what they were at. */
    async work(stopping: AbortSignal): Promise<void> {
      const again = async (act: (nth: number) => Promise<void>, from: number) => {
        for (let nth = from; !stopping.aborted; nth += 1) await act(nth);
      };
      await Promise.all([
        ...Array.from({ length: BUSY_CLIENTS }, (_, nth) => again(live, nth)),
        ...Array.from({ length: PATIENT_CLIENTS }, (_, nth) => again(() => wait(stopping), nth)),
      ]);
    },
    /** Looks at everything that was ever answered. */
    async audit(): Promise<void> {
      const left = stories.values();
      const audit = async () => {
        for (const story of left) {
          await look(story);
          await insist(story);
        }
      };
      await Promise.all(Array.from({ length: AUDITORS }, audit));
    },
  };
}

/** From `low` to `high`, both included. */
const some = (low: number, high: number) => low + Math.floor(Math.random() * (high - low + 1));

/** Nobody listened there: the request never left. */
function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}
