/**
 * What every refused request has in common, in one assertion.
 *
 *     expectProblem(answer, 422, 'incorrect-code', { attemptsRemaining: 4, status: 'pending' });
 */
import { expect } from 'vitest';
import { type Answer, ISSUER } from './server.ts';

/**
 * RFC 9457 with our `code`, the named members and no others, and the headers that belong to it.
 *
 * @param members each exactly as given; asymmetric matchers are welcome
 */
export function expectProblem(
  { status: actualStatus, headers, body }: Answer<object>,
  status: number,
  code: string,
  members: Record<string, unknown> = {},
): void {
  expect(body).toEqual({
    type: `${ISSUER}/problems/${code}`,
    title: expect.stringMatching(/\S/),
    status,
    detail: expect.stringMatching(/\S/),
    instance: headers.get('X-Request-Id'),
    code,
    ...members,
  });
  expect(actualStatus).toBe(status);
  expect(headers.get('Content-Type')).toBe('application/problem+json');
  expect(headers.get('Cache-Control')).toBe('no-store');
  expect(headers.get('X-Request-Id')).toMatch(/^req_[\w-]{16}$/);
  if (status === 429 || status === 503) expect(headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
  else expect(headers.get('Retry-After')).toBeNull();
  if (status === 401) expect(headers.get('WWW-Authenticate')).toBe('Bearer');
}

/** `malformed-request`, which must name exactly these paths. */
export function expectMalformed(answer: Answer<object>, ...paths: string[]): void {
  expectProblem(answer, 400, 'malformed-request', { errors: expect.any(Array) });
  const { errors } = answer.body as { errors: { path: string; message: string }[] };
  expect([...new Set(errors.map(({ path }) => path))]).toEqual(paths);
  for (const { message } of errors) expect(message).toMatch(/\S/);
}
