/**
 * `npm run build`: everything that the package ships, into `dist/`: the element by Vite, the server by
 * tsc, and the files that the server serves as they are.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { buildElement } from './build-element.ts';

rmSync('dist', { recursive: true, force: true });
await buildElement();
for (const project of ['tsconfig.build.json', 'widget/tsconfig.build.json']) {
  const { status } = spawnSync('tsc', ['-p', project], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(1);
}
for (const folder of ['server/delivery/simulator', 'server/store/redis/scripts']) {
  cpSync(folder, `dist/${folder}`, { recursive: true });
}
