/**
 * How many SMS a text costs: GSM-7 where its alphabet allows, UCS-2 otherwise.
 *
 *     countSegments('Demo Shop: 493027 is your code.');   // { encoding: 'GSM-7', segments: 1, units: 31 }
 *     countSegments('Ваш код: 493027').encoding;           // 'UCS-2'
 *
 * 3GPP TS 23.038 (alphabet, extension table) and TS 23.040 §9.2.3.24.1 (concatenation).
 */

export type SegmentCount = {
  encoding: 'GSM-7' | 'UCS-2';
  segments: number;
  /** Septets in GSM-7, UTF-16 code units in UCS-2, without what concatenation adds. */
  units: number;
};

const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
    '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);

/** Each of these is an escape and a second septet. */
const EXTENSION = new Set('\f^{}\\[~]|€');

/** What one message holds, and each part of several, whose header takes six octets. */
const CAPACITY = { 'GSM-7': { single: 160, part: 153 }, 'UCS-2': { single: 70, part: 67 } };

export function countSegments(text: string): SegmentCount {
  // By code point: neither a surrogate pair nor an escape may be split between two parts.
  const characters = [...text];
  const encoding = characters.every(isGsm7) ? 'GSM-7' : 'UCS-2';
  const sizes = characters.map((character) =>
    encoding === 'UCS-2' ? character.length : EXTENSION.has(character) ? 2 : 1,
  );
  const units = sizes.reduce((sum, size) => sum + size, 0);
  const { single, part } = CAPACITY[encoding];
  return { encoding, segments: units <= single ? 1 : countParts(sizes, part), units };
}

export function isGsm7(text: string): boolean {
  return [...text].every((character) => BASIC.has(character) || EXTENSION.has(character));
}

function countParts(sizes: readonly number[], capacity: number): number {
  let parts = 1;
  let filled = 0;
  for (const size of sizes) {
    if (filled + size > capacity) {
      parts += 1;
      filled = 0;
    }
    filled += size;
  }
  return parts;
}
