/**
 * Words for people: why a proof was refused, and what each claim of an accepted one says.
 *
 *     refusalSentence('expired')  // 'The confirmation is too old. …'
 */
const refusalSentences: Record<string, string> = {
  'sign-in-over': 'This sign-in is over. Start again with your password.',
  'not-enough-money': 'The wallet does not hold that much any more. Nothing was paid.',
  expired: 'Your confirmation is too old by now. Confirm your number again; it takes a few seconds.',
  'proof-redeemed':
    'This confirmation was used before. Each one counts once, so nothing was done a second time.',
  'wrong-purpose': 'This confirmation was given for something else, so it does not count here.',
  'wrong-transaction':
    'What you confirmed is not what would have been paid: amount or payee changed after the code was sent. Nothing was paid.',
  'wrong-nonce':
    'This confirmation was made in another browser or before you signed in, so it does not count here.',
  'wrong-subject': 'This confirmation belongs to another account.',
  'wrong-audience': 'This confirmation was made for another shop.',
  'wrong-issuer': 'This confirmation comes from somebody we do not trust.',
  'bad-signature': 'This confirmation was not signed by the verifier, or was changed on its way.',
};

export function refusalSentence(code: string): string {
  return (
    refusalSentences[code] ??
    'The confirmation of your number could not be accepted. Please confirm it again.'
  );
}

/** In the order in which they are best read. */
const claimNotes: Record<string, string> = {
  phone_number: 'verified, in E.164',
  phone_number_verified: 'as OpenID Connect says it',
  purpose: 'what the code was asked for, and good for nothing else',
  sub: 'who it is, in the shop’s own words, from the intent',
  transaction: 'exactly what the message showed',
  nonce: 'this browser’s visit, so that it is of no use in another',
  amr: 'how: a one-time code by text message (RFC 8176)',
  auth_time: 'when the code was accepted',
  iss: 'the verifier that signed it',
  aud: 'the shop it is for',
  site: 'that shop, by its name at the verifier',
  iat: 'when it was signed',
  exp: 'worthless after this',
  jti: 'its own id, spent once by the redeem call',
  verification_id: 'to find it again in logs and figures',
};

export type ExplainedClaim = { name: string; value: string; note: string };

export function explainClaims(claims: Readonly<Record<string, unknown>>): ExplainedClaim[] {
  const known = Object.keys(claimNotes).filter((name) => name in claims);
  const others = Object.keys(claims).filter((name) => !(name in claimNotes));
  return [...known, ...others].map((name) => ({
    name,
    value: showClaim(claims[name]),
    note: [numericDate(name, claims[name]), claimNotes[name]].filter(Boolean).join(', '),
  }));
}

function showClaim(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 1).replace(/\s+/g, ' ');
}

function numericDate(name: string, value: unknown): string | undefined {
  if (!['iat', 'exp', 'auth_time'].includes(name) || typeof value !== 'number') return undefined;
  return `${new Date(value * 1000).toISOString().slice(11, 19)} UTC`;
}
