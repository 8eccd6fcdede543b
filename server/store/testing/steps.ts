/**
 * Steps for tests of a store: whole and plausible, with only what a test is about written out.
 *
 *     const step = startStep({ now: T0, phone: 'alice' });
 *     await store.start(step);
 *     await store.check(checkStep(step, { now: T0 + SECOND, isRight: true }));
 */
import { createHash } from 'node:crypto';
import type {
  Charge,
  CheckStep,
  Delivery,
  GuessLimits,
  Idempotency,
  Intent,
  LimitScope,
  RedeemStep,
  ResendStep,
  SigningKey,
  StartStep,
  Verification,
} from '../store.ts';

export const T0 = Date.parse('2026-03-01T12:00:00Z');
export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

/** What stands for a number or a network in the store: a keyed hash's looks, told apart by name. */
export const keyOf = (name: string): string => createHash('sha256').update(name).digest('base64url');

let serial = 0;

/** As the server makes them: prefix, the number's shard tag, 22 characters. */
export const idOf = (prefix: 'vrf' | 'dlv' | 'int', phone: string): string => {
  serial += 1;
  return `${prefix}_${keyOf(phone).slice(0, 2)}${String(serial).padStart(22, '0')}`;
};

export function verificationOf({
  now,
  phone = 'alice',
  ...overrides
}: { now: number; phone?: string } & Partial<Verification>): Verification {
  return {
    id: idOf('vrf', phone),
    siteId: 'shop',
    purpose: 'checkout',
    sealedPhone: `sealed ${phone}`,
    phoneKey: keyOf(phone),
    country: 'NL',
    isPhoneHidden: false,
    code: { length: 6, alphabet: 'numeric' },
    seed: 'AAECAwQFBgcICQoLDA0ODw',
    secretId: 'q83v',
    host: 'shop.example',
    locale: 'nl-NL',
    nonce: null,
    subject: null,
    transaction: null,
    createdAt: now,
    expiresAt: now + 5 * MINUTE,
    status: 'pending',
    channel: 'sms',
    attemptsRemaining: 5,
    resendsRemaining: 3,
    resendAt: now + 30 * SECOND,
    resendWaitMs: 60 * SECOND,
    approvedAt: null,
    ...overrides,
  };
}

export function deliveryOf(
  { id, phoneKey }: Pick<Verification, 'id' | 'phoneKey'>,
  { now, ...overrides }: { now: number } & Partial<Delivery>,
): Delivery {
  serial += 1;
  return {
    id: `dlv_${phoneKey.slice(0, 2)}${String(serial).padStart(22, '0')}`,
    verificationId: id,
    channel: 'sms',
    provider: 'simulator',
    status: 'queued',
    providerReference: null,
    reason: null,
    createdAt: now,
    at: now,
    ...overrides,
  };
}

export const intentOf = ({ now, ...overrides }: { now: number } & Partial<Intent>): Intent => ({
  id: idOf('int', 'alice'),
  siteId: 'shop',
  purpose: 'transaction',
  sealedPhone: 'sealed alice',
  subject: 'user 7',
  transaction: { amount: '250.00', currency: 'EUR', payee: 'Jansen' },
  nonce: 'n-1',
  locale: 'nl',
  createdAt: now,
  expiresAt: now + 15 * MINUTE,
  ...overrides,
});

export const chargeOf = (
  scope: LimitScope,
  name: string,
  ...rates: { limit: number; windowMs: number }[]
): Charge => ({
  scope,
  subject: keyOf(name),
  key: `shop|${scope}|${keyOf(name)}|${rates.map(({ limit, windowMs }) => `${limit}/${windowMs}`)}`,
  rates: rates.map((rate) => ({ ...rate, policy: `${scope}-${rate.windowMs / 1_000}` })),
});

/** The rates are the server's defaults. */
export const guessesFrom = (network: string, overrides: Partial<GuessLimits> = {}): GuessLimits => ({
  network: keyOf(network),
  perNetwork: { limit: 10, windowMs: DAY },
  inARow: { limit: 100, windowMs: 30 * DAY },
  ...overrides,
});

export const idempotencyOf = (
  key: string,
  { now, body = 'the body', ttlMs = 10 * MINUTE }: { now: number; body?: string; ttlMs?: number },
): Idempotency => ({ key: keyOf(`key ${key}`), fingerprint: keyOf(`body ${body}`), expiresAt: now + ttlMs });

export function startStep({
  now,
  phone = 'alice',
  network = 'home',
  verification = verificationOf({ now, phone }),
  ...overrides
}: { now: number; phone?: string; network?: string } & Partial<StartStep>): StartStep {
  return {
    now,
    verification,
    delivery: deliveryOf(verification, { now }),
    intentId: null,
    charges: [],
    guesses: guessesFrom(network),
    idempotency: null,
    forgetAt: now + DAY,
    ...overrides,
  };
}

type Started = Pick<StartStep, 'verification'>;

export function resendStep(
  { verification }: Started,
  { now, ...overrides }: { now: number } & Partial<ResendStep>,
): ResendStep {
  return {
    now,
    id: verification.id,
    delivery: deliveryOf(verification, { now }),
    charges: [],
    idempotency: null,
    ...overrides,
  };
}

export function checkStep(
  { verification }: Started,
  { now, network = 'home', ...overrides }: { now: number; network?: string } & Partial<CheckStep>,
): CheckStep {
  return {
    now,
    id: verification.id,
    isRight: false,
    guesses: guessesFrom(network),
    idempotency: null,
    ...overrides,
  };
}

export const redeemStep = ({
  now,
  jti,
  idempotency = null,
  expiresAt = now + HOUR,
  forgetAt = now + HOUR,
}: Pick<RedeemStep, 'now' | 'jti'> & Partial<RedeemStep>): RedeemStep => ({
  now,
  jti,
  expiresAt,
  idempotency,
  forgetAt,
});

export const signingKeyOf = ({ kid, ...overrides }: { kid: string } & Partial<SigningKey>): SigningKey => ({
  kid,
  algorithm: 'ES256',
  publicJwk: JSON.stringify({ kty: 'EC', kid }),
  sealedPrivateJwk: `sealed ${kid}`,
  createdAt: T0,
  signsFrom: T0,
  ...overrides,
});
