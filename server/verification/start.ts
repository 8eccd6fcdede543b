/**
 * Starts a verification: one step that takes the limits, uses up the intent and writes the row, then one
 * message.
 *
 *     const { verification, rateLimit } = await start(caller, { phone: '06 1234 5678', country: 'NL', … }, host);
 */
import type { PurposeConfig } from '../config.ts';
import type { StartedVerification, StartRequest } from '../contract.ts';
import { tightest, tooManyRequests } from '../guard/limits.ts';
import { assertReachable, type ParsedPhone, parsePhone } from '../guard/phone-number.ts';
import { Problem, type RateLimitState } from '../problem.ts';
import { randomBytes } from '../random.ts';
import { countriesOf, purposeOf } from '../sites.ts';
import type { Delivery, Intent, Verification } from '../store/store.ts';
import { clientSecretOf } from './client-secret.ts';
import { SEED_BYTES } from './codes.ts';
import { type Caller, type Deps, openPhone, phoneKeyOf } from './deps.ts';
import { newId, shardOf } from './ids.ts';
import { channelOf, malformed, type Sender, type StateAtSend, viewAtSend } from './send.ts';

export type Started = { verification: StartedVerification; rateLimit: RateLimitState | undefined };

/** What is to be verified, wherever it came from. */
type Target = {
  phone: ParsedPhone;
  purpose: string;
  policy: PurposeConfig;
  intent: Intent | null;
  nonce: string | null;
  locale: string | null;
};

export function createStart(deps: Deps, sender: Sender) {
  const { store, keyring, index, clock, log } = deps;

  async function targetOf({ site }: Caller, request: StartRequest): Promise<Target> {
    if ('intent' in request) {
      const intent = await store.findIntent(request.intent);
      const policy = intent && purposeOf(site, intent.purpose);
      const written = intent && openPhone(keyring, intent);
      // Whether it has expired is decided with the rest of the step: a repeated start gets its first answer.
      if (!intent || !policy || intent.siteId !== site.id || written === undefined) {
        throw new Problem('intent-not-found');
      }
      const phone = parsePhone(written);
      const locale = request.locale ?? intent.locale;
      return { phone, purpose: intent.purpose, policy, intent, nonce: intent.nonce, locale };
    }
    const { purpose, nonce = null, locale = null } = request;
    const policy = purposeOf(site, purpose);
    if (!policy) throw malformed('purpose', 'this site has no such purpose');
    if (policy.requiresIntent || policy.requiresTransaction) throw new Problem('intent-required');
    const phone = parsePhone(request.phone, request.country);
    assertReachable(phone, { countries: countriesOf(site, policy) });
    return { phone, purpose, policy, intent: null, nonce, locale };
  }

  /** @param host of the page that asks, for the message's origin line */
  return async function start(caller: Caller, request: StartRequest, host: string | null): Promise<Started> {
    const { site, idempotency, requestId } = caller;
    const target = await targetOf(caller, request);
    const { phone, purpose, policy, intent } = target;
    const channel = channelOf(policy, request.channel);
    const now = clock();

    const phoneKey = phoneKeyOf(index, site.id, phone.e164);
    const id = newId('vrf', shardOf(phoneKey));
    const seed = randomBytes(SEED_BYTES);
    const secret = keyring.newest;
    const verification: Verification = {
      id,
      siteId: site.id,
      purpose,
      sealedPhone: keyring.seal('phone', phone.e164, id),
      phoneKey,
      country: phone.country,
      isPhoneHidden: intent !== null,
      code: policy.code,
      seed: seed.toString('base64url'),
      secretId: secret.id.toString('base64url'),
      host,
      locale: target.locale,
      nonce: target.nonce,
      subject: intent?.subject ?? null,
      transaction: intent?.transaction ?? null,
      createdAt: now,
      expiresAt: now + policy.codeTtl,
      status: 'pending',
      channel,
      attemptsRemaining: policy.guesses,
      resendsRemaining: policy.resends,
      resendAt: now + policy.resendWait,
      resendWaitMs: policy.resendWait * 2,
      approvedAt: null,
    };
    const delivery = sender.newDelivery(id, phoneKey, channel, now);

    const step = store.start({
      now,
      verification,
      delivery,
      intentId: intent?.id ?? null,
      ...sender.chargesFor(caller, phoneKey),
      idempotency,
      forgetAt: now + deps.retentionMs,
    });
    const outcome = await sender.decided(delivery, step);

    const answer = (started: Verification, facts: StateAtSend, settled: Delivery): StartedVerification => {
      const view = viewAtSend({
        verification: started,
        facts,
        delivery: settled,
        phone: phone.e164,
        phoneMasked: phone.masked,
        policy,
      });
      return sender.answer({ ...view, clientSecret: clientSecretOf(keyring, started) }, settled);
    };

    switch (outcome.kind) {
      case 'started': {
        log.info({
          event: 'verification.started',
          requestId,
          verification: id,
          site: site.id,
          purpose,
          country: phone.country,
          channel,
        });
        const settled = await sender.deliver({ delivery, verification, phone: phone.e164, site });
        return {
          verification: answer(verification, verification, settled),
          rateLimit: tightest(outcome.charges, now),
        };
      }
      case 'replayed': {
        const order = { verification: outcome.verification, phone: phone.e164, site };
        const settled = await sender.settled(order, outcome.facts.deliveryId);
        if (!settled) throw new Problem('unavailable');
        return { verification: answer(outcome.verification, outcome.facts, settled), rateLimit: undefined };
      }
      case 'limited':
        log.warn({ event: 'verification.limited', requestId, site: site.id, purpose, scope: outcome.scope });
        throw tooManyRequests(outcome, now);
      case 'intent-missing':
        throw new Problem('intent-not-found');
      case 'intent-used':
      case 'idempotency-key-reused':
        throw new Problem(outcome.kind);
    }
  };
}
