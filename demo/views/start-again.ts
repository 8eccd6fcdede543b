/**
 * Under a code that was asked for by intent: an intent is good for one code, so a new try needs a new intent.
 *
 *     startAgain('/login/again')
 */
import { html } from 'hono/html';
import type { Fragment } from './layout.ts';

export function startAgain(action: string): Fragment {
  return html`
    <form class="again" method="post" action="${action}">
      <p class="note">Too late, or too many tries? <button class="link">Start again with a new code</button></p>
    </form>`;
}
