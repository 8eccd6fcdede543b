import { describe, expect, it } from 'vitest';
import { transaction as transactionSchema } from '../../contract.ts';
import { type MessageContent, renderMessage } from './index.ts';
import { countSegments } from './segments.ts';

const PURPOSES = [
  'registration',
  'login',
  'password_reset',
  'checkout',
  'transaction',
  'account_change',
  'appointment',
  'newsletter', // a site's own
];

const transfer = { amount: '1250.00', currency: 'EUR', payee: 'Jane Doe' };

/** `host: undefined`: not known. */
type Given = Omit<Partial<MessageContent>, 'host'> & { host?: string | undefined };

function render(given: Given = {}): string {
  const { host, ...content } = { host: 'shop.example', ...given };
  return renderMessage({
    locale: 'en',
    purpose: 'login',
    brand: 'Demo Shop',
    code: '493027',
    ...(host === undefined ? {} : { host }),
    ...content,
  });
}

const lines = (text: string) => text.split('\n');

describe('the English messages', () => {
  it('say brand, code and what it is for', () => {
    expect(PURPOSES.map((purpose) => render({ purpose })).join('\n\n')).toMatchInlineSnapshot(`
      "Demo Shop: 493027 is your code to create your account. Never share it, not even with us.
      @shop.example #493027

      Demo Shop: 493027 is your code to sign in. Never share it, not even with us.
      @shop.example #493027

      Demo Shop: 493027 is your code to reset your password. Never share it, not even with us.
      @shop.example #493027

      Demo Shop: 493027 is your code to complete your order. Never share it, not even with us.
      @shop.example #493027

      Demo Shop: 493027 is your code to approve this transaction. Never share it, not even with us.
      @shop.example #493027

      Demo Shop: 493027 is your code to change your account details. Never share it, not even with us.
      @shop.example #493027

      Demo Shop: 493027 is your code to confirm your appointment. Never share it, not even with us.
      @shop.example #493027

      Demo Shop: 493027 is your code. Never share it, not even with us.
      @shop.example #493027"
    `);
  });

  it('show amount and payee, and the reference, of what is approved', () => {
    const all = [
      render({ purpose: 'transaction', transaction: transfer }),
      render({ purpose: 'checkout', transaction: { amount: '89.9', currency: 'GBP', payee: 'Demo Shop' } }),
      render({ transaction: { ...transfer, reference: 'Invoice 2026-042' } }),
      render({ transaction: { amount: '1500', currency: 'JPY', payee: 'Café Zürich' } }),
      render({ transaction: transfer, host: undefined }),
    ];
    expect(all.join('\n\n')).toMatchInlineSnapshot(`
      "Demo Shop: 493027 is your code to approve €1,250.00 to Jane Doe. Never share it, not even with us.
      @shop.example #493027

      Demo Shop: 493027 is your code to approve £89.90 to Demo Shop. Never share it, not even with us.
      @shop.example #493027

      Demo Shop: 493027 is your code to approve €1,250.00 to Jane Doe (Invoice 2026-042). Never share it, not even with us.
      @shop.example #493027

      Demo Shop: 493027 is your code to approve ¥1,500 to Café Zürich. Never share it, not even with us.
      @shop.example #493027

      Demo Shop: 493027 is your code to approve €1,250.00 to Jane Doe. Never share it, not even with us."
    `);
  });

  it('take one GSM-7 segment for the longest brands and hosts one meets', () => {
    const brand = 'Nationwide Insurance'; // 20 characters
    const host = 'account.nationwide-example.com'; // 30
    for (const purpose of PURPOSES) {
      const text = render({ purpose, brand, host });
      expect(countSegments(text)).toMatchObject({ encoding: 'GSM-7', segments: 1 });
      expect(text).toContain('Never share it');
    }
    const approval = render({ brand, host, transaction: { ...transfer, payee: 'Johannes van der Berg' } });
    expect(countSegments(approval)).toMatchObject({ encoding: 'GSM-7', segments: 1 });
  });

  it('hold the word that phones look for, and no link', () => {
    for (const purpose of PURPOSES) {
      const text = render({ purpose });
      expect(text).toMatch(/\bcode\b/);
      expect(text).not.toMatch(/https?:|www\./);
    }
  });
});

describe('a message too long for one segment', () => {
  const host = 'verify.a-host-of-some-length.example.com';
  const brand = 'The Rather Long Brand of Somebody';

  it('loses the warning first', () => {
    expect(render({ purpose: 'account_change', brand, host })).toMatchInlineSnapshot(`
      "The Rather Long Brand of Somebody: 493027 is your code to change your account details.
      @verify.a-host-of-some-length.example.com #493027"
    `);
  });

  it('then the words for the purpose, and the reference last, but never code, amount or payee', () => {
    const payee = 'Stichting Derdengelden Notariskantoor';
    const texts = [
      render({ brand, host, transaction: { ...transfer, payee } }),
      render({ brand, host, transaction: { ...transfer, payee, reference: 'Invoice 2026-042' } }),
      render({ brand, host, transaction: { ...transfer, payee: '株式会社サンプル' } }),
      render({ brand: 'Demo', transaction: { ...transfer, payee: '株式会社サンプル' } }),
    ];
    expect(
      texts.map((text) => `${text}\n→ ${countSegments(text).segments}`).join('\n\n'),
    ).toMatchInlineSnapshot(`
      "The Rather Long Brand of Somebody: code 493027, €1,250.00 to Stichting Derdengelden Notariskantoor.
      @verify.a-host-of-some-length.example.com #493027
      → 1

      The Rather Long Brand of Somebody: code 493027, €1,250.00 to Stichting Derdengelden Notariskantoor.
      @verify.a-host-of-some-length.example.com #493027
      → 1

      The Rather Long Brand of Somebody: code 493027, €1,250.00 to 株式会社サンプル.
      @verify.a-host-of-some-length.example.com #493027
      → 2

      Demo: code 493027, €1,250.00 to 株式会社サンプル.
      @shop.example #493027
      → 1"
    `);
  });

  it('keeps everything where leaving out would save nothing', () => {
    const text = render({ brand: 'B'.repeat(150) });
    expect(countSegments(text).segments).toBe(2);
    expect(text).toContain('to sign in. Never share it');
  });
});

describe('the amount', () => {
  const amountIn = (locale: string, amount: string, currency: string) => {
    const text = render({ locale, transaction: { amount, currency, payee: 'X' } });
    return /approve (.*) to X/.exec(text)?.[1];
  };

  it.each([
    ['en', '250.00', 'EUR', '€250.00'],
    ['en', '250', 'EUR', '€250.00'],
    ['en', '0.1234', 'EUR', '€0.1234'],
    ['en', '1500', 'JPY', '¥1,500'],
    ['en', '1500.5', 'JPY', '¥1,500.5'],
    ['en', '12.345', 'KWD', 'KWD 12.345'],
    ['en', '999999999999999.9999', 'USD', '$999,999,999,999,999.9999'],
    ['en', '99', 'INR', 'INR 99.00'],
    ['en', '5000', 'XOF', 'F CFA 5,000'],
    ['en-US', '5', 'CAD', 'CA$5.00'],
    ['en-CA', '5', 'CAD', '$5.00'],
    ['en-IN', '1234567', 'EUR', '€12,34,567.00'],
    ['en-ZA', '1234567', 'ZAR', 'R 1 234 567,00'],
    ['en-u-nu-arab', '250.00', 'EUR', '€250.00'],
    ['ar', '250.00', 'EUR', '€250.00'],
  ])('in %s of %s %s is %s', (locale, amount, currency, expected) => {
    expect(amountIn(locale, amount, currency)).toBe(expected);
  });

  it('is GSM-7 in every currency', () => {
    for (const currency of Intl.supportedValuesOf('currency')) {
      const transaction = transactionSchema.parse({ amount: '1234.50', currency, payee: 'Jane Doe' });
      expect(countSegments(render({ transaction })), currency).toMatchObject({
        encoding: 'GSM-7',
        segments: 1,
      });
    }
  });
});

describe('the origin line', () => {
  it('is the last line, with the host and the code and nothing else', () => {
    for (const purpose of PURPOSES) expect(lines(render({ purpose })).at(-1)).toBe('@shop.example #493027');
    expect(lines(render({ transaction: transfer }))).toHaveLength(2);
    expect(lines(render({ host: 'localhost', code: 'K7QM4X' })).at(-1)).toBe('@localhost #K7QM4X');
  });

  it.each([
    undefined,
    '',
    'shop.example:8443',
    '[::1]',
    'https://shop.example',
    'shop.example #1',
    'a\nb',
    '-',
  ])('is left out for what is no host: %j', (host) => {
    expect(lines(render({ host }))).toHaveLength(1);
  });

  it.each([
    'Shop\n@evil.example #000000',
    'Shop\r\n\r\n@evil.example #000000\r\n',
    'Shop\u2028@evil.example #000000',
    'Shop\u0085@evil.example\u00a0#000000',
    '@evil.example #000000',
    '@evil.example\t#000000',
    '\u200b@evil.example #000000',
    '@@evil.example #000000',
    '{host} #{code}\n@evil.example #{code}',
  ])('cannot be forged by a brand or payee: %j', (hostile) => {
    for (const host of ['shop.example', undefined]) {
      for (const text of [
        render({ brand: hostile, host }),
        render({ host, transaction: { ...transfer, payee: hostile } }),
        render({ host, transaction: { ...transfer, reference: hostile } }),
        render({ brand: '@evil.example', host, transaction: { ...transfer, payee: '#000000' } }),
      ]) {
        expect(lines(text)).toHaveLength(host === undefined ? 1 : 2);
        expect(text.replace('@shop.example #493027', '')).not.toMatch(/@\S+\s+#/);
      }
    }
  });

  it('leaves an ordinary address or number sign of a payee alone', () => {
    for (const payee of ['jane@example.com', 'C# Academy', 'Invoice #42', 'AT&T']) {
      expect(render({ transaction: { ...transfer, payee } })).toContain(` to ${payee}.`);
    }
  });
});

describe('brand and payee', () => {
  it('cannot turn the direction of the text', () => {
    expect(render({ brand: 'Shop\u202e\u2066' })).toMatch(/^Shop: 493027/);
  });

  it('are put in as they are, whatever they contain', () => {
    expect(render({ brand: '{code} $& $1' })).toMatch(/^\{code\} \$& \$1: 493027 is/);
  });

  it('do not make a message dearer by a typographic apostrophe in the brand', () => {
    const text = render({ brand: 'Jane’s “Bikes” – Café' });
    expect(text).toMatch(/^Jane's "Bikes" - Café: /);
    expect(countSegments(text).encoding).toBe('GSM-7');
  });
});

describe('the language', () => {
  it.each(['en', 'EN', 'en-GB', 'en-Latn-GB', 'en-x-private', 'nl', 'zh-Hant-TW', 'en_US', '', '!'])(
    'of %j is English',
    (locale) => {
      expect(render({ locale })).toBe(render());
    },
  );

  it('has words of its own for the known purposes only, not for what every object has', () => {
    for (const purpose of ['constructor', 'to_string', 'hasownproperty']) {
      expect(render({ purpose })).toBe(render({ purpose: 'newsletter' }));
    }
  });
});
