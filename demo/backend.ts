/**
 * The shop's own records: people, orders, bookings and transfers. In memory, for a demo may forget.
 *
 *     const backend = createBackend({ now: Date.now, hasDemoPeople: true });
 *     const anna = backend.people.byEmail('anna@polder.example');
 *     backend.orders.place({ name: 'Anna', phone: '+31612345678', totalCents: 13_800 });
 */
import { type Appointments, createAppointments } from './appointments.ts';
import { createPeople, demoPeople, type People } from './people.ts';
import { createWallets, type Wallets } from './wallets.ts';

type Order = { name: string; phone: string | null; totalCents: number };

export type Backend = {
  people: People;
  wallets: Wallets;
  appointments: Appointments;
  orders: {
    /** Returns the order's number, as printed on the parcel. */
    place(order: Order): string;
  };
};

export type BackendOptions = { now: () => number; hasDemoPeople: boolean };

export function createBackend({ now, hasDemoPeople }: BackendOptions): Backend {
  const orders: Order[] = [];
  return {
    people: createPeople(hasDemoPeople ? Object.values(demoPeople) : []),
    wallets: createWallets(),
    appointments: createAppointments({ now }),
    orders: {
      place: (order) => `P-${1000 + orders.push(order)}`,
    },
  };
}
