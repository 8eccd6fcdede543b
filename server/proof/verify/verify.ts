/**
 * Every check of a proof, in one place: `createProofVerifier` runs it on backends, the server itself
 * before it redeems.
 */
import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Transaction } from '../../contract.ts';
import { PROOF_TYPE, type ProofClaims, proofAlgorithms } from '../claims.ts';

/** What the caller knows and the proof must say too. What is absent is not compared. */
export type Expectations = {
  purpose?: string;
  nonce?: string;
  /** From the caller's own records, never from the page. */
  transaction?: Transaction;
  /** The intent's subject. */
  subject?: string;
  /** Seconds since the code was accepted. */
  maxAge?: number;
};

/** As a parsed request has it: absent and undefined are the same. */
type Compared = { [Member in keyof Expectations]: Expectations[Member] | undefined } & { audience?: string };

export type ProofErrorCode =
  | 'malformed'
  | 'wrong-type'
  | 'wrong-algorithm'
  | 'bad-signature'
  | 'unknown-key'
  | 'keys-unavailable'
  | 'wrong-issuer'
  | 'wrong-audience'
  | 'expired'
  | 'not-yet-valid'
  | 'too-old'
  | 'wrong-purpose'
  | 'wrong-nonce'
  | 'wrong-transaction'
  | 'wrong-subject';

const sentences: Record<ProofErrorCode, string> = {
  malformed: 'this is not a proof: expected a signed JWT with the claims of one',
  'wrong-type': `the token is not of type ${PROOF_TYPE}`,
  'wrong-algorithm': `the token is not signed with one of ${proofAlgorithms.join(', ')}`,
  'bad-signature': 'the signature is not the issuer’s',
  'unknown-key': 'the issuer publishes no such key',
  'keys-unavailable': 'the issuer’s keys could not be fetched; try again',
  'wrong-issuer': 'the proof comes from another issuer',
  'wrong-audience': 'the proof is meant for another audience',
  expired: 'the proof has expired; ask for a new verification',
  'not-yet-valid': 'the proof is from the future; compare the clocks',
  'too-old': 'the verification is longer ago than maxAge',
  'wrong-purpose': 'the proof is for another purpose',
  'wrong-nonce': 'the proof belongs to another session',
  'wrong-transaction': 'the person approved another transaction',
  'wrong-subject': 'the proof belongs to another subject',
};

export class ProofError extends Error {
  override readonly name = 'ProofError';
  readonly code: ProofErrorCode;
  constructor(code: ProofErrorCode, options?: ErrorOptions) {
    super(sentences[code], options);
    this.code = code;
  }
}

/** Clocks of two honest machines may differ by so much. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** @throws ProofError */
export async function verifyWithKeys(
  proof: unknown,
  context: {
    keys: JWTVerifyGetKey;
    issuer: string;
    /** Not compared when absent: the server compares the site first, to name that fault instead. */
    audience?: string;
    expected: Expectations;
    now?: Date;
    /** Leaves the end of the proof to the caller. */
    mayBeExpired?: boolean;
  },
): Promise<ProofClaims> {
  if (typeof proof !== 'string' || proof === '') throw new ProofError('malformed');
  const { keys, issuer, audience, expected, now = new Date(), mayBeExpired = false } = context;
  const verified = await jwtVerify(proof, keys, {
    algorithms: [...proofAlgorithms],
    typ: PROOF_TYPE,
    issuer,
    ...(audience !== undefined && { audience }),
    currentDate: now,
    ...(mayBeExpired && { clockTolerance: Number.MAX_SAFE_INTEGER }),
    requiredClaims: ['iat', 'exp', 'auth_time', 'jti', 'purpose', 'site', 'verification_id'],
  }).catch((error: unknown) => {
    throw toProofError(error);
  });
  const claims = verified.payload;
  if (!isProofClaims(claims)) throw new ProofError('malformed');

  const nowSeconds = Math.floor(now.getTime() / 1_000);
  if (claims.iat > nowSeconds + CLOCK_TOLERANCE_SECONDS) throw new ProofError('not-yet-valid');
  const { maxAge } = expected;
  if (maxAge !== undefined && nowSeconds - claims.auth_time > maxAge) throw new ProofError('too-old');
  assertExpected(claims, expected);
  return claims;
}

/**
 * A member that is there but undefined is a value that got lost on its way (a session without a nonce):
 * to skip that comparison would accept anybody's proof.
 *
 * @throws TypeError
 */
export function assertDefined(expected: Expectations): void {
  for (const [name, value] of Object.entries(expected)) {
    if (value === undefined || value === null) {
      throw new TypeError(
        `verify() was told to compare ${name}, and given ${value}: leave it out or give a value`,
      );
    }
  }
}

/**
 * Compares what the caller knows with what a genuine proof says.
 *
 * @throws ProofError
 */
export function assertExpected(
  claims: ProofClaims,
  { audience, purpose, nonce, subject, transaction }: Compared,
): void {
  if (audience !== undefined && claims.aud !== audience) throw new ProofError('wrong-audience');
  if (purpose !== undefined && claims.purpose !== purpose) throw new ProofError('wrong-purpose');
  if (nonce !== undefined && claims.nonce !== nonce) throw new ProofError('wrong-nonce');
  if (subject !== undefined && claims.sub !== subject) throw new ProofError('wrong-subject');
  if (transaction && !isSameTransaction(claims.transaction, transaction)) {
    throw new ProofError('wrong-transaction');
  }
}

/** The signature vouches for the content; this only makes sure that the issuer is of our kind. */
function isProofClaims(claims: object): claims is ProofClaims {
  const has = (name: keyof ProofClaims, type: string) => typeof Reflect.get(claims, name) === type;
  return (
    has('iat', 'number') &&
    has('exp', 'number') &&
    has('auth_time', 'number') &&
    has('jti', 'string') &&
    has('purpose', 'string') &&
    has('site', 'string') &&
    has('verification_id', 'string') &&
    Reflect.get(claims, 'phone_number_verified') === true
  );
}

const isSameTransaction = (actual: Transaction | null | undefined, expected: Transaction): boolean =>
  actual?.amount === expected.amount &&
  actual.currency === expected.currency &&
  actual.payee === expected.payee &&
  actual.reference === expected.reference;

function toProofError(error: unknown): ProofError {
  const options = { cause: error };
  if (error instanceof errors.JWTExpired) return new ProofError('expired', options);
  if (error instanceof errors.JWTClaimValidationFailed) {
    const codes: Record<string, ProofErrorCode> = {
      iss: 'wrong-issuer',
      aud: 'wrong-audience',
      typ: 'wrong-type',
      nbf: 'not-yet-valid',
    };
    return new ProofError(codes[error.claim] ?? 'malformed', options);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return new ProofError('bad-signature', options);
  if (error instanceof errors.JOSEAlgNotAllowed) return new ProofError('wrong-algorithm', options);
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    return new ProofError('unknown-key', options);
  }
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) {
    return new ProofError('keys-unavailable', options);
  }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return new ProofError('malformed', options);
  }
  if (error instanceof errors.JOSENotSupported) return new ProofError('wrong-algorithm', options);
  // What is left comes from fetching the keys.
  return new ProofError('keys-unavailable', options);
}
