/**
 * Checks a code: compared here, counted and closed in one step of the store.
 *
 *     const { proof, expiresAt } = await check(caller, 'vrf_…', opened, '123 456');
 */
import { toTimestamp } from '../clock.ts';
import type { ApprovedAnswer } from '../contract.ts';
import { guessLimits, tooManyRequests } from '../guard/limits.ts';
import { maskPhone } from '../guard/phone-number.ts';
import { Problem } from '../problem.ts';
import type { CheckFacts, Verification } from '../store/store.ts';
import type { OpenedClientSecret } from './client-secret.ts';
import { deriveCode, isSameCode, readCode } from './codes.ts';
import { type Caller, type Deps, networkKeyOf } from './deps.ts';
import { malformed } from './send.ts';
import { overProblem } from './view.ts';

export function createCheck({ store, keyring, index, clock, log, issueProof }: Deps) {
  async function approved({ site }: Caller, verification: Verification): Promise<ApprovedAnswer> {
    const { id, approvedAt } = verification;
    if (approvedAt === null) throw new Error(`${id} is approved without a time`);
    const phone = keyring.open('phone', verification.sealedPhone, id);
    const { proof, expiresAt } = await issueProof({
      verification: { ...verification, approvedAt },
      phone,
      site,
    });
    return { status: 'approved', proof, proofExpiresAt: toTimestamp(expiresAt) };
  }

  function incorrect({ attemptsRemaining, status }: Extract<CheckFacts, { kind: 'incorrect' }>): Problem {
    return new Problem('incorrect-code', { attemptsRemaining, status });
  }

  /**
   * @param opened the verification's client secret: it carries the code's seed and shape
   * @throws Problem `malformed-request` (costs no guess), `incorrect-code`, `verification-expired`,
   *   `verification-closed`, `too-many-requests`
   */
  return async function check(
    caller: Caller,
    id: string,
    opened: OpenedClientSecret,
    typed: string,
  ): Promise<ApprovedAnswer> {
    const { site, network, idempotency, requestId } = caller;
    const code = readCode(typed, opened.shape);
    if (code === undefined) throw malformed('code', describeShape(opened.shape));
    const isRight = isSameCode(code, deriveCode(opened.secret, opened.seed, id, opened.shape));
    const now = clock();
    const outcome = await store.check({
      now,
      id,
      isRight,
      guesses: guessLimits(site, networkKeyOf(index, network)),
      idempotency,
    });

    const fields = { requestId, verification: id, site: site.id };
    switch (outcome.kind) {
      case 'approved': {
        const answer = await approved(caller, outcome.verification);
        const { purpose, country, createdAt } = outcome.verification;
        log.info({ event: 'verification.approved', ...fields, purpose, country, tookMs: now - createdAt });
        return answer;
      }
      case 'incorrect':
        log.info({
          event: 'verification.incorrect',
          ...fields,
          attemptsRemaining: outcome.attemptsRemaining,
        });
        throw incorrect({ ...outcome, kind: 'incorrect' });
      case 'replayed':
        if (outcome.facts.kind === 'approved') return approved(caller, outcome.verification);
        throw incorrect(outcome.facts);
      case 'limited': {
        const phone = maskPhone(keyring.open('phone', outcome.verification.sealedPhone, id));
        log.warn({ event: 'verification.locked', ...fields, phone });
        throw tooManyRequests(outcome, now);
      }
      case 'expired':
      case 'closed':
        throw overProblem(outcome.verification, now);
      case 'missing':
        throw new Problem('verification-not-found');
      case 'idempotency-key-reused':
        throw new Problem('idempotency-key-reused');
    }
  };
}

const describeShape = ({ length, alphabet }: OpenedClientSecret['shape']) =>
  `a code here has ${length} ${alphabet === 'numeric' ? 'digits' : 'letters and digits'}`;
