/**
 * What the element tells the page. Every event bubbles and crosses shadow boundaries.
 *
 *     element.addEventListener('verified', ({ detail }) => send(detail.proof));
 */
export type PhoneProofEvents = {
  /** A message is on its way, for the first time or again. `expiresAt` is when its code dies (RFC 3339). */
  'code-sent': { phoneMasked: string; expiresAt: string };
  /** The proof is there, and already in the form. `expiresAt` is its own end (RFC 3339). */
  verified: { proof: string; expiresAt: string };
  /** The code has died unused, or the proof unredeemed; the element is then invalid again. */
  expired: { what: 'code' | 'proof' };
  /** The server refused something. `code` is its word for machines, `detail` its sentence for developers. */
  failed: { code: string; detail: string };
  /** Another step shows. */
  'status-change': { status: 'phone' | 'code' | 'verified' };
};

export function emit<Name extends keyof PhoneProofEvents>(
  element: HTMLElement,
  name: Name,
  detail: PhoneProofEvents[Name],
): void {
  element.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
}
