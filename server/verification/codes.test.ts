import { describe, expect, it } from 'vitest';
import type { CodeShape } from '../contract.ts';
import { Secret } from '../secrets.ts';
import { alphabets, deriveCode, isSameCode, readCode, SEED_BYTES } from './codes.ts';

const secret = new Secret('a secret for tests, long enough to be one');
const ID = 'vrf_k3AAAAAAAAAAAAAAAAAAAAAA';
const OTHER_ID = 'vrf_k3AAAAAAAAAAAAAAAAAAAAAB';

/** Different for each number, the same in each run. */
function seedOf(nth: number): Buffer {
  const seed = Buffer.alloc(SEED_BYTES);
  seed.writeUInt32BE(nth, SEED_BYTES - 4);
  return seed;
}

const numeric: CodeShape = { length: 6, alphabet: 'numeric' };
const alphanumeric: CodeShape = { length: 6, alphabet: 'alphanumeric' };
const shapes = (['numeric', 'alphanumeric'] as const).flatMap((alphabet) =>
  [4, 5, 6, 7, 8, 9, 10].map((length): CodeShape => ({ length, alphabet })),
);

/**
 * Pearson's statistic against 'every symbol equally often'. The critical values are those of the
 * chi-square distribution at p = 0.001; the seeds are fixed, so a run cannot be unlucky.
 */
function chiSquare(counts: Uint32Array): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

const critical = {
  /** 9 degrees of freedom, 99 for pairs. */
  numeric: { single: 27.88, pair: 148.23 },
  /** 22 degrees of freedom, 528 for pairs. */
  alphanumeric: { single: 48.27, pair: 634.1 },
};

describe('a derived code', () => {
  it.each(['numeric', 'alphanumeric'] as const)(
    'is uniform in each position, over a million %s codes of the greatest length',
    (alphabet) => {
      const symbols = alphabets[alphabet];
      const base = symbols.length;
      const indexOf = new Map([...symbols].map((symbol, index) => [symbol, index]));
      const singles = Array.from({ length: 10 }, () => new Uint32Array(base));
      const pairs = Array.from({ length: 9 }, () => new Uint32Array(base * base));
      for (let nth = 0; nth < 1_000_000; nth += 1) {
        const code = deriveCode(secret, seedOf(nth), ID, { length: 10, alphabet });
        let before = -1;
        for (let position = 0; position < 10; position += 1) {
          const index = indexOf.get(code.charAt(position)) ?? Number.NaN;
          singles[position]![index]! += 1;
          if (position > 0) pairs[position - 1]![before * base + index]! += 1;
          before = index;
        }
      }
      for (const [position, counts] of singles.entries()) {
        expect(chiSquare(counts), `position ${position}`).toBeLessThan(critical[alphabet].single);
      }
      for (const [position, counts] of pairs.entries()) {
        expect(chiSquare(counts), `positions ${position} and ${position + 1}`).toBeLessThan(
          critical[alphabet].pair,
        );
      }
    },
    300_000,
  );

  it('would not pass for uniform if it were the remainder of a byte', () => {
    const counts = new Uint32Array(10);
    for (let nth = 0; nth < 50_000; nth += 1) {
      for (const byte of secret.mac('code', seedOf(nth), ID, Uint8Array.of(0)).subarray(0, 10)) {
        counts[byte % 10]! += 1;
      }
    }
    expect(chiSquare(counts)).toBeGreaterThan(critical.numeric.single);
  });

  it.each(shapes)('has $length symbols of the $alphabet alphabet', (shape) => {
    for (let nth = 0; nth < 500; nth += 1) {
      const code = deriveCode(secret, seedOf(nth), ID, shape);
      expect(code).toHaveLength(shape.length);
      expect([...code].every((symbol) => alphabets[shape.alphabet].includes(symbol))).toBe(true);
      expect(readCode(code, shape)).toBe(code);
    }
  });

  // Computed by another implementation (Python's hmac and hashlib): HKDF-SHA-256 of the secret with the
  // info 'phone-proof code v1', then HMAC-SHA-256 over seed, id and block number, each after its length.
  it.each([
    ['00000000000000000000000000000000', ID, '6634765453', 'YHMR4QW79P'],
    ['00000000000000000000000000000000', OTHER_ID, '9525011850', 'JR2CCYGFXP'],
    ['000102030405060708090a0b0c0d0e0f', ID, '4557223935', 'GR478XKYTY'],
    ['000102030405060708090a0b0c0d0e0f', OTHER_ID, '5105094959', 'FMT8KH7MVJ'],
    ['ffffffffffffffffffffffffffffffff', ID, '3574764155', 'JCRYC8VGRR'],
    ['ffffffffffffffffffffffffffffffff', OTHER_ID, '1649100125', '2YJ4JTWCGW'],
  ])('of seed %s for %s is known', (seed, id, digits, letters) => {
    const bytes = Buffer.from(seed, 'hex');
    for (let length = 4; length <= 10; length += 1) {
      expect(deriveCode(secret, bytes, id, { length, alphabet: 'numeric' })).toBe(digits.slice(0, length));
      expect(deriveCode(secret, bytes, id, { length, alphabet: 'alphanumeric' })).toBe(
        letters.slice(0, length),
      );
    }
  });

  it('is the same each time, and another under another seed, id or secret', () => {
    const shape: CodeShape = { length: 10, alphabet: 'alphanumeric' };
    const code = deriveCode(secret, seedOf(1), ID, shape);
    expect(deriveCode(new Secret('a secret for tests, long enough to be one'), seedOf(1), ID, shape)).toBe(
      code,
    );
    expect(deriveCode(secret, seedOf(2), ID, shape)).not.toBe(code);
    expect(deriveCode(secret, seedOf(1), OTHER_ID, shape)).not.toBe(code);
    expect(
      deriveCode(new Secret('another secret, just as long as the first'), seedOf(1), ID, shape),
    ).not.toBe(code);
  });

  it('goes on to the next block when a block runs out of fair bytes', () => {
    // A secret whose first block is unfair throughout: nothing may be taken from it.
    const stingy = new Secret('a secret for tests, long enough to be one');
    const blocks: number[] = [];
    stingy.mac = (_use, ...parts) => {
      const block = Number(Buffer.from(parts[2] as Uint8Array)[0]);
      blocks.push(block);
      return Buffer.alloc(32, block === 0 ? 255 : 7);
    };
    expect(deriveCode(stingy, seedOf(0), ID, numeric)).toBe('777777');
    expect(blocks).toEqual([0, 1]);
  });
});

describe('the alphabets', () => {
  it('have no symbol twice, and letters no vowel', () => {
    for (const symbols of Object.values(alphabets)) expect(new Set(symbols).size).toBe(symbols.length);
    expect(alphabets.alphanumeric).not.toMatch(/[AEIOU]/);
  });

  it('have at most one of each pair that is mistaken for the other', () => {
    for (const pair of ['0O', '0D', '0Q', '1I', '1L', 'IL', '2Z', '5S', '8B', 'UV', 'MN']) {
      const kept = [...pair].filter((symbol) => alphabets.alphanumeric.includes(symbol));
      expect(kept.length, pair).toBeLessThan(2);
    }
  });
});

describe('what was typed', () => {
  it.each([
    ['as it is', '123456'],
    ['with a space in the middle', '123 456'],
    ['with spaces around', '  123456\t\n'],
    ['one by one', '1 2 3 4 5 6'],
    ['with a hyphen', '123-456'],
    ['with a non-breaking hyphen', '123\u2011456'],
    ['with a figure dash', '123\u2012456'],
    ['with an en dash', '123\u2013456'],
    ['with an em dash', '123 \u2014 456'],
    ['with a full-width hyphen', '123\uff0d456'],
    ['with a small hyphen', '123\ufe63456'],
    ['with a no-break space', '123\u00a0456'],
    ['with a narrow no-break space', '123\u202f456'],
    ['with an ideographic space', '123\u3000456'],
    ['with a thin space', '123\u2009456'],
    ['with a zero-width space', '123\u200b456'],
    ['with a soft hyphen', '123\u00ad456'],
    ['with a byte order mark', '\ufeff123456'],
    ['between direction marks', '\u202a\u200e123456\u202c'],
    ['between isolates', '\u2066123456\u2069'],
    ['in full width', '１２３４５６'],
    ['in Arabic-Indic digits', '١٢٣٤٥٦'],
    ['in Persian digits', '۱۲۳۴۵۶'],
    ['in Devanagari', '१२३४५६'],
    ['in Bengali', '১২৩৪৫৬'],
    ['in Thai', '๑๒๓๔๕๖'],
    ['in Khmer', '១២៣៤៥៦'],
    ['in Myanmar', '၁၂၃၄၅၆'],
    ['in Tibetan', '༡༢༣༤༥༦'],
    ['in Adlam, beyond the basic plane', '𞥑𞥒𞥓𞥔𞥕𞥖'],
    ['in mathematical digits', '𝟏𝟐𝟑𝟒𝟓𝟔'],
    ['in scripts that are mixed', '1२３٤5๖'],
  ])('is read %s', (_how, typed) => {
    expect(readCode(typed, numeric)).toBe('123456');
  });

  it.each([
    ['the minus sign', '\u2212'],
    ['the long-vowel mark that a Japanese keyboard types for a dash', '\u30fc'],
    ['its half-width form', '\uff70'],
  ])('is read with what looks like a dash: %s', (_what, dash) => {
    expect(readCode(`123${dash}456`, numeric)).toBe('123456');
  });

  it('is read in every script’s digits', () => {
    // Unicode assigns decimal digits in ranges of ten, zero first: TUS §4.6.
    let zero = -1;
    let before = -2;
    const wrong: string[] = [];
    for (let point = 0; point <= 0x10ffff; point += 1) {
      if (point >= 0xd800 && point < 0xe000) continue;
      const digit = String.fromCodePoint(point);
      if (!/\p{Nd}/u.test(digit)) continue;
      if (point !== before + 1) zero = point;
      before = point;
      const value = String((point - zero) % 10);
      if (readCode(digit.repeat(6), numeric) !== value.repeat(6)) wrong.push(`U+${point.toString(16)}`);
    }
    expect(wrong).toEqual([]);
  });

  it.each([
    ['lower case', 'cdf237'],
    ['upper case', 'CDF237'],
    ['mixed case with a dash', 'cDf-237'],
    ['full width', 'ＣｄＦ２３７'],
    ['letters with another script’s digits', 'cdf२३७'],
  ])('is read in %s where the code has letters', (_how, typed) => {
    expect(readCode(typed, alphanumeric)).toBe('CDF237');
  });

  it.each([
    ['nothing', ''],
    ['only punctuation', ' - - '],
    ['too short', '12345'],
    ['too long', '1234567'],
    ['a letter', '12345a'],
    ['a word', 'secret'],
    ['a letter that looks like a digit', '12345O'],
    ['a dot', '123.456'],
    ['a plus', '+123456'],
    ['a decimal', '12345.6'],
    ['exponent notation', '1e1000'],
    ['a hexadecimal number', '0x1234'],
    ['a fraction', '12345½'],
    ['an emoji', '12345😀'],
    ['a keycap', '12345\u20e3'],
    ['a lone surrogate', '12345\ud83d'],
    ['a null byte', '123456\u0000'],
    ['a combining mark', '123456\u0301'],
    ['the code twice', '123456 123456'],
    ['the whole message', 'Your code is 123456'],
    ['a Roman numeral', 'ⅠⅡⅢⅣⅤⅥ'],
    ['Chinese numerals', '一二三四五六'],
  ])('is no code at all: %s', (_what, typed) => {
    expect(readCode(typed, numeric)).toBeUndefined();
  });

  it.each(['0', 'O', '1', 'I', 'L', '5', 'S', 'Z', 'B', 'N', 'U', 'A', 'E', 'ß', 'Ç', 'İ', 'ı', '_'])(
    'is no code when it has %s, which no code has',
    (symbol) => {
      expect(readCode(`CDF23${symbol}`, alphanumeric)).toBeUndefined();
    },
  );

  it('has to have the length that this code has', () => {
    for (const shape of shapes) {
      const symbol = shape.alphabet === 'numeric' ? '7' : 'x';
      for (let length = 0; length <= 12; length += 1) {
        const read = readCode(symbol.repeat(length), shape);
        expect(read).toBe(length === shape.length ? symbol.toUpperCase().repeat(length) : undefined);
      }
    }
  });
});

describe('comparing', () => {
  it('is true for the same code alone', () => {
    expect(isSameCode('123456', '123456')).toBe(true);
    for (const other of ['123457', '023456', '654321', '12345', '1234567', '', '12345６']) {
      expect(isSameCode('123456', other), other).toBe(false);
    }
  });
});
