/**
 * The whole HTTP surface in one place. No side effects: `serve.ts` gives it parts and a port.
 *
 *     const app = createApp(deps);
 *     const answer = await app.request('/livez');
 */
import { randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import { Problem } from './problem.ts';
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
const contentSecurityPolicy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
};

export function createApp(deps: RouteDeps): Hono<Env> {
  const { config, log, clock, isDraining, simulator } = deps;
  const openApi = openApiDocument(config.publicUrl);

  const answerProblem = problemAnswers({ publicUrl: config.publicUrl, log });

  return new Hono<Env>()
    .onError(answerProblem)
    .notFound((c) => answerProblem(new Problem('not-found'), c))
    .use(async (c, next) => {
      const startedAt = clock();
      c.set('requestId', `req_${randomBytes(12).toString('base64url')}`);
      await next();
      c.header('X-Request-Id', c.get('requestId'));
      if (isDraining()) c.header('Connection', 'close');
      log.debug({
        event: 'request',
        requestId: c.get('requestId'),
        method: c.req.method,
        route: c.req.routePath,
        status: c.res.status,
        tookMs: clock() - startedAt,
      });
    })
    .use(
      secureHeaders({
        contentSecurityPolicy,
        crossOriginResourcePolicy: false,
        strictTransportSecurity: config.publicUrl.startsWith('https:') && 'max-age=31536000',
        xFrameOptions: 'DENY',
      }),
    )
    .route('/v1/widget-config', widgetConfigRoutes(deps))
    .route('/v1/verifications', verificationRoutes(deps))
    .route('/v1/intents', intentRoutes(deps))
    .route('/v1/proofs', proofRoutes(deps))
    .route('/.well-known', wellKnownRoutes(deps))
    .get('/openapi.json', (c) => c.json(openApi))
    .route('/simulator', simulator ? simulatorRoutes(simulator) : new Hono<Env>())
    .route('/', elementRoutes(deps))
    .route('/', healthRoutes(deps))
    .route('/', homeRoutes(deps));
}
