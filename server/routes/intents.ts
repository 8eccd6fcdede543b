/** `POST /v1/intents`: the site's backend names the number. */
import { Hono } from 'hono';
import { intentRequest } from '../contract.ts';
import { backendSite } from './access.ts';
import { answer } from './answer.ts';
import { jsonBody, validated } from './body.ts';
import type { RouteDeps } from './deps.ts';
import type { Env } from './env.ts';

export const intentRoutes = ({ sites, verifications }: RouteDeps) =>
  new Hono<Env>().post('/', jsonBody, validated('json', intentRequest), async (c) => {
    const site = backendSite(c, sites);
    return answer(c, await verifications.intents.create(site, c.req.valid('json')), 201);
  });
