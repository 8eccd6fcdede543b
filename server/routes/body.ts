/**
 * Request bodies: at most 16 KiB of JSON in well-formed UTF-8, and nothing else.
 *
 *     app.post('/v1/intents', jsonBody, validated('json', intentRequest), …)
 */
import { zValidator } from '@hono/zod-validator';
import type { ValidationTargets } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import type { z } from 'zod';
import { Problem } from '../problem.ts';
import type { AppContext, Env } from './env.ts';

const MAX_BODY_BYTES = 16 * 1024;

const limitedStream = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new Problem('payload-too-large');
  },
});

const utf8 = new TextDecoder('utf-8', { fatal: true });

const wellFormed = async (c: AppContext): Promise<void> => {
  const bytes = await c.req.arrayBuffer();
  if (bytes.byteLength > 0 && !isJson(c.req.header('Content-Type')))
    throw new Problem('unsupported-media-type');
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw malformedBody('the body is not valid UTF-8');
  }
  // The validator reads hono's cache of the body (promises by kind), and only under this type. An absent
  // body is an empty object: a resend needs to say nothing.
  Object.assign(c.req.bodyCache, { text: Promise.resolve(text || '{}') });
  if (text === '') c.req.raw.headers.set('Content-Type', 'application/json');
};

export const jsonBody = createMiddleware<Env>(async (c, next) => {
  // A length that is told is kept to by Node's HTTP parser; only a body without one has to be counted.
  const length = c.req.header('Content-Length');
  const isTold = length !== undefined && c.req.header('Transfer-Encoding') === undefined;
  if (!isTold) {
    return limitedStream(c, async () => {
      await wellFormed(c);
      await next();
    });
  }
  if (Number(length) > MAX_BODY_BYTES) throw new Problem('payload-too-large');
  await wellFormed(c);
  return next();
});

/** `application/json`, in UTF-8 if it names a charset at all (RFC 8259 §8.1 knows no other). */
function isJson(contentType: string | undefined): boolean {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  return (
    type.trim() === 'application/json' && parameters.every((text) => !/charset=(?!"?utf-?8"?\s*$)/.test(text))
  );
}

const malformedBody = (message: string) =>
  new Problem('malformed-request', { errors: [{ path: '', message }] }, { detail: `${message}.` });

/** Validates a part of the request; what is wrong is told by path. */
export const validated = <Target extends keyof ValidationTargets, Schema extends z.ZodType>(
  target: Target,
  schema: Schema,
) =>
  zValidator(target, schema, (result) => {
    if (result.success) return;
    const errors = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
    throw new Problem('malformed-request', { errors });
  });
