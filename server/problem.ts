/**
 * What can go wrong, as one error type.
 *
 *     throw new Problem('resend-too-early', { resend });
 *
 * The domain throws it where it decides; `routes/errors.ts` alone turns it into an RFC 9457 answer.
 */
import type { ProblemCode } from './contract.ts';

type Status = 400 | 401 | 403 | 404 | 409 | 410 | 413 | 415 | 422 | 429 | 500 | 502 | 503;

type Kind = { status: Status; title: string; detail: string };

/** One row per `code`: its HTTP status, its title, and what to do about it. */
export const problems: Record<ProblemCode, Kind> = {
  'malformed-request': {
    status: 400,
    title: 'Malformed request',
    detail: 'The request does not have the expected form; `errors` names each member that is wrong.',
  },
  'invalid-key': {
    status: 401,
    title: 'Invalid key',
    detail:
      'The site key or secret key is unknown. Use the pk_… key on the page and the sk_… key on the backend.',
  },
  'origin-not-allowed': {
    status: 403,
    title: 'Origin not allowed',
    detail: 'This origin is not among the allowedOrigins of the site.',
  },
  blocked: { status: 403, title: 'Blocked', detail: 'This request is refused.' },
  'intent-required': {
    status: 403,
    title: 'Intent required',
    detail: 'This purpose starts from an intent: create one with POST /v1/intents on the backend.',
  },
  'not-found': { status: 404, title: 'Not found', detail: 'There is nothing at this address.' },
  'intent-not-found': {
    status: 404,
    title: 'Intent not found',
    detail: 'The intent does not exist or has expired. Create a new one.',
  },
  'intent-used': {
    status: 409,
    title: 'Intent used',
    detail: 'A verification was already started from this intent. Create a new one.',
  },
  'verification-not-found': {
    status: 404,
    title: 'Verification not found',
    detail: 'There is no such verification, or the client secret is not its own.',
  },
  'verification-closed': {
    status: 409,
    title: 'Verification closed',
    detail: 'This verification is over. Start a new one.',
  },
  'verification-expired': {
    status: 410,
    title: 'Verification expired',
    detail: 'The code has expired. Start a new verification.',
  },
  'resends-exhausted': {
    status: 409,
    title: 'Resends exhausted',
    detail: 'The code cannot be sent again. Start a new verification once this one is over.',
  },
  'resend-too-early': {
    status: 429,
    title: 'Resend too early',
    detail: 'Wait until `resend.at` before asking for the code again.',
  },
  'idempotency-key-reused': {
    status: 409,
    title: 'Idempotency key reused',
    detail: 'This Idempotency-Key was used with another request. Use a new key for each new request.',
  },
  'proof-redeemed': {
    status: 409,
    title: 'Proof already redeemed',
    detail: 'This proof has been redeemed before. Ask for a new verification.',
  },
  'invalid-proof': {
    status: 422,
    title: 'Invalid proof',
    detail: 'The proof is not acceptable; `reason` says why.',
  },
  'payload-too-large': {
    status: 413,
    title: 'Payload too large',
    detail: 'A request body may have at most 16 KiB.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    detail: 'Send the body as application/json in UTF-8.',
  },
  'invalid-phone': {
    status: 422,
    title: 'Invalid phone number',
    detail: 'This is not a valid phone number. Check the digits and the country.',
  },
  'country-not-allowed': {
    status: 422,
    title: 'Country not allowed',
    detail: 'Numbers of this country are not accepted here.',
  },
  'number-type-not-allowed': {
    status: 422,
    title: 'Number type not allowed',
    detail: 'This number cannot receive a text message. Use a mobile number.',
  },
  'incorrect-code': {
    status: 422,
    title: 'Incorrect code',
    detail: 'The code is not the one that was sent.',
  },
  'too-many-requests': { status: 429, title: 'Too many requests', detail: 'A limit is reached.' },
  'delivery-failed': {
    status: 502,
    title: 'Delivery failed',
    detail: 'The message could not be handed to the operator. It can be sent again.',
  },
  'internal-error': {
    status: 500,
    title: 'Internal error',
    detail: 'Something went wrong here. The log has it under the request id.',
  },
  unavailable: {
    status: 503,
    title: 'Unavailable',
    detail: 'The service cannot decide safely right now. Nothing was sent or spent; try again shortly.',
  },
};

/** One item of the RateLimit field (draft-ietf-httpapi-ratelimit-headers). */
export type RateLimitState = { policy: string; remaining: number; resetSeconds: number };

export type ProblemOptions = {
  /** In place of the usual sentence. */
  detail?: string;
  /** Whole seconds for `Retry-After`. */
  retryAfterSeconds?: number;
  /** How the limit that refused stands. */
  rateLimit?: RateLimitState;
  cause?: unknown;
};

export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  /** The members named beside the standard ones in the answer. */
  readonly members: Record<string, unknown>;
  readonly retryAfterSeconds: number | undefined;
  readonly rateLimit: RateLimitState | undefined;

  constructor(code: ProblemCode, members: Record<string, unknown> = {}, options: ProblemOptions = {}) {
    super(options.detail ?? problems[code].detail, { cause: options.cause });
    this.code = code;
    this.members = members;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.rateLimit = options.rateLimit;
  }
}
