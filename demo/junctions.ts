/**
 * The shop's map: its pages as the numbered junctions of a Dutch cycle route.
 *
 *     junction('/signup').number  // 12
 *     nextJunction('/signup').path
 */
export type Junction = {
  path: string;
  /** As on the round green sign. */
  number: number;
  title: string;
  /** Why a number is asked for here, in the visitor's words. */
  reason: string;
  purpose: string;
  /** Who names the number: the visitor on the page, or the backend by an intent. */
  numberFrom: 'page' | 'intent';
};

const first: Junction = {
  path: '/signup',
  number: 12,
  title: 'Create an account',
  reason: 'One person, one account. The number is typed on the page.',
  purpose: 'registration',
  numberFrom: 'page',
};

export const junctions: readonly Junction[] = [
  first,
  {
    path: '/login',
    number: 27,
    title: 'Sign in',
    reason: 'A password, then a code to the number on file. The page never learns it.',
    purpose: 'login',
    numberFrom: 'intent',
  },
  {
    path: '/reset',
    number: 31,
    title: 'Forgotten password',
    reason: 'Whoever holds the registered phone may choose a new password.',
    purpose: 'password_reset',
    numberFrom: 'intent',
  },
  {
    path: '/checkout',
    number: 44,
    title: 'Checkout',
    reason: 'Above €100 the courier needs a number that works. Below it, no code.',
    purpose: 'checkout',
    numberFrom: 'page',
  },
  {
    path: '/transfer',
    number: 58,
    title: 'Send money',
    reason: 'Amount and payee stand on the page, in the message and inside the proof.',
    purpose: 'transaction',
    numberFrom: 'intent',
  },
  {
    path: '/appointment',
    number: 63,
    title: 'Book the workshop',
    reason: 'A slot is held for people we can call when the bicycle is done.',
    purpose: 'appointment',
    numberFrom: 'page',
  },
  {
    path: '/account',
    number: 76,
    title: 'Change account details',
    reason: 'A new e-mail address is approved from the phone already on file.',
    purpose: 'account_change',
    numberFrom: 'intent',
  },
];

export function junction(path: string): Junction {
  return junctions.find((candidate) => candidate.path === path) ?? first;
}

/** The route is a loop, as they are out there. */
export function nextJunction(path: string): Junction {
  const here = junctions.findIndex((candidate) => candidate.path === path);
  return junctions[(here + 1) % junctions.length] ?? first;
}
