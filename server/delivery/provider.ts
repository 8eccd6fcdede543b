/**
 * What a delivery provider is: one vendor's API behind one call.
 *
 *     const outcome = await provider.send({ reference: 'dlv_…', channel: 'sms', to: '+31612345678',
 *       originator: 'DemoShop', body: 'Demo Shop: 123456 is your code …', code: '123456', validitySeconds: 300 });
 *     if (outcome.kind === 'accepted') …
 *
 * A provider never throws and never hangs: whatever the vendor does, `send` resolves within the
 * provider's own total deadline with an honest outcome.
 */
import type { Channel } from '../contract.ts';

export type OutgoingMessage = {
  /**
   * Our own delivery id, at most 60 characters: stored before the vendor is called, echoed by the vendor in
   * receipts.
   */
  reference: string;
  channel: Channel;
  /** E.164. */
  to: string;
  /** What the phone shows as sender: at most 11 alphanumeric characters, or digits. */
  originator: string;
  body: string;
  /** The code inside `body`, for providers that show or speak it apart (the simulator, voice). */
  code: string;
  /** After that the code is dead, and a message still on its way had better be dropped. Whole seconds. */
  validitySeconds: number;
};

export type SendOutcome =
  /** The vendor took the message and said so in a well-formed answer. */
  | { kind: 'accepted'; providerReference: string }
  /** The vendor said no: nothing was sent and another try elsewhere is safe. `reason` is fit for logs. */
  | { kind: 'refused'; reason: string }
  /** Nobody knows (timeout, reset, unreadable success): it may have been sent. */
  | { kind: 'unknown'; reason: string };

export interface Provider {
  /** As configured and logged: `messagebird`, `simulator`, … */
  readonly name: string;
  readonly channels: readonly Channel[];
  send(message: OutgoingMessage): Promise<SendOutcome>;
  /** Ends timers, sockets and files, and what is under way. Idempotent; a later `send` is refused. */
  close(): void;
}
