/**
 * The wire contract: what requests carry and what answers look like, as zod schemas.
 *
 * The routes validate with them, `GET /openapi.json` is generated from them, and the element imports
 * their types (types only: nothing of this file reaches the page).
 *
 *     const body = startRequest.parse(json);
 *     type Answer = z.infer<typeof verificationView>;
 */
import { z } from 'zod';

/** JSON member lengths are capped well below the 16 KiB body limit, so that nothing odd is stored or sent. */
const shortText = z.string().min(1).max(128);

/** `registration`, `password_reset`, … or a slug of the site's own. */
export const purposeName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,63}$/, 'a purpose is a lower-case slug such as "registration"');

export const channel = z.enum(['sms']);
export type Channel = z.infer<typeof channel>;

export const codeAlphabet = z.enum(['numeric', 'alphanumeric']);
export type CodeAlphabet = z.infer<typeof codeAlphabet>;

export const codeShape = z.object({
  length: z.int().min(4).max(10),
  alphabet: codeAlphabet,
});
export type CodeShape = z.infer<typeof codeShape>;

const countryCode = z.string().regex(/^[A-Z]{2}$/, 'a country is two capital letters (ISO 3166-1 alpha-2)');

/** As typed by a person: parsed by the domain, never by a pattern. */
const writtenPhone = z.string().min(1).max(64);

const locale = z
  .string()
  .max(35)
  .regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, 'a locale is a BCP 47 tag such as "en" or "pt-BR"');

/** Opaque to us; echoed into the proof. 255 is the customary ceiling for an OIDC nonce. */
const nonce = z.string().min(1).max(255);

/**
 * One line of visible text: no control, format or bidirectional-override character can reorder or
 * break the message in which it is shown. Joiners stay: Persian, Bengali and some emoji are written with
 * them. Nothing is trimmed, because the proof must say exactly what the caller said.
 */
const visibleLine = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^(?:[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|[\u200c\u200d])+$/u, 'must be one line of visible text')
    .refine((text) => text === text.trim(), 'must not begin or end with white space');

/** A message that asks for money and holds a link is what everybody is told never to trust. */
const hasNoLink = (text: string) => !/:\/\/|\bwww\./i.test(text);

const currencies = new Set(Intl.supportedValuesOf('currency'));

/** What the person approves: shown in the element and in the message, and bound into the proof. */
export const transaction = z.object({
  amount: z
    .string()
    .regex(/^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$/, 'an amount is a decimal string such as "250.00"'),
  currency: z.string().refine((code) => currencies.has(code), 'a currency is an ISO 4217 code such as "EUR"'),
  payee: visibleLine(64).refine(hasNoLink, 'must not hold a link'),
  reference: visibleLine(64).refine(hasNoLink, 'must not hold a link').optional(),
});
export type Transaction = z.infer<typeof transaction>;

// ── From the page ────────────────────────────────────────────────────────────────────────────────

export const widgetConfigQuery = z.object({
  siteKey: shortText,
  intent: shortText.optional(),
  purpose: purposeName.optional(),
});

const startByPhone = z.object({
  siteKey: shortText,
  phone: writtenPhone,
  country: countryCode.optional(),
  purpose: purposeName,
  channel: channel.optional(),
  locale: locale.optional(),
  nonce: nonce.optional(),
});

const startByIntent = z.object({
  siteKey: shortText,
  intent: shortText,
  channel: channel.optional(),
  locale: locale.optional(),
});

export const startBody = z.union([startByIntent, startByPhone]);
export type StartRequest = z.infer<typeof startBody>;

/** By intent when the body names one, by phone otherwise: each form reports its own missing members. */
export const startRequest = z.unknown().transform((body, context): StartRequest => {
  const isByIntent = typeof body === 'object' && body !== null && 'intent' in body;
  const parsed = (isByIntent ? startByIntent : startByPhone).safeParse(body);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path, message });
  return z.NEVER;
});

export const resendRequest = z.object({ channel: channel.optional() });

export const checkRequest = z.object({ code: z.string().min(1).max(64) });

// ── From the site's backend ──────────────────────────────────────────────────────────────────────

export const intentRequest = z.object({
  phone: writtenPhone,
  country: countryCode.optional(),
  purpose: purposeName,
  subject: visibleLine(255).optional(),
  transaction: transaction.optional(),
  nonce: nonce.optional(),
  locale: locale.optional(),
  /** Seconds. */
  expiresIn: z.int().min(30).max(86_400).optional(),
});
export type IntentRequest = z.infer<typeof intentRequest>;

export const redeemRequest = z.object({
  proof: z.string().min(1).max(8192),
  purpose: purposeName.optional(),
  nonce: nonce.optional(),
  transaction: transaction.optional(),
});
export type RedeemRequest = z.infer<typeof redeemRequest>;

// ── Answers ──────────────────────────────────────────────────────────────────────────────────────

const timestamp = z.iso.datetime();

export const verificationStatus = z.enum(['pending', 'approved', 'failed', 'expired', 'canceled']);
export type VerificationStatus = z.infer<typeof verificationStatus>;

export const deliveryStatus = z.enum(['queued', 'sent', 'delivered', 'failed']);
export type DeliveryStatus = z.infer<typeof deliveryStatus>;

export const verificationView = z.object({
  id: z.string(),
  status: verificationStatus,
  purpose: z.string(),
  channel,
  phone: z.string().nullable(),
  phoneMasked: z.string(),
  code: codeShape,
  attemptsRemaining: z.int(),
  expiresAt: timestamp,
  delivery: z.object({ status: deliveryStatus, channel, at: timestamp }),
  resend: z.object({ at: timestamp, remaining: z.int(), channels: z.array(channel) }),
  transaction: transaction.nullable(),
});
export type VerificationView = z.infer<typeof verificationView>;

export const startedVerification = verificationView.extend({ clientSecret: z.string() });
export type StartedVerification = z.infer<typeof startedVerification>;

/** What only the site's backend may see beside it. */
export const backendVerificationView = verificationView.extend({
  subject: z.string().nullable(),
  createdAt: timestamp,
  approvedAt: timestamp.nullable(),
  deliveries: z.array(
    z.object({
      id: z.string(),
      status: deliveryStatus,
      channel,
      provider: z.string(),
      providerReference: z.string().nullable(),
      reason: z.string().nullable(),
      createdAt: timestamp,
      at: timestamp,
    }),
  ),
});
export type BackendVerificationView = z.infer<typeof backendVerificationView>;

export const approvedAnswer = z.object({
  status: z.literal('approved'),
  proof: z.string(),
  proofExpiresAt: timestamp,
});
export type ApprovedAnswer = z.infer<typeof approvedAnswer>;

/** `claims` are the proof's, as `phone-proof/verify` types them. */
export const redeemedAnswer = z.object({
  active: z.literal(true),
  claims: z.record(z.string(), z.unknown()),
  redeemedAt: timestamp,
});

export const intentAnswer = z.object({ intent: z.string(), phoneMasked: z.string(), expiresAt: timestamp });

export const widgetConfig = z.object({
  brand: z.string(),
  countries: z.array(z.string()),
  defaultCountry: z.string().nullable(),
  purpose: z.string().nullable(),
  code: codeShape,
  channels: z.array(channel),
  termsUrl: z.string().optional(),
  privacyUrl: z.string().optional(),
  intent: z.object({ phoneMasked: z.string(), transaction: transaction.optional() }).optional(),
});
export type WidgetConfig = z.infer<typeof widgetConfig>;

/** The machine's words of RFC 9457 answers. The element localises by these. */
export const problemCode = z.enum([
  'malformed-request',
  'invalid-key',
  'origin-not-allowed',
  'blocked',
  'intent-required',
  'not-found',
  'intent-not-found',
  'intent-used',
  'verification-not-found',
  'verification-closed',
  'verification-expired',
  'resends-exhausted',
  'resend-too-early',
  'idempotency-key-reused',
  'proof-redeemed',
  'invalid-proof',
  'payload-too-large',
  'unsupported-media-type',
  'invalid-phone',
  'country-not-allowed',
  'number-type-not-allowed',
  'incorrect-code',
  'too-many-requests',
  'delivery-failed',
  'internal-error',
  'unavailable',
]);
export type ProblemCode = z.infer<typeof problemCode>;

/**
 * RFC 9457 problem details; the members beside the standard ones depend on `code`. Where a verification
 * is over or a code was wrong, `status` is the verification's; RFC 9457 §3.1 has consumers take the
 * HTTP status from the answer itself then.
 */
export const problemBody = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.union([z.int(), verificationStatus]),
  detail: z.string(),
  instance: z.string(),
  code: problemCode,
});
export type ProblemBody = z.infer<typeof problemBody>;
