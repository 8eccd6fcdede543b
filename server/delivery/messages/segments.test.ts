import { describe, expect, it } from 'vitest';
import { countSegments } from './segments.ts';

const table: [string, string, ReturnType<typeof countSegments>][] = [
  ['an ordinary text', 'Your code is 493027.', { encoding: 'GSM-7', segments: 1, units: 20 }],
  ['nothing', '', { encoding: 'GSM-7', segments: 1, units: 0 }],
  ['160 septets', 'a'.repeat(160), { encoding: 'GSM-7', segments: 1, units: 160 }],
  ['161 septets', 'a'.repeat(161), { encoding: 'GSM-7', segments: 2, units: 161 }],
  ['two full parts', 'a'.repeat(306), { encoding: 'GSM-7', segments: 2, units: 306 }],
  ['one more than two parts', 'a'.repeat(307), { encoding: 'GSM-7', segments: 3, units: 307 }],
  ['line ends', 'a\r\nb', { encoding: 'GSM-7', segments: 1, units: 4 }],
  [
    'what the basic table has beyond ASCII',
    '@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà',
    { encoding: 'GSM-7', segments: 1, units: 42 },
  ],
  [
    'the whole extension table, at two septets each',
    '\f^{}\\[~]|€',
    { encoding: 'GSM-7', segments: 1, units: 20 },
  ],
  ['80 escapes', '€'.repeat(80), { encoding: 'GSM-7', segments: 1, units: 160 }],
  // 153 is odd: an escape does not fit into the last septet of a part.
  ['escapes not split between parts', '€'.repeat(153), { encoding: 'GSM-7', segments: 3, units: 306 }],
  ['a letter that only looks like one of the table', 'ç', { encoding: 'UCS-2', segments: 1, units: 1 }],
  ['a narrow no-break space', '250\u202f€', { encoding: 'UCS-2', segments: 1, units: 5 }],
  ['a backtick', '`', { encoding: 'UCS-2', segments: 1, units: 1 }],
  ['70 units', 'ж'.repeat(70), { encoding: 'UCS-2', segments: 1, units: 70 }],
  ['71 units', 'ж'.repeat(71), { encoding: 'UCS-2', segments: 2, units: 71 }],
  ['two full parts of UCS-2', 'ж'.repeat(134), { encoding: 'UCS-2', segments: 2, units: 134 }],
  ['35 surrogate pairs', '😀'.repeat(35), { encoding: 'UCS-2', segments: 1, units: 70 }],
  // 67 is odd: a pair does not fit into the last unit of a part.
  ['pairs not split between parts', '😀'.repeat(67), { encoding: 'UCS-2', segments: 3, units: 134 }],
];

describe('counting segments', () => {
  it.each(table)('counts %s', (_what, text, expected) => {
    expect(countSegments(text)).toEqual(expected);
  });
});
