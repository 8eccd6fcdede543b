/**
 * The whole HTTP surface in one place. No side effects: `serve.ts` gives it parts and a port.
 *
 *     const app = createApp(deps);
 *     const answer = await app.request('/livez');
 */
import { Hono } from 'hono';
import { Problem } from './problem.ts';
import { randomId } from './random.ts';
import { answer, type HeaderRecord } from './routes/answer.ts';
import type { RouteDeps } from './routes/deps.ts';
import { elementRoutes } from './routes/element.ts';
import type { Env } from './routes/env.ts';
import { problemAnswers } from './routes/errors.ts';
import { healthRoutes } from './routes/health.ts';
import { homeRoutes } from './routes/home.ts';
import { intentRoutes } from './routes/intents.ts';
import { openApiDocument } from './routes/openapi.ts';
import { proofRoutes } from './routes/proofs.ts';
import { simulatorRoutes } from './routes/simulator.ts';
import { verificationRoutes } from './routes/verifications.ts';
import { wellKnownRoutes } from './routes/well-known.ts';
import { widgetConfigRoutes } from './routes/widget-config.ts';

/** Pages of ours load scripts, styles and data from here alone, and stand in nobody's frame. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const REQUEST_ID_BYTES = 12;

/** On every answer, as the OWASP HTTP headers cheat sheet has them. */
const securityHeadersFor = (publicUrl: string): HeaderRecord => ({
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  ...(publicUrl.startsWith('https:') && { 'Strict-Transport-Security': 'max-age=31536000' }),
});

export function createApp(deps: RouteDeps): Hono<Env> {
  const { config, log, clock, isDraining, simulator } = deps;
  const openApi = openApiDocument(config.publicUrl);

  const securityHeaders = securityHeadersFor(config.publicUrl);
  const answerProblem = problemAnswers({ publicUrl: config.publicUrl, log });

  return new Hono<Env>()
    .onError(answerProblem)
    .notFound((c) => answerProblem(new Problem('not-found'), c))
    .use(async (c, next) => {
      const startedAt = clock();
      const requestId = `req_${randomId(REQUEST_ID_BYTES)}`;
      c.set('requestId', requestId);
      c.set('headers', { 'X-Request-Id': requestId, ...securityHeaders });
      await next();
      if (isDraining()) c.header('Connection', 'close');
      log.debug({
        event: 'request',
        requestId,
        method: c.req.method,
        route: c.req.routePath,
        status: c.res.status,
        tookMs: clock() - startedAt,
      });
    })
    .route('/v1/widget-config', widgetConfigRoutes(deps))
    .route('/v1/verifications', verificationRoutes(deps))
    .route('/v1/intents', intentRoutes(deps))
    .route('/v1/proofs', proofRoutes(deps))
    .route('/.well-known', wellKnownRoutes(deps))
    .get('/openapi.json', (c) => answer(c, openApi))
    .route('/simulator', simulator ? simulatorRoutes(simulator) : new Hono<Env>())
    .route('/', elementRoutes(deps))
    .route('/', healthRoutes(deps))
    .route('/', homeRoutes(deps));
}
