/**
 * What a language brings: its sentences, as templates.
 *
 *     export const nl: Catalogue = { code: '{brand}: {code} is je code.', … };
 *
 * Every sentence holds `{brand}` and `{code}`, and those of a transaction `{amount}` and `{payee}` too. In most
 * languages it also holds the word that phones look for beside a number ('code'). No sentence begins with '@'.
 */

/** The purposes that have words of their own. Those that a site invents share `code`. */
export type KnownPurpose =
  | 'registration'
  | 'login'
  | 'password_reset'
  | 'checkout'
  | 'transaction'
  | 'account_change'
  | 'appointment';

export type Catalogue = {
  /** For a purpose of the site's own, and the shortest way to say it when room is scarce. */
  code: string;
  /** What the code is for. */
  purposes: Record<KnownPurpose, string>;
  /** In place of these wherever an amount and a payee are approved. */
  approval: string;
  /** The same, as short as it can be said. */
  shortApproval: string;
  /** A sentence of its own, after any of the above. */
  warning: string;
};
