/** English. */
import type { Messages } from './messages.ts';

export default {
  phoneLabel: 'Mobile number',
  countryLabel: 'Country',
  phoneHint: 'We will text a code to this number.',
  send: 'Text me a code',
  sending: 'Sending…',
  terms: 'Terms',
  privacy: 'Privacy',

  intentLabel: 'Confirm that it is you',
  intentTarget: 'We will text {phone}',
  intentHint: 'This is the number that we have on file.',
  approving: 'You are approving',
  payee: 'to {payee}',
  reference: 'Reference {reference}',

  codeLabelNumeric: 'Enter the {length}-digit code',
  codeLabelAlphanumeric: 'Enter the {length}-character code',
  sentTo: 'Sent to {phone}',
  change: 'Change',
  changeLabel: 'Change the mobile number',
  delivery: {
    queued: 'Sending the message…',
    sent: 'On its way. It can take a minute.',
    delivered: 'Delivered. Look at your messages.',
    failed: 'The message did not arrive. Send it again, or change the number.',
  },
  checking: 'Checking…',
  resend: 'Send again',
  resendIn: 'Send again in {time}',
  noMoreResends: 'This code cannot be sent again.',
  renew: 'Text me a new code',

  offline: 'You are offline. We go on by ourselves when you are back.',
  unavailable: 'No answer from the server. Nothing is lost: try again.',
  unavailableFor: 'No answer from the server. We try again in {time}.',
  retry: 'Try again now',

  verified: 'Verified',

  resendReady: 'You can now have the code sent again.',
  expiresSoon: 'The code expires in one minute.',

  requiredPhone: 'Verify your mobile number first.',
  requiredCode: 'Enter the code that we sent to your phone.',

  incorrectCode: {
    one: 'Wrong code, {count} attempt left.',
    other: 'Wrong code, {count} attempts left.',
  },
  waitFor: 'Too many attempts. Try again in {time}.',

  errors: {
    'phone-missing': 'Enter your mobile number.',
    'phone-too-short': 'This number is too short. Check it for missing digits.',
    'invalid-phone': 'This is not a valid number. Check the digits and the country.',
    'country-not-allowed': 'Numbers of this country are not accepted here.',
    'number-type-not-allowed': 'This number cannot receive texts. Enter a mobile number.',
    'too-many-requests': 'Too many attempts. Try again later.',
    'resend-too-early': 'The code was sent just now. Wait a moment.',
    'resends-exhausted': 'This code cannot be sent again. It may still arrive.',
    'delivery-failed': 'The message could not be sent. Send it again, or change the number.',
    'attempts-spent': 'No attempts left. Ask for a new code.',
    'verification-expired': 'This code has expired. Ask for a new one.',
    'verification-closed': 'This code can no longer be used. Ask for a new one.',
    'verification-not-found': 'This code can no longer be used. Ask for a new one.',
    'proof-expired': 'Your verification has expired. Verify your number again.',
    'intent-not-found': 'This request has expired. Go back and start again.',
    'intent-used': 'This request was already confirmed. Go back and start again.',
    'intent-required': 'This form is not set up correctly.',
    'invalid-key': 'This form is not set up correctly.',
    'origin-not-allowed': 'This form is not set up correctly.',
    blocked: 'We cannot send a code to this number.',
    unexpected: 'Something went wrong. Try again.',
  },
} satisfies Messages;
