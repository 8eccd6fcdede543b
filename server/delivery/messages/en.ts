/** English: every message fits one GSM-7 segment with the brands and hosts one meets. */
import type { Catalogue } from './catalogue.ts';

export const en: Catalogue = {
  code: '{brand}: {code} is your code.',
  purposes: {
    registration: '{brand}: {code} is your code to create your account.',
    login: '{brand}: {code} is your code to sign in.',
    password_reset: '{brand}: {code} is your code to reset your password.',
    checkout: '{brand}: {code} is your code to complete your order.',
    transaction: '{brand}: {code} is your code to approve this transaction.',
    account_change: '{brand}: {code} is your code to change your account details.',
    appointment: '{brand}: {code} is your code to confirm your appointment.',
  },
  approval: '{brand}: {code} is your code to approve {amount} to {payee}.',
  shortApproval: '{brand}: code {code}, {amount} to {payee}.',
  warning: 'Never share it, not even with us.',
};
