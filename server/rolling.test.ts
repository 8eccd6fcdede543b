/** A new release goes out while people verify their numbers: not one request may be lost. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../scripts/free-port.ts';
import { startBalancer } from './testing/balancer.ts';
import { createCalls, wrongFor } from './testing/calls.ts';
import { ENV_SECRET, type Served, serve, writeConfig } from './testing/command-line.ts';
import { until } from './testing/poll.ts';
import { ORIGIN } from './testing/server.ts';
import { sharedStores } from './testing/stores.ts';
import { tempDir } from './testing/temp-dir.ts';

const SERVERS = 3;
const PEOPLE = 12;

const calls = createCalls({ siteKey: 'pk_test', secretKey: 'sk_test', origin: ORIGIN, secret: ENV_SECRET });

/** One person after the other, each on the way to a proof that is redeemed. */
async function visit(url: string, phone: string, unexpected: string[]): Promise<void> {
  const expectStatus = (what: string, { status, body }: { status: number; body: object }, wanted: number) => {
    if (status !== wanted) unexpected.push(`${what}: ${status} ${JSON.stringify(body)}`);
  };
  const started = await calls.start(url, { phone });
  expectStatus('start', started, 201);
  if (started.status !== 201) return;
  const held = calls.holderOf(started);
  const code = calls.codeOf(held);
  expectStatus('wrong check', await calls.check(url, held, wrongFor(code)), 422);
  const checked = await calls.check(url, held, code);
  expectStatus('check', checked, 200);
  expectStatus('redeem', await calls.redeem(url, String(checked.body.proof)), 200);
  const seen = await calls.read(url, held);
  expectStatus('read', seen, 200);
  if (seen.body.status !== 'approved') unexpected.push(`read: ${JSON.stringify(seen.body)}`);
}

describe.each(sharedStores)('three servers on $name behind a balancer', ({ isHere, open }) => {
  it.skipIf(!isHere)('are replaced one after the other under load, and no request is lost', async () => {
    const dir = tempDir();
    writeConfig(dir, { drainDelay: '2s' });
    const env = await open();
    const ports = await Promise.all(Array.from({ length: SERVERS }, freePort));
    const startOn = (port: number) => serve({ cwd: dir, env: { ...env, PORT: String(port) } });
    const servers = new Map<number, Served>();
    for (const port of ports) servers.set(port, await startOn(port));
    const balancer = await startBalancer(ports);
    onTestFinished(() => balancer.close());
    await until(() => ports.every(balancer.isIn), 'every server being ready');

    const unexpected: string[] = [];
    let isOver = false;
    let visits = 0;
    let nextPhone = 10_000_000;
    const load = Array.from({ length: PEOPLE }, async () => {
      while (!isOver) {
        await visit(balancer.url, `+316${nextPhone++}`, unexpected);
        visits += 1;
      }
    });
    const some = async () => {
      const before = visits;
      await until(() => visits > before + PEOPLE, 'more verifications');
    };

    await some();
    for (const port of ports) {
      const old = servers.get(port)!;
      old.child.kill('SIGTERM');
      expect(await old.ended).toMatchObject({ code: 0, stderr: '' });
      await some();
      const answers = balancer.answersOf(port);
      servers.set(port, await startOn(port));
      await until(() => balancer.answersOf(port) > answers, 'the new server being asked');
      await some();
    }
    isOver = true;
    await Promise.all(load);
    expect(balancer.losses).toEqual([]);
    expect(unexpected).toEqual([]);
  });
});
