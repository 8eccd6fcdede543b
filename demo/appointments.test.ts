import { expect, it } from 'vitest';
import { createAppointments } from './appointments.ts';

/** A Tuesday. */
const BEFORE_MIDNIGHT = Date.parse('2026-11-24T23:59:30Z');
const MINUTE = 60_000;

const diary = (start: number) => {
  let time = start;
  const appointments = createAppointments({ now: () => time });
  return {
    ...appointments,
    pass(ms: number) {
      time += ms;
    },
  };
};

it('offers three working days from tomorrow on', () => {
  const days = (start: string) => [
    ...new Set(
      diary(Date.parse(start))
        .slots()
        .map(({ id }) => id.slice(0, 10)),
    ),
  ];
  expect(days('2026-11-24T12:00:00Z')).toEqual(['2026-11-25', '2026-11-26', '2026-11-27']);
  expect(days('2026-11-27T12:00:00Z')).toEqual(['2026-11-30', '2026-12-01', '2026-12-02']);
});

it('books what a page offered before midnight', () => {
  const appointments = diary(BEFORE_MIDNIGHT);
  const [first] = appointments.slots();
  appointments.pass(MINUTE);
  expect(appointments.slots().map(({ id }) => id)).not.toContain(first?.id);
  expect(appointments.find(first?.id ?? '')).toEqual(first);
});

it('books no time that has come, and none too far ahead', () => {
  const appointments = diary(BEFORE_MIDNIGHT);
  expect(appointments.find('2026-11-24T15:30')).toBeUndefined();
  expect(appointments.find('2026-12-24T09:00')).toBeUndefined();
  appointments.pass(10 * 60 * MINUTE);
  expect(appointments.find('2026-11-25T09:00')).toBeUndefined();
  expect(appointments.find('2026-11-25T10:30')).toBeDefined();
});

it('gives each time away once, on either side of midnight', () => {
  const appointments = diary(BEFORE_MIDNIGHT);
  const slot = appointments.find('2026-11-25T10:30');
  if (slot) appointments.book(slot, '+31612345678');
  appointments.pass(MINUTE);
  expect(appointments.find('2026-11-25T10:30')?.isTaken).toBe(true);
});
