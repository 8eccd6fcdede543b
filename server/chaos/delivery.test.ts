/** One message for a request, also where nobody knows for a while what became of it. */
import { expect, it, onTestFinished } from 'vitest';
import type { Provider, SendOutcome } from '../delivery/provider.ts';
import { until } from '../testing/poll.ts';
import { startTestServer } from '../testing/server.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { newPhone } from './harness.ts';

/** A vendor that answers what it is told to, when it is told to. */
function vendor() {
  const waiting: ((outcome: SendOutcome) => void)[] = [];
  const provider: Provider = {
    name: 'simulator',
    channels: ['sms'],
    send: () => new Promise((resolve) => waiting.push(resolve)),
    close: () => {},
  };
  return {
    provider,
    asked: () => waiting.length,
    answer: (outcome: SendOutcome) => waiting.at(-1)?.(outcome),
  };
}

async function serverOf(provider: Provider, dataDir: string) {
  const server = await startTestServer({ config: { dataDir }, provider });
  onTestFinished(() => server.close());
  const body = { phone: newPhone(), purpose: 'registration' };
  return {
    server,
    start: (phone = body.phone) => server.start({ ...body, phone }, { 'Idempotency-Key': 'k-1' }),
  };
}

it('a message that may be out does not go out again, however late the repeat comes', async () => {
  const { provider, asked, answer } = vendor();
  const { server, start } = await serverOf(provider, tempDir());
  const first = start();
  await until(() => asked() === 1, 'a message');
  answer({ kind: 'unknown', reason: 'timeout' });
  expect((await first).body.delivery.status).toBe('queued');
  server.clock.advance(60_000);
  const again = await start();
  expect([again.status, again.body.delivery.status]).toEqual([201, 'queued']);
  expect(asked()).toBe(1);
});

it('a message on its way through a slow vendor is left to whoever sends it', async () => {
  const [slow, other, dataDir, phone] = [vendor(), vendor(), tempDir(), newPhone()];
  const one = await serverOf(slow.provider, dataDir);
  const two = await serverOf(other.provider, dataDir);
  const first = one.start(phone);
  await until(() => slow.asked() === 1, 'a message');
  const started = one.server.logLines.find((line) => line.includes('"verification.started"')) ?? '{}';
  const id: string = JSON.parse(started).verification;
  // Seconds before another would take over, the sender says that it is at work.
  await until(async () => (await one.server.store.find(id))?.deliveries[0]?.reason !== null, 'its word');
  two.server.clock.advance(20_000);
  const second = two.start(phone);
  slow.answer({ kind: 'accepted', providerReference: 'm-1' });
  for (const { status, body } of await Promise.all([first, second])) {
    expect([status, body.delivery.status]).toEqual([201, 'sent']);
  }
  expect([slow.asked(), other.asked()]).toEqual([1, 0]);
});
