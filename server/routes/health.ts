/** `/livez`: the process runs. `/readyz`: it can decide, and wants requests. */
import { Hono } from 'hono';
import { Problem } from '../problem.ts';
import { answer } from './answer.ts';
import type { RouteDeps } from './deps.ts';
import type { Env } from './env.ts';

export const healthRoutes = ({ store, keys, isDraining }: RouteDeps) =>
  new Hono<Env>()
    .get('/livez', (c) => answer(c, { status: 'ok' }))
    .get('/readyz', async (c) => {
      if (isDraining()) {
        throw new Problem(
          'unavailable',
          {},
          { detail: 'The server is shutting down.', retryAfterSeconds: 1 },
        );
      }
      await store.ping();
      await keys.current();
      return answer(c, { status: 'ok' });
    });
