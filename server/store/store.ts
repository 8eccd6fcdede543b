/**
 * What the server remembers, behind one interface that every store implements alike.
 *
 *     const outcome = await store.check({ id, right, network, guesses, idempotency, now });
 *     if (outcome.kind === 'approved') …
 *
 * Each method that changes something is ONE atomic step: it reads, decides and writes with nothing in
 * between, also across processes. Limits, failed guesses and idempotency are part of the step and not
 * calls beside it, because a limit that is read first and written later is no limit. Times are
 * milliseconds since the epoch and always come from the caller. The store sees no number and no code:
 * keyed hashes and sealed text only.
 *
 * `contract.ts` holds the tests that each implementation must pass.
 */
import type { Channel, CodeShape, DeliveryStatus, Transaction } from '../contract.ts';

// ── What is kept ─────────────────────────────────────────────────────────────────────────────────

/** Fixed when the verification starts. */
export type VerificationFacts = {
  siteId: string;
  purpose: string;
  /** Sealed under the server's secret for this verification's id. */
  sealedPhone: string;
  /** Keyed hash of site and number: under it limits and failed guesses are counted. */
  phoneKey: string;
  country: string | null;
  /** True when the number came from an intent and the page must not learn it. */
  isPhoneHidden: boolean;
  code: CodeShape;
  /** base64url; the code is derived from it under the secret that `secretId` names. */
  seed: string;
  secretId: string;
  /** Host of the page, for the message's origin line. */
  host: string | null;
  locale: string | null;
  nonce: string | null;
  subject: string | null;
  transaction: Transaction | null;
  createdAt: number;
  expiresAt: number;
};

export type Verification = VerificationFacts & {
  id: string;
  /** `expired` is never stored: it is `pending` past `expiresAt` (see `statusAt`). */
  status: 'pending' | 'approved' | 'failed' | 'canceled';
  channel: Channel;
  attemptsRemaining: number;
  resendsRemaining: number;
  /** The earliest moment for another resend. */
  resendAt: number;
  /** The wait that the next resend will impose. */
  resendWaitMs: number;
  approvedAt: number | null;
};

export type Delivery = {
  id: string;
  verificationId: string;
  channel: Channel;
  provider: string;
  status: DeliveryStatus;
  providerReference: string | null;
  reason: string | null;
  createdAt: number;
  /** When `status` was reached. */
  at: number;
};

export type Intent = {
  id: string;
  siteId: string;
  purpose: string;
  sealedPhone: string;
  subject: string | null;
  transaction: Transaction | null;
  nonce: string | null;
  locale: string | null;
  createdAt: number;
  expiresAt: number;
};

export type SigningKey = {
  kid: string;
  algorithm: string;
  /** JSON of the public JWK. */
  publicJwk: string;
  /** JSON of the private JWK, sealed under the server's secret. */
  sealedPrivateJwk: string;
  createdAt: number;
  /** From then on it signs, until a later key does. */
  signsFrom: number;
};

// ── What comes into a step ───────────────────────────────────────────────────────────────────────

export type LimitScope = 'phone' | 'client' | 'site';

/**
 * One subject's limits, to be charged with one use each: at most `limit` at once, refilled evenly over
 * `windowMs` (the generic cell rate algorithm, ITU-T I.371). All charges of a step are taken or none is.
 */
export type Charge = {
  scope: LimitScope;
  /** Whom it is about: a number's key, a network's keyed hash, a site's id. Same subject, same shard. */
  subject: string;
  /** Names the record that keeps a figure for each rate, and with them the rates: others have another. */
  key: string;
  /** At least one; `policy` is the limit's name, for the answer. */
  rates: readonly (Rate & { policy: string })[];
};

/** How one limit stands after the step: `resetAt` is when it will be whole again. */
export type ChargeState = { policy: string; remaining: number; resetAt: number };

export type Rate = { limit: number; windowMs: number };

/**
 * Failed guesses, counted under a verification's `phoneKey` across verifications. `perNetwork` counts
 * those from `network` (a keyed hash), `inARow` those from anywhere. Each count ends after `windowMs`
 * without a failure, and with a right code; while it stands at its limit no guess is looked at and no
 * verification starts.
 */
export type GuessLimits = { network: string; perNetwork: Rate; inARow: Rate };

/** `key` and `fingerprint` are keyed hashes; the same key with another fingerprint is refused. */
export type Idempotency = { key: string; fingerprint: string; expiresAt: number };

/** What was answered the first time, kept so that the answer can be built again. */
export type CheckFacts =
  | { kind: 'approved' }
  | { kind: 'incorrect'; attemptsRemaining: number; status: 'pending' | 'failed' };

/** The members of a verification's answer that later events change, as they were. */
export type SendFacts = {
  deliveryId: string;
  channel: Channel;
  attemptsRemaining: number;
  resendsRemaining: number;
  resendAt: number;
};

export type StartStep = {
  now: number;
  verification: Verification;
  delivery: Delivery;
  intentId: string | null;
  charges: Charge[];
  guesses: GuessLimits;
  idempotency: Idempotency | null;
  /** Everything about this verification may be forgotten from then on. */
  forgetAt: number;
};

export type ResendStep = {
  now: number;
  id: string;
  /** Its `verificationId` is `id`. */
  delivery: Delivery;
  charges: Charge[];
  idempotency: Idempotency | null;
};

export type CheckStep = {
  now: number;
  id: string;
  /** The code was compared already; the store only counts and closes. */
  isRight: boolean;
  guesses: GuessLimits;
  idempotency: Idempotency | null;
};

export type RedeemStep = {
  now: number;
  jti: string;
  /** The proof's own end: decided here, so that a repeated call still gets its first answer. */
  expiresAt: number;
  idempotency: Idempotency | null;
  /** The mark is kept until then: the proof's end or later. */
  forgetAt: number;
};

// ── What comes out ───────────────────────────────────────────────────────────────────────────────

/** `policy` is null where too many guesses failed. */
type Limited = { kind: 'limited'; scope: LimitScope; retryAt: number; policy: string | null };
type Reused = { kind: 'idempotency-key-reused' };
type Missing = { kind: 'missing' };
type Over = { kind: 'expired' | 'closed'; verification: Verification };

export type StartOutcome =
  | { kind: 'started'; charges: ChargeState[] }
  | { kind: 'replayed'; verification: Verification; facts: SendFacts }
  | { kind: 'intent-missing' }
  | { kind: 'intent-used' }
  | Limited
  | Reused;

export type ResendOutcome =
  | { kind: 'resent'; verification: Verification; charges: ChargeState[] }
  | { kind: 'replayed'; verification: Verification; facts: SendFacts }
  | { kind: 'too-early' | 'exhausted'; verification: Verification }
  | Limited
  | Over
  | Missing
  | Reused;

export type CheckOutcome =
  | { kind: 'approved'; verification: Verification }
  | { kind: 'incorrect'; attemptsRemaining: number; status: 'pending' | 'failed'; verification: Verification }
  | { kind: 'replayed'; verification: Verification; facts: CheckFacts }
  | (Limited & { verification: Verification })
  | Over
  | Missing
  | Reused;

export type RedeemOutcome =
  | { kind: 'redeemed' | 'replayed'; redeemedAt: number }
  | { kind: 'already-redeemed'; redeemedAt: number }
  | { kind: 'expired' }
  | Reused;

// ── The store ────────────────────────────────────────────────────────────────────────────────────

export interface Store {
  /**
   * Writes a verification with its first delivery, takes the charges and uses up the intent. An intent
   * whose earlier verification expired or was canceled can start again; any other use is final.
   */
  start(step: StartStep): Promise<StartOutcome>;

  /** Takes the charges, one resend, doubles the wait and writes the delivery. Guesses and expiry stay. */
  resend(step: ResendStep): Promise<ResendOutcome>;

  /** Spends a guess or approves; a verification is approved at most once. */
  check(step: CheckStep): Promise<CheckOutcome>;

  /** Ends a pending verification. False when there is none of this id. */
  cancel(id: string, now: number): Promise<boolean>;

  find(id: string): Promise<{ verification: Verification; deliveries: Delivery[] } | undefined>;

  /**
   * Moves a delivery forward (`queued` → `sent` → `delivered` or `failed`), never back.
   * With `resendAt`, the verification's next resend may come as early as that.
   */
  settleDelivery(settled: {
    verificationId: string;
    deliveryId: string;
    status: DeliveryStatus;
    providerReference: string | null;
    reason: string | null;
    at: number;
    resendAt?: number;
  }): Promise<void>;

  /**
   * Says who hands a queued delivery to its provider: true for the first who says so, and when it says so
   * again. `by` stands as the delivery's reason until it is settled.
   */
  takeDelivery(taken: {
    verificationId: string;
    deliveryId: string;
    by: string;
    at: number;
  }): Promise<boolean>;

  addIntent(intent: Intent, forgetAt: number): Promise<void>;
  findIntent(id: string): Promise<Intent | undefined>;

  /** Marks a proof's id as redeemed, once. */
  redeem(step: RedeemStep): Promise<RedeemOutcome>;

  /** Sets every count of failed guesses for a number back to none. */
  forgetGuesses(phoneKey: string): Promise<void>;

  /** Oldest first. */
  signingKeys(): Promise<SigningKey[]>;
  /** Adds a key only if the newest stored one is still `newestKid`: of several processes one wins. */
  addSigningKey(key: SigningKey, newestKid: string | null): Promise<boolean>;
  removeSigningKey(kid: string): Promise<void>;
  /** Stores the same private key, sealed anew. */
  resealSigningKey(kid: string, sealedPrivateJwk: string): Promise<void>;

  /** A sealed value kept for good under a name: the first writer's stays. Returns what is stored. */
  keepSecret(name: string, sealed: string): Promise<string>;
  resealSecret(name: string, sealed: string): Promise<void>;

  /** Deletes what may be forgotten; returns how many things went. Bounded work per call. */
  sweep(now: number): Promise<number>;
  /** Resolves when the store can be read and written. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The engine is gone, full, locked or broken, or holds what only a newer release understands: nothing was
 * decided. Every method may throw it.
 */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** A verification's status at a moment: expiry is a matter of time, not of a write. */
export function statusAt(verification: Verification, now: number): Verification['status'] | 'expired' {
  return verification.status === 'pending' && now >= verification.expiresAt ? 'expired' : verification.status;
}
