/**
 * Writes `widget/phone/data/countries.ts`: which country has which calling code.
 *
 *     node scripts/generate-phone-data.ts
 *
 * Run it after updating libphonenumber-js, whose metadata is the source; a test of the element fails
 * when the table is older than that metadata.
 */
import { writeFileSync } from 'node:fs';
import metadata from 'libphonenumber-js/min/metadata';

const target = new URL('../widget/phone/data/countries.ts', import.meta.url);

/**
 * One string, because it is the smallest thing on the wire: `7RUKZ` reads 'calling code 7 is shared by
 * RU, its main country, and KZ'. libphonenumber-js lists the main country of a shared code first.
 */
const table = Object.entries(metadata.country_calling_codes)
  .map(([callingCode, countries]) => callingCode + countries.join(''))
  .join('');

writeFileSync(
  target,
  `// Generated from libphonenumber-js by \`node scripts/generate-phone-data.ts\`: do not edit.
/** Calling codes, each followed by its countries (ISO 3166-1 alpha-2), the main country first. */
export const callingCodeTable =
  // biome-ignore format: one line, as generated
  '${table}';
`,
);
