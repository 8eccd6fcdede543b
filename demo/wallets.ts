/**
 * What customers got for the bicycles they traded in, and where they send it.
 *
 *     const transfer = wallets.prepare(anna.id, { amountCents: 25_000, payee: 'Fien Bakker', reference: 'Rent' });
 *     wallets.settle(transfer);
 *
 * A transfer is recorded before anybody is asked to approve it: the record, not the form that
 * comes back, says what is paid.
 */
import { randomUUID } from 'node:crypto';
import { toDecimal } from './money.ts';

/** As the verifier takes it: shown in the element and in the message, and bound into the proof. */
export type Transaction = { amount: string; currency: string; payee: string; reference?: string };

export type Transfer = {
  id: string;
  ownerId: string;
  amountCents: number;
  transaction: Transaction;
  status: 'prepared' | 'settled';
};

type TransferRequest = { amountCents: number; payee: string; reference: string };

export type Wallets = {
  balanceCents(ownerId: string): number;
  prepare(ownerId: string, request: TransferRequest): Transfer;
  /** Only the owner finds it: a guessed id leads nowhere. */
  find(ownerId: string, id: string): Transfer | undefined;
  settle(transfer: Transfer): void;
};

const OPENING_BALANCE_CENTS = 124_000;

export function createWallets(): Wallets {
  const balances = new Map<string, number>();
  const transfers = new Map<string, Transfer>();
  const balanceCents = (ownerId: string) => balances.get(ownerId) ?? OPENING_BALANCE_CENTS;

  return {
    balanceCents,
    prepare(ownerId, { amountCents, payee, reference }) {
      const transaction = {
        amount: toDecimal(amountCents),
        currency: 'EUR',
        payee,
        ...(reference === '' ? {} : { reference }),
      };
      const transfer: Transfer = { id: randomUUID(), ownerId, amountCents, transaction, status: 'prepared' };
      transfers.set(transfer.id, transfer);
      return transfer;
    },
    find(ownerId, id) {
      const transfer = transfers.get(id);
      return transfer?.ownerId === ownerId ? transfer : undefined;
    },
    settle(transfer) {
      if (transfer.status === 'settled') return;
      balances.set(transfer.ownerId, balanceCents(transfer.ownerId) - transfer.amountCents);
      transfer.status = 'settled';
    },
  };
}
