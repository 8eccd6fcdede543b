/**
 * The one place where an error becomes an answer: RFC 9457 problem details with our `code`.
 *
 *     app.onError(problemAnswers({ publicUrl, log }));
 *     app.notFound(() => { throw new Problem('not-found'); });
 */
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ProblemBody } from '../contract.ts';
import type { Log } from '../log.ts';
import { Problem, problems } from '../problem.ts';
import { StoreUnavailable } from '../store/store.ts';
import { answer, headersOf } from './answer.ts';
import type { Env } from './env.ts';
import { rateLimitField } from './rate-limit.ts';

/** How long a client should leave the server alone when the store is gone. */
const UNAVAILABLE_RETRY_SECONDS = 2;

export function problemAnswers({ publicUrl, log }: { publicUrl: string; log: Log }) {
  return (error: Error, c: Context<Env>): Response => {
    const problem = toProblem(error);
    const requestId = c.get('requestId');
    if (c.req.raw.signal.aborted) {
      log.debug({ event: 'request.aborted', requestId, path: c.req.path });
    } else if (problem.code === 'internal-error') {
      log.error({
        event: 'request.failed',
        requestId,
        path: c.req.path,
        error: error.stack ?? String(error),
      });
    } else if (problem.code === 'unavailable') {
      log.error({
        event: 'request.unavailable',
        requestId,
        path: c.req.path,
        error: String(problem.cause ?? problem),
      });
    }

    const headers = headersOf(c);
    const { status, title } = problems[problem.code];
    const body: ProblemBody = {
      type: `${publicUrl}/problems/${problem.code}`,
      title,
      status,
      detail: problem.message,
      instance: requestId,
      code: problem.code,
      ...problem.members,
    };
    const retryAfterSeconds =
      problem.retryAfterSeconds ?? (status === 503 ? UNAVAILABLE_RETRY_SECONDS : undefined);
    if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(retryAfterSeconds);
    if (problem.rateLimit) headers.RateLimit = rateLimitField(problem.rateLimit);
    if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
    headers['Content-Type'] = 'application/problem+json';
    headers['Cache-Control'] = 'no-store';
    return answer(c, body, status);
  };
}

function toProblem(error: Error): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof StoreUnavailable) {
    return new Problem('unavailable', {}, { cause: error });
  }
  // hono's own refusals: a body that is no JSON, a body that is too large.
  if (error instanceof HTTPException && error.status === 413) return new Problem('payload-too-large');
  if (error instanceof HTTPException && error.status < 500) {
    return new Problem('malformed-request', { errors: [{ path: '', message: error.message }] });
  }
  return new Problem('internal-error', {}, { cause: error });
}
