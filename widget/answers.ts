/**
 * What the server answers, parsed into what the element works with. Anything else throws.
 *
 *     const verification = readVerification(await response.json(), clientSecret);
 *
 * By hand and not by schema, because this travels to every page: a few guards weigh nothing.
 */
import type {
  ApprovedAnswer,
  CodeShape,
  DeliveryStatus,
  Transaction,
  VerificationStatus,
  VerificationView,
  WidgetConfig,
} from '../server/contract.ts';
import type { Problem, Verification } from './flow.ts';
import { list, number, object, oneOf, optional, text, time, webAddress } from './guards.ts';

/** The configuration of the site, as far as the element uses it. */
export type Config = Pick<WidgetConfig, 'countries' | 'defaultCountry' | 'purpose'> & {
  termsUrl: string | null;
  privacyUrl: string | null;
  intent: { phoneMasked: string; transaction: Transaction | null } | null;
};

export function readConfig(value: unknown): Config {
  const config = object<WidgetConfig>(value);
  return {
    countries: list(config.countries).map(text),
    defaultCountry: optional(config.defaultCountry, text),
    purpose: optional(config.purpose, text),
    termsUrl: optional(config.termsUrl, webAddress),
    privacyUrl: optional(config.privacyUrl, webAddress),
    intent: optional(config.intent, (intent) => {
      const { phoneMasked, transaction } = object(intent);
      return { phoneMasked: text(phoneMasked), transaction: optional(transaction, readTransaction) };
    }),
  };
}

/** The secret is only in the answer to a start; afterwards the page's own copy is passed in. */
export function readVerification(value: unknown, clientSecret?: string): Verification {
  const view = object<VerificationView & { clientSecret: string }>(value);
  const delivery = object<VerificationView['delivery']>(view.delivery);
  const resend = object<VerificationView['resend']>(view.resend);
  return {
    id: text(view.id),
    clientSecret: clientSecret ?? text(view.clientSecret),
    status: oneOf(statuses, view.status),
    phone: optional(view.phone, text),
    phoneMasked: text(view.phoneMasked),
    code: readCodeShape(view.code),
    attemptsRemaining: number(view.attemptsRemaining),
    expiresAt: time(view.expiresAt),
    delivery: oneOf(deliveryStatuses, delivery.status),
    deliveryAt: time(delivery.at),
    resendAt: time(resend.at),
    resendsRemaining: number(resend.remaining),
    transaction: optional(view.transaction, readTransaction),
  };
}

export function readApproval(value: unknown): { proof: string; expiresAt: number } {
  const { proof, proofExpiresAt } = object<ApprovedAnswer>(value);
  return { proof: text(proof), expiresAt: time(proofExpiresAt) };
}

export function readProblem(value: unknown, clientSecret?: string): Problem {
  const problem = object(value);
  return {
    code: text(problem.code),
    detail: optional(problem.detail, text) ?? '',
    retryAt: optional(problem.retryAt, time),
    attemptsRemaining: optional(problem.attemptsRemaining, number),
    resend: optional(problem.resend, (resend) => {
      const { at, remaining } = object(resend);
      return { at: time(at), remaining: number(remaining) };
    }),
    verification: optional(problem.verification, (view) => readVerification(view, clientSecret)),
  };
}

function readCodeShape(value: unknown): CodeShape {
  const { length, alphabet } = object<CodeShape>(value);
  return { length: number(length), alphabet: oneOf(['numeric', 'alphanumeric'], alphabet) };
}

function readTransaction(value: unknown): Transaction {
  const { amount, currency, payee, reference } = object<Transaction>(value);
  const parsed = { amount: text(amount), currency: text(currency), payee: text(payee) };
  return reference === undefined ? parsed : { ...parsed, reference: text(reference) };
}

const statuses: readonly VerificationStatus[] = ['pending', 'approved', 'failed', 'expired', 'canceled'];
const deliveryStatuses: readonly DeliveryStatus[] = ['queued', 'sent', 'delivered', 'failed'];
