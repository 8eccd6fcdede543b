/**
 * What a start and a resend have in common: one delivery, its outcome, and the answer built from facts.
 *
 *     const send = createSender(deps);
 *     const delivery = await send.deliver({ verification, delivery, phone, site });
 *     return send.answer({ verification, delivery, … });
 */
import { randomBytes } from 'node:crypto';
import type { PurposeConfig } from '../config.ts';
import type { Channel, VerificationView } from '../contract.ts';
import { guessLimits, sendCharges } from '../guard/limits.ts';
import { maskPhone } from '../guard/phone-number.ts';
import { Problem } from '../problem.ts';
import {
  type Charge,
  type Delivery,
  type GuessLimits,
  StoreUnavailable,
  statusAt,
  type Verification,
} from '../store/store.ts';
import { secretOf } from './client-secret.ts';
import { deriveCode } from './codes.ts';
import { type Caller, type Deps, networkKeyOf } from './deps.ts';
import { newId, shardOf } from './ids.ts';
import { pageView } from './view.ts';

type Order = Omit<Parameters<Deps['deliver']>[0], 'code'>;

/** How often a repeated request looks whether the first one's message is out. */
const REPLAY_POLL_MS = 100;
/** By then the provider's own deadline has passed. */
const REPLAY_WAIT_MS = 30_000;
/** A delivery that nobody has taken by then was given up on: a repeat of its request sends it. */
const GIVEN_UP_AFTER_MS = 10_000;
/** So long before that, whoever sends says so: sooner than two clocks differ. */
const TAKEN_AFTER_MS = GIVEN_UP_AFTER_MS / 2;
/** By then the idempotency keys of the requests have expired. */
const FORGET_AFTER_MS = 600_000;

/**
 * A message is sent once, also when the store's answer to the step that decided to send it gets lost: then
 * nobody sends, and the first repeat of the request does. Normally that costs no call of the store. Only
 * who is late says first that the delivery is its own, and so does whoever takes over.
 */
export function createSender({ deliver, store, keyring, clock, log, index, provider }: Deps) {
  /** Deliveries on their way from this process, for repeats of the same request to wait for. */
  const underWay = new Map<string, Promise<Delivery | undefined>>();
  /** Deliveries that this process will not send, because their step failed: when that was. */
  const givenUp = new Map<string, number>();
  const self = `taken by ${randomBytes(6).toString('base64url')}`;

  const take = ({ id, verificationId }: Delivery): Promise<boolean> =>
    store.takeDelivery({ verificationId, deliveryId: id, by: self, at: clock() });

  async function send(order: Order): Promise<Delivery> {
    const { delivery, verification } = order;
    const say = () =>
      take(delivery).catch((error: unknown) =>
        log.error({ event: 'delivery.not-recorded', delivery: delivery.id, error: String(error) }),
      );
    const slow = setTimeout(say, TAKEN_AFTER_MS / 2);
    try {
      const seed = Buffer.from(verification.seed, 'base64url');
      const code = deriveCode(secretOf(keyring, verification), seed, verification.id, verification.code);
      const settled = await deliver({ ...order, code });
      // It may be out, and must not go out again.
      if (settled.status === 'queued') await say();
      return settled;
    } finally {
      clearTimeout(slow);
    }
  }

  /** What a step that ends with this delivery being sent decided. Without its answer nobody here sends. */
  async function decided<Outcome>({ id }: Delivery, step: Promise<Outcome>): Promise<Outcome> {
    try {
      return await step;
    } catch (error) {
      if (error instanceof StoreUnavailable) giveUp(id);
      throw error;
    }
  }

  function giveUp(id: string): void {
    const now = clock();
    for (const [old, at] of givenUp) {
      if (now - at < FORGET_AFTER_MS) break;
      givenUp.delete(old);
    }
    givenUp.set(id, now);
  }

  /** Runs once for a delivery, however many ask at the same time. */
  function once(id: string, run: () => Promise<Delivery | undefined>): Promise<Delivery | undefined> {
    const running = underWay.get(id) ?? run().finally(() => underWay.delete(id));
    underWay.set(id, running);
    return running;
  }

  /** Sends what nobody else does; undefined when somebody else does after all. */
  async function takeOver(order: Order): Promise<Delivery | undefined> {
    const { delivery, verification } = order;
    const isOurs = await decided(delivery, take(delivery));
    givenUp.delete(delivery.id);
    if (!isOurs) return undefined;
    log.warn({ event: 'delivery.taken-over', delivery: delivery.id, verification: verification.id });
    return send(order);
  }

  const isGivenUp = ({ id, reason, createdAt }: Delivery): boolean =>
    givenUp.has(id) || (reason === null && clock() - createdAt >= GIVEN_UP_AFTER_MS);

  /** The delivery of an earlier, identical request, once it is known what became of it. */
  async function settled(order: Omit<Order, 'delivery'>, deliveryId: string): Promise<Delivery | undefined> {
    for (let waited = 0; ; waited += REPLAY_POLL_MS) {
      const here = await underWay.get(deliveryId);
      if (here) return here;
      const found = await store.find(order.verification.id);
      const delivery = found?.deliveries.find(({ id }) => id === deliveryId);
      if (!found || delivery?.status !== 'queued') return delivery;
      if (statusAt(found.verification, clock()) === 'pending' && isGivenUp(delivery)) {
        const sent = await once(deliveryId, () => takeOver({ ...order, delivery }));
        if (sent) return sent;
      }
      if (clock() - delivery.createdAt >= REPLAY_WAIT_MS || waited >= REPLAY_WAIT_MS) return delivery;
      await new Promise((resolve) => setTimeout(resolve, REPLAY_POLL_MS));
    }
  }

  return {
    newDelivery(verificationId: string, phoneKey: string, channel: Channel, now: number): Delivery {
      return {
        id: newId('dlv', shardOf(phoneKey)),
        verificationId,
        channel,
        provider: provider.name,
        status: 'queued',
        providerReference: null,
        reason: null,
        createdAt: now,
        at: now,
      };
    },

    /** The limits that one more message from this caller is charged to. */
    chargesFor({ site, network }: Caller, phoneKey: string): { charges: Charge[]; guesses: GuessLimits } {
      const networkKey = networkKeyOf(index, network);
      return {
        charges: sendCharges(site, { phoneKey, network: networkKey }),
        guesses: guessLimits(site, networkKey),
      };
    },

    decided,
    settled,

    /** Sends what was just decided. */
    async deliver(order: Order): Promise<Delivery> {
      const { delivery } = order;
      const isLate = clock() - delivery.createdAt >= TAKEN_AFTER_MS;
      const sent = await once(delivery.id, async () => {
        const isOurs = !isLate || (await decided(delivery, take(delivery)));
        return isOurs ? send(order) : undefined;
      });
      return sent ?? (await settled(order, delivery.id)) ?? delivery;
    },

    /**
     * The answer to a start or a resend.
     *
     * @throws Problem `delivery-failed` when the provider refused
     */
    answer<View extends VerificationView>(view: View, delivery: Delivery): View {
      if (delivery.status !== 'failed') return view;
      throw new Problem('delivery-failed', { verification: view, reason: 'refused' });
    },
  };
}

export type Sender = ReturnType<typeof createSender>;

/** The members that later events change, as they were at a send. */
export type StateAtSend = Pick<
  Verification,
  'attemptsRemaining' | 'resendsRemaining' | 'resendAt' | 'channel'
>;

/**
 * The view as it was right after the send, whatever happened since: what a repeated request is answered.
 * A refused delivery freed the resend at once, so the answer says so.
 */
export function viewAtSend({
  verification,
  facts,
  delivery,
  phone,
  phoneMasked = maskPhone(phone),
  policy,
}: {
  verification: Verification;
  facts: StateAtSend;
  delivery: Delivery;
  phone: string;
  phoneMasked?: string;
  policy: PurposeConfig | undefined;
}): VerificationView {
  return pageView({
    verification: {
      ...verification,
      status: 'pending',
      channel: facts.channel,
      attemptsRemaining: facts.attemptsRemaining,
      resendsRemaining: facts.resendsRemaining,
      resendAt: delivery.status === 'failed' ? Math.min(facts.resendAt, delivery.at) : facts.resendAt,
    },
    delivery,
    phone,
    phoneMasked,
    policy,
    now: delivery.createdAt,
  });
}

/** @throws Problem `malformed-request` when the purpose does not offer the channel */
export function channelOf(policy: PurposeConfig, asked: Channel | undefined): Channel {
  const channel = asked ?? policy.channels[0] ?? 'sms';
  if (!policy.channels.includes(channel)) {
    throw malformed('channel', `this purpose offers ${policy.channels.join(', ')}`);
  }
  return channel;
}

export const malformed = (path: string, message: string) =>
  new Problem('malformed-request', { errors: [{ path, message }] });
