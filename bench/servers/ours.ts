/**
 * The real server: every limit charged, its log at `info` on standard output, as `phone-proof serve` has
 * it. Only the delivery does nothing.
 */
import { parseConfig } from '../../server/config.ts';
import { startServer } from '../../server/serve.ts';
import { ready, serverArguments } from './harness.ts';
import { oursConfig } from './ours-config.ts';

const { dir, redis } = serverArguments();
const nowhere = {
  name: 'nowhere',
  channels: ['sms'] as const,
  send: async ({ reference }: { reference: string }) =>
    ({ kind: 'accepted', providerReference: reference }) as const,
  close() {},
};
const options = { config: parseConfig(oursConfig({ dir, redis })), provider: nowhere };
const server = await startServer(options);
ready(server.port, () => server.close());
