/**
 * One page's phone check in one browser: the nonce that ties a proof to it, and the intent where there is one.
 *
 *     const { nonce } = shownCheck(session, '/signup');   // while showing the page
 *     const { nonce } = postedCheck(session, '/signup');  // while judging its form
 *     endChecks(session, '/signup');                      // accepted or refused: the next visit starts anew
 *
 * A reload goes on with the same nonce and the same intent, so the code already sent still counts.
 */
import { randomBytes } from 'node:crypto';
import type { Intent, IntentRequest, PhoneProof } from './phone-proof.ts';
import type { Session } from './session.ts';

export type PhoneCheck = {
  nonce: string;
  intent?: Intent;
  /** Judged. Kept until the page is shown again, so that a form posted twice fails for being spent. */
  isOver: boolean;
};

const begin = (session: Session, page: string): PhoneCheck => {
  const check = { nonce: randomBytes(24).toString('base64url'), isOver: false };
  session.checks.set(page, check);
  return check;
};

export function shownCheck(session: Session, page: string): PhoneCheck {
  const check = session.checks.get(page);
  return check && !check.isOver ? check : begin(session, page);
}

/** The same as `shownCheck`, for pages whose number the backend names. */
export async function shownIntent(
  phoneProof: PhoneProof,
  session: Session,
  page: string,
  request: Omit<IntentRequest, 'nonce'>,
): Promise<Intent> {
  const check = shownCheck(session, page);
  const isAlive = check.intent !== undefined && check.intent.expiresAt > Date.now();
  const intent =
    isAlive && check.intent
      ? check.intent
      : await phoneProof.createIntent({ ...request, nonce: check.nonce });
  check.intent = intent;
  return intent;
}

/** Where nothing was ever shown, the nonce is new and no proof can have it. */
export function postedCheck(session: Session, page: string): PhoneCheck {
  return session.checks.get(page) ?? begin(session, page);
}

/** For the page and everything below it. */
export function endChecks(session: Session, page: string): void {
  for (const [path, check] of session.checks) if (path.startsWith(page)) check.isOver = true;
}
