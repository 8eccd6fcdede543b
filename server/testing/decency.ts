/**
 * What every answer owes to whoever asked, however odd the question was.
 *
 *     expectDecent(await send(…), 'what was sent');
 */
import { expect } from 'vitest';

/** Statuses with which Node's parser refuses what is hardly HTTP, before any code of ours runs. */
const PARSER_STATUSES = [400, 413, 417, 431];

type Received = { status: number; contentType: string | null; requestId: string | null; body: string };

/** No 5xx, no stack; a refusal is problem+json with our members. */
export function expectDecent({ status, contentType, requestId, body }: Received, sent: string): void {
  const told = `${sent.slice(0, 200)} → ${status} ${body.slice(0, 200)}`;
  expect(status, told).toBeLessThan(500);
  expect(body, told).not.toMatch(/\bat .+:\d+:\d+|node_modules|SQLITE|Error:/);
  if (status < 400) return;
  if (requestId === null && body === '' && PARSER_STATUSES.includes(status)) return;
  expect(contentType, told).toBe('application/problem+json');
  const problem = JSON.parse(body);
  expect(problem, told).toMatchObject({
    type: expect.stringMatching(/^https?:.*\/problems\/[a-z-]+$/),
    title: expect.any(String),
    detail: expect.any(String),
    instance: requestId,
    code: expect.stringMatching(/^[a-z-]+$/),
  });
  if (problem.code === 'malformed-request') {
    expect(problem.errors, told).toEqual(
      expect.arrayContaining([expect.objectContaining({ path: expect.any(String) })]),
    );
  }
}

/** As `fetch` answers. */
export async function expectDecentResponse(response: Response, sent: string): Promise<number> {
  expectDecent(
    {
      status: response.status,
      contentType: response.headers.get('Content-Type'),
      requestId: response.headers.get('X-Request-Id'),
      body: await response.text(),
    },
    sent,
  );
  return response.status;
}

/** That nothing broke on the way since the last look: the server lives, and logged no error of its own. */
export async function expectUnharmed(server: { url: string; logLines: string[] }): Promise<void> {
  const lines = server.logLines.splice(0);
  const failures = lines.filter((line) => line.includes('"level":"error"'));
  expect([...new Set(failures.map((line) => JSON.parse(line).error))]).toEqual([]);
  expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
}
