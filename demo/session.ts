/**
 * Browser sessions: a random cookie, everything else on the server.
 *
 *     const { middleware, renew } = sessions();
 *     app.use(middleware);
 *     c.var.session.cart
 *     renew(c, person.id)   // after a login: a new id
 */
import { randomBytes } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { type Cart, initialCart } from './catalog.ts';
import type { PhoneCheck } from './checks.ts';
import type { ProofClaims } from './phone-proof.ts';

export type Session = {
  id: string;
  startedAt: number;
  cart: Cart;
  /** Signed in: both factors given. */
  personId?: string;
  /** The password was right; the code is still to come. */
  awaitingCodeFor?: string;
  /** A reset was asked for with this address; `personId` where it belongs to somebody. */
  reset?: { address: string; personId?: string };
  /** The reset's code was right, so a new password may be set. */
  newPassword?: { personId: string; claims: ProofClaims };
  /** By page. */
  checks: Map<string, PhoneCheck>;
};

export type ShopEnv = { Variables: { session: Session } };

export type SessionOptions = { now?: () => number; lifetimeMs?: number; isSecure?: boolean };

const COOKIE = 'polder_session';
const MAX_SESSIONS = 10_000;

const token = () => randomBytes(24).toString('base64url');

export function sessions({
  now = Date.now,
  lifetimeMs = 24 * 3_600_000,
  isSecure = false,
}: SessionOptions = {}) {
  const byId = new Map<string, Session>();

  const start = (): Session => {
    // Insertion order is age order, so the oldest go first: by time, and by number when many come at once.
    for (const { id, startedAt } of byId.values()) {
      if (byId.size < MAX_SESSIONS && now() - startedAt < lifetimeMs) break;
      byId.delete(id);
    }
    const session: Session = {
      id: token(),
      startedAt: now(),
      cart: initialCart(),
      checks: new Map(),
    };
    byId.set(session.id, session);
    return session;
  };

  const send = (c: Context, session: Session) =>
    // Lax keeps the cookie from cross-site posts; the Origin check in shop.ts is the second lock.
    setCookie(c, COOKIE, session.id, { httpOnly: true, sameSite: 'Lax', path: '/', secure: isSecure });

  const middleware: MiddlewareHandler<ShopEnv> = async (c, next) => {
    const known = byId.get(getCookie(c, COOKIE) ?? '');
    const isAlive = known !== undefined && now() - known.startedAt < lifetimeMs;
    const session = isAlive ? known : start();
    if (session !== known) send(c, session);
    c.set('session', session);
    await next();
  };

  /** A new id on every change of privilege, so that a planted cookie is worth nothing (session fixation). */
  const renew = (c: Context<ShopEnv>, personId?: string): Session => {
    const old = c.var.session;
    byId.delete(old.id);
    const session = start();
    session.cart = old.cart;
    session.startedAt = old.startedAt;
    if (personId !== undefined) session.personId = personId;
    send(c, session);
    c.set('session', session);
    return session;
  };

  return { middleware, renew };
}

export type Sessions = ReturnType<typeof sessions>;
