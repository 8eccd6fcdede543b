/**
 * What a start and a resend have in common: one delivery, its outcome, and the answer built from facts.
 *
 *     const send = createSender(deps);
 *     const delivery = await send.deliver({ verification, delivery, phone, code, site });
 *     return send.answer({ verification, delivery, … });
 */
import type { PurposeConfig } from '../config.ts';
import type { Channel, VerificationView } from '../contract.ts';
import { guessLimits, sendCharges } from '../guard/limits.ts';
import { Problem } from '../problem.ts';
import type { Charge, Delivery, GuessLimits, Verification } from '../store/store.ts';
import { type Caller, type Deps, networkKeyOf } from './deps.ts';
import { newId, shardOf } from './ids.ts';
import { pageView } from './view.ts';

type Order = Parameters<Deps['deliver']>[0];

/** How often a repeated request looks whether the first one's message is out. */
const REPLAY_POLL_MS = 100;
/** By then the provider's own deadline has passed. */
const REPLAY_WAIT_MS = 30_000;

export function createSender({ deliver, store, clock, index, provider }: Deps) {
  /** Deliveries on their way from this process, for repeats of the same request to wait for. */
  const underWay = new Map<string, Promise<Delivery>>();

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

    async deliver(order: Order): Promise<Delivery> {
      const sending = deliver(order).finally(() => underWay.delete(order.delivery.id));
      underWay.set(order.delivery.id, sending);
      return sending;
    },

    /** The delivery of an earlier, identical request, once it is known what became of it. */
    async settled(verificationId: string, deliveryId: string): Promise<Delivery | undefined> {
      const here = underWay.get(deliveryId);
      if (here) return here;
      for (let waited = 0; ; waited += REPLAY_POLL_MS) {
        const found = await store.find(verificationId);
        const delivery = found?.deliveries.find(({ id }) => id === deliveryId);
        const isOld = !delivery || clock() - delivery.createdAt >= REPLAY_WAIT_MS;
        if (isOld || delivery.status !== 'queued' || waited >= REPLAY_WAIT_MS) return delivery;
        await new Promise((resolve) => setTimeout(resolve, REPLAY_POLL_MS));
      }
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
  policy,
}: {
  verification: Verification;
  facts: StateAtSend;
  delivery: Delivery;
  phone: string;
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
