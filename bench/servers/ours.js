/**
 * The real server, from the package as it is published: every limit charged, its log at `info` on
 * standard output, as `phone-proof serve` has it. Only the delivery does nothing. JavaScript without a
 * helper in TypeScript, because whatever strips types would be counted as its memory.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseConfig } from '../../dist/server/config.js';
import { boundYoungGeneration } from '../../dist/server/heap.js';
import { startServer } from '../../dist/server/serve.js';

const { dir } = parseArgs({ options: { dir: { type: 'string' }, redis: { type: 'string' } } }).values;
const nowhere = {
  name: 'nowhere',
  channels: ['sms'],
  send: async ({ reference }) => ({ kind: 'accepted', providerReference: reference }),
  close() {},
};
boundYoungGeneration();
const config = parseConfig(JSON.parse(readFileSync(join(dir, 'phone-proof.config.json'), 'utf8')));
const server = await startServer({ config, provider: nowhere });

const stop = async () => {
  await server.close();
  process.exit(0);
};
process.once('SIGTERM', stop);
process.once('disconnect', stop);
process.send?.({ port: server.port });
