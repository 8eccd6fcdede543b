/**
 * `npm start`: builds the element, starts verifier and shop, and says where they are. `--no-build` leaves
 * the element to somebody else (`npm run dev` rebuilds it on every change).
 */
import { parseArgs } from 'node:util';
import { buildElement } from '../scripts/build-element.ts';
import { startDemo } from './start.ts';

const { values } = parseArgs({ options: { 'no-build': { type: 'boolean' } } });
if (!values['no-build']) await buildElement();

try {
  const demo = await startDemo({ env: process.env });
  console.log(`
  The shop       ${demo.shopUrl}
  The verifier   ${demo.verifierUrl}
  ${demo.isReal ? 'Messages are sent for real, through MessageBird.' : `The phone      ${demo.verifierUrl}/simulator`}
`);
  const stop = () => {
    demo.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
} catch (error) {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  console.error(
    isTaken ? `${error.message}: stop what runs there, or set PORT and SHOP_PORT to free ports.` : error,
  );
  process.exit(1);
}
