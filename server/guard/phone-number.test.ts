import { getCountries, getExampleNumber } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { describe, expect, it } from 'vitest';
import { Problem } from '../problem.ts';
import { assertReachable, foldDigits, maskPhone, parsePhone } from './phone-number.ts';

/** Parsed and found reachable, or the problem's code with its members. */
function read(written: string, country?: string, countries: readonly string[] | null = null): unknown {
  try {
    const phone = parsePhone(written, country);
    assertReachable(phone, { countries });
    return phone.e164;
  } catch (error) {
    if (error instanceof Problem) return { code: error.code, ...error.members };
    throw error;
  }
}

const invalid = { code: 'invalid-phone' };

describe('a written number', () => {
  describe.each([
    [
      'NL',
      '+31612345678',
      [
        '06 1234 5678',
        '0612345678',
        '06-12345678',
        '06-1234 5678',
        '(06) 1234 5678',
        '06.12.34.56.78',
        '6 12345678',
      ],
    ],
    [
      'NL',
      '+31612345678',
      ['+31612345678', '+31 6 1234 5678', '+31-6-12345678', '+31 (0)6 12345678', '+31 (0) 6 1234 5678'],
    ],
    ['NL', '+31612345678', ['0031612345678', '0031 6 1234 5678', '00 31 6 12345678', '31612345678']],
    [
      'BE',
      '+32470123456',
      ['0470 12 34 56', '0470/12.34.56', '0470/12 34 56', '+32 470 12 34 56', '+32 (0)470 12 34 56'],
    ],
    [
      'DE',
      '+4915123456789',
      ['0151 23456789', '0151/23456789', '01512 3456789', '+49 (0) 151 23456789', '+49 0151 23456789'],
    ],
    [
      'GB',
      '+447400123456',
      ['07400 123456', '07400123456', '(07400) 123456', '+44 (0)7400 123456', '00447400123456'],
    ],
    ['FR', '+33612345678', ['06 12 34 56 78', '06.12.34.56.78', '06-12-34-56-78', '+33 (0)6 12 34 56 78']],
    ['IT', '+393123456789', ['312 345 6789', '312-3456789', '+39 312 345 6789', '0039 312 3456789']],
    ['ES', '+34612345678', ['612 34 56 78', '612345678', '+34 612 345 678']],
    ['CH', '+41781234567', ['078 123 45 67', '+41 (0)78 123 45 67']],
    ['AT', '+43664123456', ['0664 123456', '+43 664 123456', '+43 (0)664 123456']],
    ['DK', '+4532123456', ['32 12 34 56', '+45 32123456']],
    ['PL', '+48512345678', ['512 345 678', '+48 512-345-678']],
    ['HU', '+36201234567', ['06 20 123 4567', '06-20/123-4567', '+36 20 123 4567']],
    ['RU', '+79123456789', ['8 (912) 345-67-89', '8 912 345 67 89', '+7 912 345-67-89']],
    ['TR', '+905012345678', ['0501 234 56 78', '+90 (501) 234 56 78']],
    [
      'US',
      '+12015550123',
      [
        '(201) 555-0123',
        '201-555-0123',
        '201.555.0123',
        '1 201 555 0123',
        '1-201-555-0123',
        '+1 (201) 555-0123',
      ],
    ],
    ['CA', '+15062345678', ['(506) 234-5678', '1-506-234-5678']],
    ['BR', '+5511961234567', ['(11) 96123-4567', '011 96123-4567', '11961234567', '+55 11 96123-4567']],
    ['AR', '+5491123456789', ['011 15 2345-6789', '11 15 2345 6789', '+54 9 11 2345-6789']],
    ['MX', '+522221234567', ['222 123 4567', '+52 222 123 4567']],
    ['AU', '+61412345678', ['0412 345 678', '+61 412 345 678', '+61 (0)412 345 678', '0011 61 412 345 678']],
    ['IN', '+918123456789', ['081234 56789', '81234-56789', '+91 81234 56789']],
    ['JP', '+819012345678', ['090-1234-5678', '+81 90-1234-5678', '+81 (0)90-1234-5678']],
    ['KR', '+821020000000', ['010-2000-0000', '+82 10 2000 0000']],
    ['CN', '+8613123456789', ['131 2345 6789', '+86 131 2345 6789']],
    ['ZA', '+27711234567', ['071 123 4567', '+27 71 123 4567']],
    ['EG', '+201001234567', ['0100 123 4567', '+20 100 123 4567']],
    ['IS', '+3546111234', ['611 1234', '+354 611 1234']],
  ] as [string, string, string[]][])('of %s, %s', (country, e164, forms) => {
    it.each(forms)('may be written %j', (written) => {
      expect(read(written, country)).toBe(e164);
    });
  });

  it.each([
    ['with spaces around', '  +31 6 12345678\t'],
    ['with no-break spaces', '+31\u00a06\u00a01234\u00a05678'],
    ['with narrow spaces', '+31\u202f6\u202f1234\u202f5678'],
    ['with a non-breaking hyphen', '+31\u20116\u201112345678'],
    ['with an en dash', '+31 6\u20131234\u20135678'],
    ['with a minus sign', '+31 6\u221212345678'],
    ['with a slash', '+31 6/12345678'],
    ['in full width', '＋３１６１２３４５６７８'],
    ['in Arabic-Indic digits', '+٣١٦١٢٣٤٥٦٧٨'],
    ['in Persian digits', '+۳۱۶۱۲۳۴۵۶۷۸'],
    ['in Devanagari', '+३१६१२३४५६७८'],
    ['in Bengali', '+৩১৬১২৩৪৫৬৭৮'],
    ['in Thai', '+๓๑๖๑๒๓๔๕๖๗๘'],
    ['in Adlam', '+𞥓𞥑𞥖𞥑𞥒𞥓𞥔𞥕𞥖𞥗𞥘'],
    ['as a tel: URI', 'tel:+31612345678'],
    ['as a tel: URI in capitals, with a space', 'TEL: +31-6-1234-5678'],
    ['with the mark that a phone’s address book adds', '\u200e+31 6 12345678'],
    ['between the marks that an address book adds', '\u202a+31 6 12345678\u202c'],
    ['between isolates', '\u2066+31612345678\u2069'],
    ['with a zero-width space', '+31\u200b612345678'],
    ['with a soft hyphen', '+31 6\u00ad12345678'],
  ])('%s is the same whatever country is selected', (_how, written) => {
    for (const country of [undefined, 'NL', 'US', 'AR']) {
      expect(read(written, country), `selected: ${country}`).toBe('+31612345678');
    }
  });

  describe('with 00 for abroad', () => {
    it.each([
      '0031612345678',
      '0031 6 1234 5678',
      '00 31 6 1234 5678',
      '00-31-6-12345678',
      '(00)31612345678',
      '٠٠٣١٦١٢٣٤٥٦٧٨',
    ])('%j means the same whatever country is selected', (written) => {
      for (const country of [undefined, 'NL', 'DE', 'US', 'FI', 'JP', 'BR']) {
        expect(read(written, country), `selected: ${country}`).toBe('+31612345678');
      }
    });
  });

  it('with a leading + leaves the selected country out of it', () => {
    expect(read('+447400123456', 'NL')).toBe('+447400123456');
    expect(parsePhone('+447400123456', 'NL').country).toBe('GB');
  });

  it('in national form needs a country that exists', () => {
    expect(read('06 1234 5678')).toEqual(invalid);
    for (const country of ['XX', '', 'nl', 'NLD', '__proto__', 'constructor']) {
      expect(read('06 1234 5678', country), country).toEqual(invalid);
    }
  });

  it('says its country and type', () => {
    expect(parsePhone('06 1234 5678', 'NL')).toEqual({
      e164: '+31612345678',
      country: 'NL',
      type: 'MOBILE',
      masked: '+31 6 •••• 5678',
    });
    expect(parsePhone('+12015550123')).toMatchObject({ country: 'US', type: 'FIXED_LINE_OR_MOBILE' });
    expect(parsePhone('+80012345678')).toMatchObject({ country: null, type: 'TOLL_FREE' });
  });

  it.each([
    ['nothing', ''],
    ['spaces', '   '],
    ['a plus', '+'],
    ['00', '00'],
    ['only zeros', '0000000000'],
    ['a word', 'my phone'],
    ['letters for digits', '06 1234 56ab'],
    ['a vanity number', '1-800-FLOWERS'],
    ['a number within words', 'call +31612345678 please'],
    ['words after it', '+31612345678 home'],
    ['words before it', 'mobile: +31612345678'],
    ['two numbers', '+31612345678 +31612345679'],
    ['two numbers with a comma', '0612345678, 0612345679'],
    ['an extension', '+31 6 1234 5678 ext. 5'],
    ['an extension with x', '+31612345678 x5'],
    ['an extension with #', '+31612345678 #5'],
    ['an extension as RFC 3966 has it', 'tel:+31612345678;ext=5'],
    ['a dialling pause', '+31612345678,,5'],
    ['two plus signs', '++31612345678'],
    ['a plus in the middle', '+31+612345678'],
    ['a plus and 00', '+0031612345678'],
    ['an unknown calling code', '+999123456789'],
    ['a calling code alone', '+31'],
    ['an e-mail address', '31612345678@example.com'],
    ['a decimal', '31612345678.5'],
    ['exponent notation', '3.1612345678e10'],
    ['an emergency number', '112'],
    ['a service code', '*#06#'],
    ['markup', '<b>+31612345678</b>'],
    ['a null byte', '+31612345678\u0000'],
    ['a line end in the middle', '+316123\n45678'],
    ['an emoji', '+31612345678📱'],
    ['a lone surrogate', '+31612345678\ud83d'],
    ['more than can be a number', '1'.repeat(64)],
    ['more than is read at all', `${' '.repeat(60)}+31612345678`],
    ['very much', '1'.repeat(100_000)],
    ['very many combining marks', `+31612345678${'\u0301'.repeat(50)}`],
    ['text that grows when it is normalised', '\ufdfa'.repeat(64)],
  ])('is invalid: %s', (_what, written) => {
    expect(read(written, 'NL')).toEqual(invalid);
  });

  it.each([
    ['one digit short', '+3161234567', 'NL'],
    ['one digit long', '+316123456789', 'NL'],
    ['of a range that nobody has', '+31 6 9999 99999', 'NL'],
    ['a national number of another country', '07400 123456', 'NL'],
    ['an area code that cannot be', '(123) 555-0123', 'US'],
    ['an exchange that cannot be', '(201) 123-4567', 'US'],
    ['possible by length, valid for nobody', '+1 555 555 5555', 'US'],
    ['possible by length, valid for nobody', '+44 7111 111', 'GB'],
    ['a short code', '1244', 'NL'],
  ])('is invalid though it looks like one: %s', (_what, written, country) => {
    expect(read(written, country)).toEqual(invalid);
  });
});

describe('a number that no message should go to', () => {
  it.each([
    ['premium', '0900 1234', 'NL', 'premium-rate'],
    ['premium', '0900 1234567', 'NL', 'premium-rate'],
    ['premium', '0906 1234', 'NL', 'premium-rate'],
    ['premium', '+319001234', undefined, 'premium-rate'],
    ['premium', '0900 1 234567', 'DE', 'premium-rate'],
    ['premium', '+499001234567', undefined, 'premium-rate'],
    ['premium', '0909 8790000', 'GB', 'premium-rate'],
    ['premium', '0900 123456', 'CH', 'premium-rate'],
    ['premium', '0900 123456', 'AT', 'premium-rate'],
    ['premium', '(900) 234-5678', 'US', 'premium-rate'],
    ['premium', '0899 12 34 56', 'FR', 'premium-rate'],
    ['shared cost', '0180 5 123456', 'DE', 'shared-cost'],
    ['shared cost', '+80812345678', undefined, 'shared-cost'],
    ['toll free', '0800 1234', 'NL', 'toll-free'],
    ['toll free', '0800 1234567', 'DE', 'toll-free'],
    ['toll free', '(800) 234-5678', 'US', 'toll-free'],
    ['toll free', '+80012345678', undefined, 'toll-free'],
    ['personal', '070 1234 5678', 'GB', 'personal-number'],
    ['personal', '+1 500 234 5678', undefined, 'personal-number'],
    ['personal', '0700 12345678', 'DE', 'personal-number'],
    ['company-wide', '088 1234567', 'NL', 'uan'],
    ['company-wide', '055 0000 0000', 'GB', 'uan'],
    ['VoIP', '085 1234567', 'NL', 'voip'],
    ['VoIP', '056 0000 0000', 'GB', 'voip'],
    ['a pager', '076 4012 3456', 'GB', 'pager'],
    ['a pager', '0164 1234567', 'DE', 'pager'],
    ['fixed', '020 1234567', 'NL', 'fixed-line'],
    ['fixed', '020 7946 0018', 'GB', 'fixed-line'],
    ['fixed', '030 123456', 'DE', 'fixed-line'],
    ['satellite', '+870773111632', undefined, 'satellite'],
    ['satellite', '+870 301 234 567', undefined, 'satellite'],
    ['satellite', '+881612345678', undefined, 'satellite'],
    ['satellite', '+8816 1234 5678', 'US', 'satellite'],
    ['satellite', '+8823421234', undefined, 'satellite'],
    ['satellite', '+882 16 12345678', undefined, 'satellite'],
    ['satellite', '+883510000000000', undefined, 'satellite'],
    ['satellite', '+883 5100 1234 5678', undefined, 'satellite'],
    ['of a global service', '+979123456789', undefined, expect.any(String)],
    ['of a global service', '+888 12345678901', undefined, expect.any(String)],
  ])('is refused: %s, %s of %s', (_what, written, country, numberType) => {
    expect(read(written, country)).toEqual({ code: 'number-type-not-allowed', numberType });
  });

  it('is refused for its type even where every country is listed', () => {
    expect(read('0900 1234', 'NL', ['NL'])).toEqual({
      code: 'number-type-not-allowed',
      numberType: 'premium-rate',
    });
    expect(read('0900 1234', 'NL', ['BE'])).toEqual({
      code: 'number-type-not-allowed',
      numberType: 'premium-rate',
    });
  });

  it('is refused under every calling code that is no country’s, whatever its digits', () => {
    for (const code of ['800', '808', '870', '878', '881', '882', '883', '888', '979', '991']) {
      for (let length = 4; length <= 12; length += 1) {
        for (const digit of '123456789') {
          const outcome = read(`+${code}${digit.repeat(length)}`);
          expect(typeof outcome, `+${code} ${digit.repeat(length)}`).toBe('object');
        }
      }
    }
  });
});

describe('a list of countries', () => {
  it('lets the numbers of these in, and no others', () => {
    expect(read('+31612345678', undefined, ['NL', 'BE'])).toBe('+31612345678');
    expect(read('+447400123456', 'NL', ['NL', 'BE'])).toEqual({ code: 'country-not-allowed', country: 'GB' });
    expect(read('+447400123456', 'GB', [])).toEqual({ code: 'country-not-allowed', country: 'GB' });
  });

  it('tells countries of one calling code apart', () => {
    expect(read('+12015550123', undefined, ['CA'])).toEqual({ code: 'country-not-allowed', country: 'US' });
    expect(read('+15062345678', undefined, ['CA'])).toBe('+15062345678');
    expect(read('+77710009998', undefined, ['RU'])).toEqual({ code: 'country-not-allowed', country: 'KZ' });
    expect(read('+18765123456', undefined, ['US'])).toEqual({ code: 'country-not-allowed', country: 'JM' });
  });

  it('is no wall where there is none', () => {
    expect(read('+447400123456', undefined, null)).toBe('+447400123456');
  });
});

describe('the example mobile number of', () => {
  /** Territories that share their plan with another, whose example number counts as the other's. */
  const countedAs: Record<string, string> = {
    AX: 'FI',
    BL: 'GP',
    CC: 'AU',
    CX: 'AU',
    EH: 'MA',
    // The example lies in a range that the plan gives to the mainland.
    IM: 'GB',
    MF: 'GP',
    SJ: 'NO',
    VA: 'IT',
  };

  it.each(getCountries())('%s is accepted as it is and in its national form', (country) => {
    const example = getExampleNumber(country, examples);
    if (!example) throw new Error(`${country} has no example`);
    for (const written of [example.number, example.formatInternational(), example.formatNational()]) {
      expect(read(written, country), written).toBe(example.number);
      expect(parsePhone(written, country).country, written).toBe(countedAs[country] ?? country);
    }
  });
});

describe('digits', () => {
  it('of every script become ASCII, and nothing else changes', () => {
    expect(foldDigits('+٣١ ६ １２ abc ß')).toBe('+31 6 12 abc ß');
  });

  it('of every range that Unicode has keep their value', () => {
    // Ranges of ten, zero first (The Unicode Standard §4.6); adjacent ranges follow one another.
    let zero = -1;
    let before = -2;
    const wrong: string[] = [];
    for (let point = 0; point <= 0x10ffff; point += 1) {
      if (point >= 0xd800 && point < 0xe000) continue;
      const digit = String.fromCodePoint(point);
      if (!/\p{Nd}/u.test(digit)) continue;
      if (point !== before + 1) zero = point;
      before = point;
      if (foldDigits(digit) !== String((point - zero) % 10)) wrong.push(`U+${point.toString(16)}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe('a masked number', () => {
  it.each([
    ['+31612345678', '+31 6 •••• 5678'],
    ['+447400123456', '+44 7 •••• 3456'],
    ['+12015550123', '+1 2 •••• 0123'],
    ['+5511961234567', '+55 1 •••• 4567'],
    ['+3546111234', '+354 •••• 34'],
    ['+24740123', '+247 •••• 23'],
  ])('of %s is %s', (e164, masked) => {
    expect(maskPhone(e164)).toBe(masked);
  });

  it('shows at most half of the digits behind the calling code, in every country', () => {
    const tooMuch = getCountries().filter((country) => {
      const example = getExampleNumber(country, examples);
      if (!example) throw new Error(`${country} has no example`);
      const masked = maskPhone(example.number);
      expect(masked.startsWith(`+${example.countryCallingCode} `), masked).toBe(true);
      const shown = masked.slice(example.countryCallingCode.length + 1).replace(/\D/g, '').length;
      // Of an odd number of digits, the one in the middle may be shown.
      return shown > Math.ceil(example.nationalNumber.length / 2);
    });
    expect(tooMuch).toEqual([]);
  });

  it('shows at most two digits of what cannot be parsed', () => {
    for (const text of ['+999123456789', '+1', 'nonsense', '']) {
      expect(maskPhone(text).replace(/\D/g, '').length, text).toBeLessThanOrEqual(2);
    }
  });
});
