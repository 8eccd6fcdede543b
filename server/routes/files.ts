/**
 * Files that browsers load: the element and its chunks, and the simulator's page.
 *
 *     .get('/phone-proof.js', file({ dir: elementDir, name: () => 'phone-proof.js', cacheControl: '…' }))
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Problem } from '../problem.ts';
import { answerWith, headersOf } from './answer.ts';
import type { AppContext } from './env.ts';

const types: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.map': 'application/json',
};

/** One path segment of plain characters: nothing that could leave the folder. */
export const isFileName = (name: string): boolean => /^[\w-]+(\.[\w-]+)+$/.test(name) && !name.includes('..');

/** @throws Problem `not-found` */
export async function sendFile(
  c: AppContext,
  dir: string,
  name: string,
  cacheControl: string,
): Promise<Response> {
  const type = types[extname(name)];
  const bytes = type && isFileName(name) ? await readFile(join(dir, name)).catch(() => undefined) : undefined;
  if (!bytes || !type) throw new Problem('not-found');
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  Object.assign(headersOf(c), { ETag: etag, 'Cache-Control': cacheControl });
  if (c.req.header('If-None-Match')?.includes(etag)) return answerWith(c, null, { status: 304 });
  return answerWith(c, new Uint8Array(bytes), { type });
}
