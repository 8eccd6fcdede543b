/** `/phone-proof.js` and its chunks: the element, for any page anywhere. */
import { join } from 'node:path';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { createMiddleware } from 'hono/factory';
import { headersOf, sharedWithAnyOrigin } from './answer.ts';
import type { RouteDeps } from './deps.ts';
import type { Env } from './env.ts';
import { sendFile } from './files.ts';

/** The entry's name never changes, its content does: a deploy reaches every page within minutes. */
const ENTRY_CACHE = 'public, max-age=300, stale-while-revalidate=86400';
/** A chunk's name holds its hash. */
const CHUNK_CACHE = 'public, max-age=31536000, immutable';

/** Module scripts are fetched with CORS, whatever page they stand on. */
const anyOrigin = createMiddleware<Env>(async (c, next) => {
  Object.assign(headersOf(c), sharedWithAnyOrigin);
  await next();
});

export const elementRoutes = ({ elementDir }: RouteDeps) =>
  new Hono<Env>()
    .get('/phone-proof.js', anyOrigin, compress(), (c) =>
      sendFile(c, elementDir, 'phone-proof.js', ENTRY_CACHE),
    )
    .get('/phone-proof.js.map', anyOrigin, (c) => sendFile(c, elementDir, 'phone-proof.js.map', ENTRY_CACHE))
    .get('/phone-proof/:name', anyOrigin, compress(), (c) =>
      sendFile(c, join(elementDir, 'phone-proof'), c.req.param('name'), CHUNK_CACHE),
    );
