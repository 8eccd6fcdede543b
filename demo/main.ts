/**
 * `npm start`: builds the element, starts verifier and shop, and says where they are. `--no-build` leaves
 * the element to somebody else (`npm run dev` rebuilds it on every change).
 */
import { parseArgs } from 'node:util';
import { buildElement } from '../scripts/build-element.ts';
import { startDemo } from './start.ts';

const { values } = parseArgs({ options: { 'no-build': { type: 'boolean' } } });
if (!values['no-build']) await buildElement();

const toldToStop = new Promise<void>((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
});
try {
  const demo = await startDemo({ env: process.env });
  console.log(`
  The shop       ${demo.shopUrl}
  The verifier   ${demo.verifierUrl}
  ${demo.isReal ? 'Messages are sent for real, through MessageBird.' : `The phone      ${demo.verifierUrl}/simulator`}
`);
  await toldToStop;
  await demo.close();
} catch (error) {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  const isTold = error instanceof Error && error.name === 'ConfigError';
  console.error(
    isTaken
      ? `${error.message}: stop what runs there, or set PORT and SHOP_PORT to free ports.`
      : isTold
        ? error.message
        : error,
  );
  process.exit(1);
}
