/**
 * What the person reads: brand, code, what it is for, and the line by which the phone fills it in.
 *
 *     renderMessage({ locale: 'en-GB', purpose: 'login', brand: 'Demo Shop', code: '493027', host: 'shop.example' });
 *     // Demo Shop: 493027 is your code to sign in. Never share it, not even with us.
 *     // @shop.example #493027
 *
 * Another language is one file beside `en.ts` and one line in `catalogues`.
 */
import type { Transaction } from '../../contract.ts';
import { formatAmount } from './amount.ts';
import type { Catalogue, KnownPurpose } from './catalogue.ts';
import { en } from './en.ts';
import { countSegments } from './segments.ts';

/** By BCP 47 tag, in lower case. */
const catalogues = new Map<string, Catalogue>([['en', en]]);
const FALLBACK = { tag: 'en', catalogue: en };

export type MessageContent = {
  /** As asked for, a BCP 47 tag. The nearest language we have is taken, English in the end. */
  locale: string;
  /** One of the seven, or a site's own. */
  purpose: string;
  brand: string;
  code: string;
  transaction?: Transaction;
  /** Of the page that asked, without a port. Absent where it is not known: the phone then cannot tell where to fill in. */
  host?: string;
};

/**
 * The fullest text that costs the fewest segments. What one segment cannot hold goes in this order: the warning, the
 * words for the purpose, the reference of a transaction. Code, amount, payee and origin line never do.
 */
export function renderMessage(content: MessageContent): string {
  const { locale, brand, code, transaction, host } = content;
  const said = { brand: plainQuotes(flatten(brand)), code };
  if (!transaction) return withOrigin(fill(plainTemplate(content, said), said), code, host);
  const { catalogue, formattingLocale } = lookup(locale);
  const sentences = approvals(catalogue, said, transaction, formattingLocale);
  return withOrigin(
    fullest([`${sentences[0]} ${catalogue.warning}`, ...sentences], (sentence) =>
      withOrigin(sentence, code, host),
    ),
    code,
    host,
  );
}

/** Of sentences that say less and less, the first that costs the fewest segments as a message. */
function fullest(sentences: [string, ...string[]], messageOf: (sentence: string) => string): string {
  const segmentsOf = (sentence: string) => countSegments(messageOf(sentence)).segments;
  return sentences.reduce((best, next) => (segmentsOf(next) < segmentsOf(best) ? next : best));
}

/** Which words a purpose of a site gets is the same for every code of a length: worked out once. */
const plainTemplates = new Map<string, string>();
/** Locales and hosts may be anybody's. */
const MAX_PLAIN_TEMPLATES = 1_000;

function plainTemplate(content: MessageContent, said: Record<string, string>): string {
  const { locale, purpose, brand, code, host } = content;
  const key = JSON.stringify([locale, purpose, brand, code.length, host]);
  const known = plainTemplates.get(key);
  if (known !== undefined) return known;
  const { catalogue } = lookup(locale);
  const words = wordsFor(catalogue, purpose);
  const template = fullest([`${words} ${catalogue.warning}`, words, catalogue.code], (one) =>
    withOrigin(fill(one, said), code, host),
  );
  if (plainTemplates.size >= MAX_PLAIN_TEMPLATES) plainTemplates.clear();
  plainTemplates.set(key, template);
  return template;
}

function approvals(
  { approval, shortApproval }: Catalogue,
  said: Record<string, string>,
  transaction: Transaction,
  formattingLocale: string,
): string[] {
  const amount = formatAmount(transaction, formattingLocale);
  const payee = flatten(transaction.payee);
  const values = { ...said, amount, payee };
  if (transaction.reference === undefined) return [fill(approval, values), fill(shortApproval, values)];

  const withReference = { ...values, payee: `${payee} (${flatten(transaction.reference)})` };
  return [fill(approval, withReference), fill(shortApproval, withReference), fill(shortApproval, values)];
}

function wordsFor({ purposes, code }: Catalogue, purpose: string): string {
  return isKnown(purpose, purposes) ? purposes[purpose] : code;
}

/** Own names only: `constructor` is a slug, too. */
const isKnown = (purpose: string, purposes: Catalogue['purposes']): purpose is KnownPurpose =>
  Object.hasOwn(purposes, purpose);

/** In one pass, so that a brand called `{code}` stays what it is. */
function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (placeholder, name: string) => values[name] ?? placeholder);
}

// ── The origin line ──────────────────────────────────────────────────────────────────────────────

/**
 * WICG sms-one-time-codes: the last line, `@host #code` and nothing else, binds the code to the site, so that a phone
 * fills it in there and nowhere else.
 */
function withOrigin(text: string, code: string, host: string | undefined): string {
  // Where the sentence is the last line, a brand or payee must not make a binding of it.
  const sentence = text.replace(/@(?=\S+ #)/g, '');
  return host !== undefined && isHost(host) ? `${sentence}\n@${host} #${code}` : sentence;
}

/** As `URL` gives it: lower case, international names in Punycode. */
const isHost = (host: string) => /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(host);

// ── What others wrote ────────────────────────────────────────────────────────────────────────────

/** One line of visible text, whatever it was: nothing in it can break the line or turn its direction. */
function flatten(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zs}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\p{Cf}/gu, '')
    .trim();
}

/** Typesetters' quotes and dashes in a brand would turn every message into UCS-2. A payee stays as it was signed. */
function plainQuotes(brand: string): string {
  return brand
    .replace(/[\u2018\u2019]/g, "'")
    .replace(/[\u201c\u201d]/g, '"')
    .replace(/[\u2010-\u2015]/g, '-')
    .replace(/\u2026/g, '...');
}

// ── The language ─────────────────────────────────────────────────────────────────────────────────

/** BCP 47 lookup (RFC 4647 §3.4): from the right, a subtag at a time. */
function lookup(locale: string): { catalogue: Catalogue; formattingLocale: string } {
  const tag = canonical(locale);
  const subtags = tag?.toLowerCase().split('-') ?? [];
  for (let length = subtags.length; length > 0; length -= 1) {
    const catalogue = catalogues.get(subtags.slice(0, length).join('-'));
    if (catalogue && tag) return { catalogue, formattingLocale: tag };
  }
  return { catalogue: FALLBACK.catalogue, formattingLocale: FALLBACK.tag };
}

/** Without extensions: `en-u-nu-arab` would write the amount in other digits than the sentence around it. */
function canonical(locale: string): string | undefined {
  try {
    return new Intl.Locale(locale).baseName;
  } catch {
    return undefined;
  }
}
