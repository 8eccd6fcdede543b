/**
 * Every text of the element. A language is one file that fills this type with plain data:
 *
 *     export default { phoneLabel: 'Mobile number', … } satisfies Messages;
 *
 * `{name}` is a placeholder; a text that counts something has one form per plural category of the
 * language (`Intl.PluralRules`), of which `other` is always there.
 */
import type { ProblemCode } from '../../server/contract.ts';

export type Plural = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

/** What only a site's backend can meet; in a page it would be a bug, and reads as 'unexpected'. */
type BackendOnly =
  | 'not-found'
  | 'proof-redeemed'
  | 'invalid-proof'
  | 'payload-too-large'
  | 'unsupported-media-type'
  | 'internal-error'
  | 'idempotency-key-reused'
  | 'malformed-request'
  | 'incorrect-code'
  | 'unavailable';

/** What the element finds out by itself. */
export type LocalCode = 'phone-missing' | 'phone-too-short' | 'attempts-spent' | 'proof-expired';

export type Messages = {
  phoneLabel: string;
  countryLabel: string;
  phoneHint: string;
  send: string;
  sending: string;
  terms: string;
  privacy: string;

  /** With an intent: the number is known to the server, and only its mask to the page. */
  intentLabel: string;
  intentTarget: string;
  intentHint: string;
  approving: string;
  payee: string;
  reference: string;

  codeLabelNumeric: string;
  codeLabelAlphanumeric: string;
  sentTo: string;
  change: string;
  changeLabel: string;
  delivery: Record<'queued' | 'sent' | 'delivered' | 'failed', string>;
  checking: string;
  resend: string;
  resendIn: string;
  noMoreResends: string;
  renew: string;

  offline: string;
  unavailable: string;
  unavailableFor: string;
  retry: string;

  verified: string;

  /** Spoken only. */
  resendReady: string;
  expiresSoon: string;

  /** The browser's own bubble when a required element is submitted unverified. */
  requiredPhone: string;
  requiredCode: string;

  incorrectCode: Plural;
  waitFor: string;
  errors: Record<Exclude<ProblemCode, BackendOnly> | LocalCode | 'unexpected', string>;
};
