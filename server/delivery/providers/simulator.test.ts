import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OutgoingMessage } from '../provider.ts';
import { createSimulator, type Simulator } from './simulator.ts';

const run = promisify(execFile);
let directory: string;
let file: string;
let now: number;
const opened: Simulator[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'phone-proof-simulator-'));
  file = join(directory, 'simulator.db');
  now = Date.parse('2026-01-02T03:04:05.678Z');
});

afterEach(() => {
  for (const simulator of opened.splice(0)) simulator.close();
  rmSync(directory, { recursive: true });
});

function open(options: { file?: string } = { file }): Simulator {
  const simulator = createSimulator({ ...options, clock: () => now });
  opened.push(simulator);
  return simulator;
}

function sms(to: string, code: string): OutgoingMessage {
  const body = `Demo Shop: ${code} is your code.`;
  return {
    reference: `dlv_${code}`,
    channel: 'sms',
    to,
    originator: 'DemoShop',
    body,
    code,
    validitySeconds: 300,
  };
}

describe('the simulator', () => {
  it('keeps what it was sent, as the inbox shows it', async () => {
    const simulator = open();
    const outcome = await simulator.send(sms('+31612345678', '493027'));
    const messages = simulator.messages({});
    expect(messages).toEqual([
      {
        id: expect.stringMatching(/^sim_/),
        to: '+31612345678',
        channel: 'sms',
        body: 'Demo Shop: 493027 is your code.',
        code: '493027',
        provider: 'simulator',
        at: '2026-01-02T03:04:05.678Z',
        status: 'delivered',
      },
    ]);
    expect(outcome).toEqual({ kind: 'accepted', providerReference: messages[0]?.id });
  });

  it('lists the newest first, of one number or of all, as many as asked for', async () => {
    const simulator = open();
    for (const code of ['1001', '1002', '1003']) {
      await simulator.send(sms('+31612345678', code));
      await simulator.send(sms('+4915112345678', code.replace('1', '2')));
    }
    const codes = (filter: { to?: string; limit?: number }) =>
      simulator.messages(filter).map(({ code }) => code);
    expect(codes({})).toEqual(['2003', '1003', '2002', '1002', '2001', '1001']);
    expect(codes({ to: '+31612345678' })).toEqual(['1003', '1002', '1001']);
    expect(codes({ to: '+31612345678', limit: 1 })).toEqual(['1003']);
    expect(codes({ to: '+31600000000' })).toEqual([]);
  });

  it('shows one handle at once what another was sent, and keeps it for the next', async () => {
    const sender = open();
    const reader = open();
    await sender.send(sms('+31612345678', '1001'));
    expect(reader.messages({})).toHaveLength(1);
    sender.close();
    reader.close();
    expect(open().messages({})).toHaveLength(1);
  });

  it('is shared by processes that open it at the same moment', async () => {
    const script = `
      import { createSimulator } from ${JSON.stringify(new URL('./simulator.ts', import.meta.url).href)};
      const simulator = createSimulator({ file: process.argv[1], clock: Date.now });
      for (let n = 0; n < 100; n += 1) {
        const outcome = await simulator.send({ reference: 'r', channel: 'sms', to: '+31612345678',
          originator: 'Demo', body: 'code', code: String(1000 + n) });
        if (outcome.kind !== 'accepted') throw new Error(outcome.reason);
      }
      simulator.close();`;
    await Promise.all(
      Array.from({ length: 4 }, () => run(process.execPath, ['--input-type=module', '-e', script, file])),
    );
    expect(open().messages({ limit: 1000 })).toHaveLength(400);
  }, 30_000);

  it('keeps the newest ten thousand', async () => {
    const simulator = open({});
    for (let n = 0; n < 10_005; n += 1) await simulator.send(sms('+31612345678', String(n)));
    const all = simulator.messages({ limit: 20_000 });
    expect(all).toHaveLength(10_000);
    expect([all[0]?.code, all.at(-1)?.code]).toEqual(['10004', '5']);
  });

  it('refuses, and does not throw, once closed', async () => {
    const simulator = open();
    simulator.close();
    simulator.close();
    expect(await simulator.send(sms('+31612345678', '1001'))).toEqual({
      kind: 'refused',
      reason: 'provider-closed',
    });
  });
});
