/**
 * Which sentence a state is put into: the line under the field, and what is said aloud.
 *
 *     lineOf(flow, words)   // { tone: 'error', text: 'Wrong code, 3 attempts left.' }
 *
 * Pure, like the flow it puts into words.
 */
import { type Flow, isBusy, type Trouble } from './flow.ts';
import { duration, fill, fillCount, isolate } from './locales/format.ts';
import type { Messages } from './locales/index.ts';

/** Everything that sentences are made from. */
export type Words = {
  t: Messages;
  locale: string;
  /** The server's time. */
  now: number;
  /** The number is the backend's, and not typed. */
  isIntent: boolean;
};

export type Line = { tone: 'hint' | 'done' | 'error'; text: string };

export function lineOf(flow: Flow, words: Words): Line {
  const { t, locale, now } = words;
  if (flow.step === 'verified') return { tone: 'done', text: t.verified };
  const { activity } = flow;
  switch (activity.kind) {
    case 'error':
      return { tone: 'error', text: troubleText(activity.trouble, flow, words) };
    case 'waiting': {
      const { reason, retryAt } = activity;
      if (reason === 'offline') return { tone: 'error', text: t.offline };
      if (retryAt === null) return { tone: 'error', text: t.unavailable };
      return { tone: 'error', text: fill(t.unavailableFor, { time: duration(retryAt - now, locale) }) };
    }
    case 'busy':
      // That a message is being sent stands on the button.
      return activity.request.kind === 'check'
        ? { tone: 'hint', text: t.checking }
        : restingLine(flow, words);
    case 'idle':
      return restingLine(flow, words);
  }
}

function restingLine(flow: Exclude<Flow, { step: 'verified' }>, { t, isIntent }: Words): Line {
  if (flow.step === 'phone') return { tone: 'hint', text: isIntent ? t.intentHint : t.phoneHint };
  if (flow.over) return { tone: 'error', text: t.errors[overCodes[flow.over]] };
  const { delivery } = flow.verification;
  const tone = delivery === 'failed' ? 'error' : delivery === 'delivered' ? 'done' : 'hint';
  return { tone, text: t.delivery[delivery] };
}

const overCodes = {
  expired: 'verification-expired',
  failed: 'attempts-spent',
  closed: 'verification-closed',
} as const;

function troubleText({ code, until }: Trouble, flow: Flow, { t, locale, now }: Words): string {
  if (code === 'incorrect-code' && flow.step === 'code') {
    return fillCount(t.incorrectCode, flow.verification.attemptsRemaining, locale);
  }
  if (code === 'too-many-requests' && until !== null) {
    return fill(t.waitFor, { time: duration(until - now, locale) });
  }
  const isKnown = (word: string): word is keyof Messages['errors'] => Object.hasOwn(t.errors, word);
  return t.errors[isKnown(code) ? code : 'unexpected'];
}

/** What to say aloud about a change; nothing where only the eyes want to know. */
export function announcementOf(next: Flow, previous: Flow, words: Words): string | null {
  const { t } = words;
  if (isBusy(next) && !isBusy(previous)) return isChecking(next) ? t.checking : t.sending;
  const line = lineOf(next, words);
  const before = lineOf(previous, words);
  if (line.tone === 'error') {
    // Two wrong codes in a row may read the same, and are two events all the same.
    return line.text !== before.text || isBusy(previous) ? line.text : null;
  }
  if (next.step === 'code' && isBusy(previous)) {
    return fill(t.sentTo, { phone: isolate(next.verification.phoneMasked) });
  }
  return line.tone === 'done' && line.text !== before.text ? line.text : null;
}

const isChecking = (flow: Flow): boolean =>
  flow.step !== 'verified' && flow.activity.kind === 'busy' && flow.activity.request.kind === 'check';
