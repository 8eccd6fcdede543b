/**
 * `npm run dev`: the demo with reload. Vite rebuilds the element, Node restarts the servers, each when
 * its own files change; the browser gets the new element with its next load.
 */
import { spawn } from 'node:child_process';
import { buildElement } from '../scripts/build-element.ts';

await buildElement({ watch: true });

const servers = spawn(
  process.execPath,
  [
    '-C',
    'source',
    '--watch-path=server',
    '--watch-path=demo',
    '--watch-preserve-output',
    'demo/main.ts',
    '--no-build',
  ],
  { stdio: 'inherit' },
);
servers.once('exit', (code) => process.exit(code ?? 0));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => servers.kill(signal));
