/**
 * The workshop's diary: three working days ahead, four slots a day, one bicycle a slot.
 *
 *     const slot = appointments.find('2026-11-26T10:30');
 *     if (slot && !slot.isTaken) appointments.book(slot, '+31612345678');
 *
 * What is offered begins tomorrow. A page that was opened before midnight may still book what it showed.
 */
export type Slot = {
  /** Shop time, `YYYY-MM-DDTHH:mm`. */
  id: string;
  /** `Thursday 26 November`. */
  day: string;
  time: string;
  isTaken: boolean;
};

export type Appointments = {
  /** What is offered now. */
  slots(): Slot[];
  /** One that is offered now, or was a day ago and has not begun. */
  find(id: string): Slot | undefined;
  book(slot: Slot, phone: string): void;
};

const TIMES = ['09:00', '10:30', '13:30', '15:30'];
const WORKING_DAYS_AHEAD = 3;
const DAY_MS = 86_400_000;

const dayName = new Intl.DateTimeFormat('en-GB', {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  timeZone: 'UTC',
});

export function createAppointments({ now }: { now: () => number }): Appointments {
  /** Slot id → whom to call. */
  const booked = new Map<string, string>();

  const slotsAt = (moment: number) => {
    const found: Slot[] = [];
    for (let date = new Date(moment), days = 0; days < WORKING_DAYS_AHEAD; ) {
      date = new Date(date.getTime() + DAY_MS);
      const isWeekend = date.getUTCDay() % 6 === 0;
      if (isWeekend) continue;
      days += 1;
      for (const time of TIMES) {
        const id = `${date.toISOString().slice(0, 10)}T${time}`;
        found.push({ id, day: dayName.format(date), time, isTaken: booked.has(id) });
      }
    }
    return found;
  };

  return {
    slots: () => slotsAt(now()),
    find: (id) => {
      const hasBegun = id <= new Date(now()).toISOString();
      if (hasBegun) return undefined;
      return [...slotsAt(now() - DAY_MS), ...slotsAt(now())].find((slot) => slot.id === id);
    },
    book(slot, phone) {
      booked.set(slot.id, phone);
    },
  };
}
