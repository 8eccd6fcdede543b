/**
 * Whose account a page shows: the person signed in, or else Anna, so that every journey can be tried on
 * its own. Nobody where messages are real and nobody has signed up.
 *
 *     const person = visitor(shop.backend, c.var.session);
 */
import type { Backend } from './backend.ts';
import { demoPeople, type Person } from './people.ts';
import type { Session } from './session.ts';

export function visitor(backend: Backend, session: Session): Person | undefined {
  return backend.people.byId(session.personId ?? demoPeople.anna.id);
}
