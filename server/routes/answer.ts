/**
 * How every route answers: headers are collected in a plain record and become a response once.
 *
 *     headersOf(c)['RateLimit-Policy'] = policy;
 *     return answer(c, verification, 201);
 *
 * A `Headers` object, which hono's `c.header()` would make, costs more than reading and checking the
 * request; the Node adapter writes a plain record as it is.
 */
import type { AppContext } from './env.ts';

/** Written with the names' usual capitals, so that a later value replaces an earlier one. */
export type HeaderRecord = Record<string, string>;

/** For what any page on any site may load. */
export const sharedWithAnyOrigin = {
  'Access-Control-Allow-Origin': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

/** Of the answer to come; an error's answer has them, too. */
export const headersOf = (c: AppContext): HeaderRecord => c.get('headers');

/** JSON; nothing is kept by any cache unless the route said otherwise. */
export function answer(c: AppContext, body: unknown, status = 200): Response {
  const headers = headersOf(c);
  headers['Content-Type'] ??= 'application/json';
  headers['Cache-Control'] ??= 'no-store';
  return new Response(JSON.stringify(body), { status, headers });
}

/** What is no JSON: a page, a file, or nothing at all. */
export function answerWith(
  c: AppContext,
  body: string | Uint8Array<ArrayBuffer> | null,
  { status = 200, type }: { status?: number; type?: string } = {},
): Response {
  const headers = headersOf(c);
  if (type !== undefined) headers['Content-Type'] = type;
  return new Response(body, { status, headers });
}
