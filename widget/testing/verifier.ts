/**
 * The tests' hands on the real verifier: the phone's inbox, the site's backend, and its clock.
 *
 *     const phone = freshPhone();
 *     const code = await codeSentTo(phone);
 *     await pass(31_000);
 */
declare global {
  var verifierUrl: string;
}

let issued = 0;

/** A valid Dutch mobile number that no other test uses. */
export function freshPhone(): string {
  issued++;
  const digits = String((Date.now() % 1_000_000) * 10 + (issued % 10)).padStart(7, '0');
  return `+316${(10 + (issued % 40)).toString()}${digits.slice(-6)}`;
}

type Message = { to: string; body: string; code: string };

/** Newest first. */
export async function messagesTo(phone: string): Promise<Message[]> {
  const response = await fetch(`${verifierUrl}/simulator/messages?to=${encodeURIComponent(phone)}`);
  return response.json();
}

export async function codeSentTo(phone: string): Promise<string> {
  const [newest] = await messagesTo(phone);
  if (!newest) throw new Error(`nothing was sent to ${phone}`);
  return newest.code;
}

export async function createIntent(body: object): Promise<string> {
  const response = await fetch('/testing/intents', { method: 'POST', body: JSON.stringify(body) });
  const { intent } = await response.json();
  return intent;
}

const realNow = Date.now;
let pageSkewMs = 0;

/** Time passes for everybody: as when a laptop was shut meanwhile, for no timer has run. */
export async function pass(ms: number): Promise<void> {
  await fetch(`/testing/clock?advance=${ms}`, { method: 'POST' });
  setPageClock(ms);
  document.dispatchEvent(new Event('visibilitychange'));
}

/** The page's own clock goes wrong by so much, and the verifier's does not. */
export function setPageClock(ms: number): void {
  pageSkewMs += ms;
  Date.now = () => realNow() + pageSkewMs;
}
