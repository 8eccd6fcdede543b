/** `/simulator`: the phone that receives what no operator sends. Only where it is the provider. */
import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { z } from 'zod';
import type { Simulator } from '../delivery/providers/simulator.ts';
import { answer, headersOf, sharedWithAnyOrigin } from './answer.ts';
import { validated } from './body.ts';
import type { Env } from './env.ts';
import { sendFile } from './files.ts';

const dir = fileURLToPath(new URL('../delivery/simulator/', import.meta.url));

const inboxQuery = z.object({
  to: z
    .string()
    .max(20)
    // In a query string a plus sign is a space.
    .transform((text) => text.trim().replace(/^(?=\d)/, '+'))
    .optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

/** A development tool: any page of the desk may show the phone and read its inbox. */
const anyOrigin = createMiddleware<Env>(async (c, next) => {
  Object.assign(headersOf(c), sharedWithAnyOrigin);
  await next();
});

export const simulatorRoutes = (simulator: Simulator) =>
  new Hono<Env>()
    .use(anyOrigin)
    .get('/', (c) => sendFile(c, dir, 'page.html', 'no-cache'))
    .get('/messages', validated('query', inboxQuery), (c) => {
      const { to, limit } = c.req.valid('query');
      return answer(c, simulator.messages({ limit, ...(to !== undefined && { to }) }));
    })
    .get('/:name', (c) => sendFile(c, dir, c.req.param('name'), 'no-cache'));
