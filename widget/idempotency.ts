/**
 * The name of one action of one person, kept over all attempts to get it done.
 *
 *     dispatch({ type: 'resend', key: newKey() });
 *
 * `randomUUID` is missing where a page came over plain HTTP, as from a laptop to the phone next to it.
 */
export const newKey = (): string =>
  window.isSecureContext
    ? crypto.randomUUID()
    : Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
        byte.toString(16).padStart(2, '0'),
      ).join('');
