import { describe, expect, it } from 'vitest';
import { ConfigError, type ConfigInput, parseConfig } from './config.ts';

const SECRET = 'a secret for tests, long enough to be one';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

// biome-ignore lint/suspicious/noExplicitAny: a config file may hold anything, and here it does.
type Anything = any;

const minimal = (): Anything => ({
  publicUrl: 'https://verify.example',
  secrets: [SECRET],
  delivery: { provider: 'simulator' },
  sites: [
    {
      id: 'shop',
      brand: 'Shop',
      publishableKey: 'pk_test',
      secretKey: 'sk_test',
      allowedOrigins: ['https://shop.example'],
      purposes: { registration: {} },
    },
  ],
});

/** The minimal config with a change. */
function changed(change: (config: Anything) => void): unknown {
  const config = minimal();
  change(config);
  return config;
}

function problemsOf(config: unknown, env: Record<string, string | undefined> = {}): string[] {
  try {
    parseConfig(config, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const set = (path: string, value: unknown) =>
  changed((config) => {
    const parts = path.split(/[.[\]]+/).filter(Boolean);
    const last = parts.pop() ?? '';
    const place = parts.reduce((at, part) => {
      at[part] ??= {};
      return at[part];
    }, config);
    place[last] = value;
  });

describe('a config that says as little as it can', () => {
  it('is completed with every default, durations in milliseconds', () => {
    expect(parseConfig(minimal())).toEqual({
      publicUrl: 'https://verify.example',
      port: 8787,
      dataDir: 'data',
      secrets: [SECRET],
      trustedProxies: [],
      proof: { algorithm: 'ES256', keyRotation: 90 * DAY, keyOverlap: DAY },
      store: { engine: 'sqlite' },
      delivery: { provider: 'simulator' },
      retention: DAY,
      workers: 1,
      keepAlive: 75_000,
      drainDelay: 0,
      logLevel: 'info',
      sites: [
        {
          id: 'shop',
          brand: 'Shop',
          publishableKey: 'pk_test',
          secretKey: 'sk_test',
          allowedOrigins: ['https://shop.example'],
          allowMissingOrigin: false,
          audience: 'https://shop.example',
          privacy: 'number',
          originator: 'Verify',
          proofTtl: 600_000,
          limits: {
            phoneFromClient: [
              { limit: 5, window: HOUR },
              { limit: 10, window: DAY },
            ],
            phone: [
              { limit: 15, window: HOUR },
              { limit: 30, window: DAY },
            ],
            client: [
              { limit: 20, window: 600_000 },
              { limit: 100, window: DAY },
            ],
            site: [{ limit: 1_000, window: 60_000 }],
            failedGuesses: {
              perNetwork: { limit: 10, window: DAY },
              inARow: { limit: 100, window: 30 * DAY },
            },
          },
          purposes: {
            registration: {
              code: { length: 6, alphabet: 'numeric' },
              codeTtl: 300_000,
              guesses: 5,
              resends: 3,
              resendWait: 30_000,
              channels: ['sms'],
              requiresIntent: false,
              requiresTransaction: false,
              intentTtl: 900_000,
            },
          },
        },
      ],
    });
  });

  it('gives MessageBird ten seconds', () => {
    const config = parseConfig(set('delivery', { provider: 'messagebird', accessKey: 'live' }));
    expect(config.delivery).toEqual({ provider: 'messagebird', accessKey: 'live', timeout: 10_000 });
  });

  it('is not changed by being parsed, and each parse gets its own', () => {
    const input = minimal();
    const before = structuredClone(input);
    const [one, other] = [parseConfig(input, { PORT: '1' }), parseConfig(input)];
    expect(input).toEqual(before);
    one.sites[0]?.limits.phone.push({ limit: 1, window: 1_000 });
    expect(other.sites[0]?.limits.phone).toHaveLength(2);
    expect(parseConfig(input).sites[0]?.limits.phone).toHaveLength(2);
  });
});

describe('what is written', () => {
  it('stands where a default would', () => {
    const config = parseConfig(
      changed((one) => {
        one.host = '127.0.0.1';
        one.port = 0;
        one.dataDir = ':memory:';
        one.trustedProxies = ['10.0.0.0/8', '::1', 'loopback'];
        one.proof = { algorithm: 'EdDSA', keyRotation: '30d', keyOverlap: '0s' };
        one.retention = '90d';
        one.logLevel = 'silent';
        Object.assign(one.sites[0], {
          audience: 'shop',
          privacy: 'pairwise',
          originator: '+31612345678',
          countries: ['NL', 'BE'],
          defaultCountry: 'BE',
          termsUrl: 'https://shop.example/terms',
          privacyUrl: 'http://localhost:8788/privacy',
          allowMissingOrigin: true,
          proofTtl: '1h',
          limits: { phone: [], failedGuesses: { perNetwork: { limit: 3, window: '1h' } } },
          purposes: {
            login: {
              code: { length: 10, alphabet: 'alphanumeric' },
              codeTtl: '10m',
              guesses: 1,
              resends: 0,
              resendWait: 1,
              requiresIntent: true,
              requiresTransaction: true,
              intentTtl: '24h',
              proofTtl: 30,
              originator: 'Shop 24',
              countries: ['NL'],
            },
          },
        });
      }),
    );
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 0,
      proof: { algorithm: 'EdDSA', keyRotation: 30 * DAY, keyOverlap: 0 },
      retention: 90 * DAY,
      sites: [
        {
          audience: 'shop',
          proofTtl: HOUR,
          limits: {
            phone: [],
            client: [{ limit: 20 }, { limit: 100 }],
            failedGuesses: { perNetwork: { limit: 3, window: HOUR }, inARow: { limit: 100 } },
          },
          purposes: { login: { codeTtl: 600_000, resendWait: 1_000, proofTtl: 30_000, intentTtl: DAY } },
        },
      ],
    });
  });

  it.each([
    [300, 300_000],
    [30.5, 30_500],
    ['30s', 30_000],
    ['90s', 90_000],
    ['1.5m', 90_000],
    ['10m', 600_000],
  ])('as duration %j is %d ms', (written, ms) => {
    const config = parseConfig(set('sites[0].purposes.registration.codeTtl', written));
    expect(config.sites[0]?.purposes.registration?.codeTtl).toBe(ms);
  });

  it('as public URL loses its trailing slash', () => {
    expect(parseConfig(set('publicUrl', 'https://verify.example/')).publicUrl).toBe('https://verify.example');
    expect(parseConfig(set('publicUrl', 'https://x.example/verify//')).publicUrl).toBe(
      'https://x.example/verify',
    );
  });

  it('as first origin is the audience, unless one is named', () => {
    const config = parseConfig(
      set('sites[0].allowedOrigins', ['https://a.example', 'https://b.example:8443']),
    );
    expect(config.sites[0]?.audience).toBe('https://a.example');
  });
});

describe('what is wrong', () => {
  const purpose = 'sites[0].purposes.registration';
  const missing = (path: string) => set(path, undefined);
  const duration = /a duration is a number of seconds or a string such as "30s"/;

  it.each([
    ['publicUrl', missing('publicUrl'), /https:\/\//],
    ['publicUrl', set('publicUrl', 'verify.example'), /https:\/\//],
    ['publicUrl', set('publicUrl', 'ftp://verify.example'), /https:\/\//],
    ['publicUrl', set('publicUrl', 'https://verify.example/?a=b'), /./],
    ['publicUrl', set('publicUrl', 'https://verify.example/#a'), /./],
    ['publicUrl', set('publicUrl', 'https://user:pass@verify.example'), /./],
    ['port', set('port', 65_536), /65535/],
    ['port', set('port', -1), />=0/],
    ['port', set('port', 80.5), /int/],
    ['port', set('port', '8787'), /number/],
    ['host', set('host', 1), /string/],
    ['dataDir', set('dataDir', ''), />=1/],
    ['secrets', missing('secrets'), /PHONE_PROOF_SECRET.*32/],
    ['secrets[0]', set('secrets', ['short']), /at least 32/],
    ['secrets[1]', set('secrets', [SECRET, 'short']), /at least 32/],
    ['trustedProxies[0]', set('trustedProxies', ['proxy.example']), /CIDR/],
    ['trustedProxies[1]', set('trustedProxies', ['::1', '10.0.0.0/33']), /CIDR/],
    ['trustedProxies[0]', set('trustedProxies', ['10.0.0.0/']), /CIDR/],
    ['trustedProxies', set('trustedProxies', 'loopback'), /array/],
    ['proof.algorithm', set('proof.algorithm', 'none'), /ES256/],
    ['proof.algorithm', set('proof.algorithm', 'HS256'), /EdDSA/],
    ['proof.keyOverlap', set('proof.keyOverlap', '8d'), /between 0s and 7d/],
    ['proof.keyOverlap', set('proof', { keyRotation: '1d', keyOverlap: '2d' }), /longer than keyRotation/],
    ['proof.keyRotation', set('proof.keyRotation', '731d'), /between 1d and 730d/],
    ['proof.keyRotation', set('proof.keyRotation', true), /or false/],
    ['delivery', missing('delivery'), /object/],
    ['delivery.provider', set('delivery', { provider: 'pigeon' }), /simulator.*messagebird/],
    ['delivery.provider', set('delivery', {}), /simulator.*messagebird/],
    ['delivery.accessKey', set('delivery', { provider: 'messagebird' }), /MESSAGEBIRD_ACCESS_KEY/],
    ['delivery.accessKey', set('delivery', { provider: 'messagebird', accessKey: '' }), />=1/],
    [
      'delivery.timeout',
      set('delivery', { provider: 'messagebird', accessKey: 'k', timeout: '31s' }),
      /between 1s and 30s/,
    ],
    ['delivery', set('delivery', { provider: 'simulator', accessKey: 'k' }), /accessKey/],
    ['drainDelay', set('drainDelay', '61s'), /between 0s and 60s/],
    ['keepAlive', set('keepAlive', '21m'), /between 1s and 20m/],
    ['workers', set('workers', 0), /from 1 to 64, or "auto"/],
    ['workers', set('workers', 65), /from 1 to 64, or "auto"/],
    ['workers', set('workers', '4'), /from 1 to 64, or "auto"/],
    ['dataDir', changed((one) => Object.assign(one, { workers: 2, dataDir: ':memory:' })), /name a folder/],
    ['retention', set('retention', '59m'), /between 1h and 90d/],
    ['retention', set('retention', '91d'), /between 1h and 90d/],
    ['retention', set('retention', 'a day'), duration],
    ['logLevel', set('logLevel', 'loud'), /debug.*silent/],
    ['sites', missing('sites'), /array/],
    ['sites', set('sites', []), />=1/],
    ['sites[0].id', set('sites[0].id', 'My Shop'), /lower-case slug/],
    ['sites[0].id', missing('sites[0].id'), /string/],
    ['sites[0].brand', set('sites[0].brand', ''), />=1/],
    ['sites[0].brand', set('sites[0].brand', 'x'.repeat(31)), /<=30/],
    ['sites[0].brand', set('sites[0].brand', 'Shop\nfree money'), /one line/],
    ['sites[0].brand', set('sites[0].brand', 'Shop\u202eevil'), /one line/],
    ['sites[0].publishableKey', set('sites[0].publishableKey', 'sk_test'), /pk_/],
    ['sites[0].publishableKey', missing('sites[0].publishableKey'), /string|pk_/],
    ['sites[0].secretKey', set('sites[0].secretKey', 'pk_test'), /sk_/],
    ['sites[0].secretKey', missing('sites[0].secretKey'), /PHONE_PROOF_SECRET_KEY_/],
    ['sites[0].allowedOrigins', missing('sites[0].allowedOrigins'), /array|tuple/],
    ['sites[0].allowedOrigins[0]', set('sites[0].allowedOrigins', []), /string|origin/],
    [
      'sites[0].allowedOrigins[0]',
      set('sites[0].allowedOrigins', ['https://shop.example/']),
      /without a path/,
    ],
    [
      'sites[0].allowedOrigins[0]',
      set('sites[0].allowedOrigins', ['https://shop.example/a']),
      /without a path/,
    ],
    ['sites[0].allowedOrigins[0]', set('sites[0].allowedOrigins', ['shop.example']), /scheme and host/],
    [
      'sites[0].allowedOrigins[0]',
      set('sites[0].allowedOrigins', ['https://shop.example:443']),
      /scheme and host/,
    ],
    [
      'sites[0].allowedOrigins[0]',
      set('sites[0].allowedOrigins', ['HTTPS://shop.example']),
      /scheme and host/,
    ],
    ['sites[0].allowedOrigins[0]', set('sites[0].allowedOrigins', ['null']), /scheme and host/],
    [
      'sites[0].allowedOrigins[1]',
      set('sites[0].allowedOrigins', ['https://a.example', '']),
      /scheme and host/,
    ],
    // Origins are compared as they are: a pattern would match nobody, and nobody would know why.
    ['sites[0].allowedOrigins[0]', set('sites[0].allowedOrigins', ['https://*.shop.example']), /./],
    ['sites[0].allowMissingOrigin', set('sites[0].allowMissingOrigin', 'yes'), /boolean/],
    ['sites[0].audience', set('sites[0].audience', ''), />=1/],
    ['sites[0].audience', set('sites[0].allowedOrigins', ['*']), /needed/],
    ['sites[0].privacy', set('sites[0].privacy', 'hashed'), /pairwise/],
    ['sites[0].originator', set('sites[0].originator', 'Far too long'), /at most 11/],
    ['sites[0].originator', set('sites[0].originator', 'Schön'), /at most 11/],
    ['sites[0].originator', set('sites[0].originator', ''), /at most 11/],
    ['sites[0].originator', set('sites[0].originator', '   '), /at most 11/],
    ['sites[0].countries[0]', set('sites[0].countries', ['nl']), /ISO 3166-1/],
    ['sites[0].countries[1]', set('sites[0].countries', ['NL', 'XX']), /ISO 3166-1/],
    ['sites[0].countries', set('sites[0].countries', []), />=1/],
    ['sites[0].defaultCountry', set('sites[0].defaultCountry', 'UK'), /ISO 3166-1/],
    ['sites[0].termsUrl', set('sites[0].termsUrl', 'javascript:alert(1)'), /https:\/\//],
    ['sites[0].privacyUrl', set('sites[0].privacyUrl', '/privacy'), /https:\/\//],
    ['sites[0].proofTtl', set('sites[0].proofTtl', '2h'), /between 30s and 1h/],
    [
      'sites[0].limits.phone[0].limit',
      set('sites[0].limits', { phone: [{ limit: 0, window: '1h' }] }),
      />=1/,
    ],
    [
      'sites[0].limits.phone[0].window',
      set('sites[0].limits', { phone: [{ limit: 1, window: '31d' }] }),
      /between 1s and 30d/,
    ],
    ['sites[0].limits.phone[0].window', set('sites[0].limits', { phone: [{ limit: 1 }] }), duration],
    [
      'sites[0].limits.failedGuesses.inARow.limit',
      set('sites[0].limits', { failedGuesses: { inARow: { limit: 100_001, window: '1h' } } }),
      /<=100000/,
    ],
    ['sites[0].purposes', missing('sites[0].purposes'), /record|object/],
    ['sites[0].purposes.Big Sale', set('sites[0].purposes', { 'Big Sale': {} }), /lower-case slug/],
    [`${purpose}.code.length`, set(`${purpose}.code.length`, 3), />=4/],
    [`${purpose}.code.length`, set(`${purpose}.code.length`, 11), /<=10/],
    [`${purpose}.code.length`, set(`${purpose}.code.length`, 6.5), /int/],
    [`${purpose}.code.alphabet`, set(`${purpose}.code.alphabet`, 'hex'), /alphanumeric/],
    [`${purpose}.codeTtl`, set(`${purpose}.codeTtl`, '29s'), /between 30s and 10m/],
    [`${purpose}.codeTtl`, set(`${purpose}.codeTtl`, '601s'), /between 30s and 10m/],
    [`${purpose}.codeTtl`, set(`${purpose}.codeTtl`, '5 minutes'), duration],
    [`${purpose}.codeTtl`, set(`${purpose}.codeTtl`, -5), /duration/],
    [`${purpose}.codeTtl`, set(`${purpose}.codeTtl`, true), duration],
    [`${purpose}.guesses`, set(`${purpose}.guesses`, 0), />=1/],
    [`${purpose}.guesses`, set(`${purpose}.guesses`, 11), /<=10/],
    [`${purpose}.resends`, set(`${purpose}.resends`, -1), />=0/],
    [`${purpose}.resends`, set(`${purpose}.resends`, 11), /<=10/],
    [`${purpose}.resendWait`, set(`${purpose}.resendWait`, '6m'), /between 1s and 5m/],
    [`${purpose}.channels[0]`, set(`${purpose}.channels`, ['pigeon']), /sms/],
    [`${purpose}.channels`, set(`${purpose}.channels`, []), />=1/],
    [`${purpose}.intentTtl`, set(`${purpose}.intentTtl`, '25h'), /between 30s and 24h/],
    [`${purpose}.proofTtl`, set(`${purpose}.proofTtl`, '1s'), /between 30s and 1h/],
    [`${purpose}.requiresIntent`, set(`${purpose}.requiresIntent`, 1), /boolean/],
  ] as [string, unknown, RegExp][])('%s is named, with what is expected (%#)', (path, config, expected) => {
    const problems = problemsOf(config);
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) expect(problem.startsWith(`${path}: `), problem).toBe(true);
    expect(problems[0]?.slice(path.length)).toMatch(expected);
  });

  it.each([
    ['secrets', set('secrets', SECRET)],
    ['sites[0].secretKey', set('sites[0].secretKey', 12345)],
    ['delivery.accessKey', set('delivery', { provider: 'messagebird', accessKey: 12345 })],
  ])('%s of the wrong type is not called missing', (path, config) => {
    const problems = problemsOf(config);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.startsWith(`${path}: `), problems[0]).toBe(true);
    expect(problems[0]).not.toMatch(/missing/);
  });

  it.each([
    ['the config', set('porrt', 1), 'porrt'],
    ['sites[0]', set('sites[0].origins', []), 'origins'],
    ['sites[0].purposes.registration', set('sites[0].purposes.registration.codeTTL', '5m'), 'codeTTL'],
    ['sites[0].limits', set('sites[0].limits', { ip: [] }), 'ip'],
    ['proof', set('proof', { alg: 'ES256' }), 'alg'],
  ])('in %s is named when it is a member that nobody knows', (path, config, member) => {
    expect(problemsOf(config)).toEqual([expect.stringContaining(`${path}: `)]);
    expect(problemsOf(config)[0]).toContain(`"${member}"`);
  });

  it.each([[null], [undefined], [[]], ['a string'], [42]])('is the whole of it when it is %j', (content) => {
    expect(problemsOf(content)).toEqual([expect.stringMatching(/^the config: .*object/)]);
  });

  it('is named all at once, not one after the other', () => {
    const problems = problemsOf(
      changed((config) => {
        config.port = 'x';
        config.sites[0].brand = 'x'.repeat(31);
        config.sites[0].purposes.registration.guesses = 0;
      }),
    );
    expect(problems.map((problem) => problem.split(': ')[0])).toEqual([
      'port',
      'sites[0].brand',
      'sites[0].purposes.registration.guesses',
    ]);
  });

  it('is said in one message', () => {
    expect(() => parseConfig(set('port', 'x'))).toThrow(/^The configuration is not usable:\n {2}- port: /);
  });

  it('does not repeat a secret', () => {
    const config = changed((one) => {
      one.secrets = ['hunter2'];
      one.sites[0].secretKey = 'hunter3';
      one.delivery = { provider: 'messagebird', accessKey: ['hunter4'] };
    });
    expect(problemsOf(config).join()).not.toMatch(/hunter/);
  });
});

describe('two sites', () => {
  const second = (change: object) =>
    changed((config) => {
      config.sites.push({
        ...structuredClone(config.sites[0]),
        id: 'other',
        publishableKey: 'pk_other',
        secretKey: 'sk_other',
        ...change,
      });
    });

  it('may share everything but id and keys', () => {
    expect(problemsOf(second({}))).toEqual([]);
  });

  it.each([
    ['id', 'shop'],
    ['publishableKey', 'pk_test'],
    ['secretKey', 'sk_test'],
  ])('may not share %s', (member, value) => {
    expect(problemsOf(second({ [member]: value }))).toEqual([`sites[1].${member}: is used by two sites`]);
  });
});

describe('the environment', () => {
  it('wins over the file', () => {
    const env = {
      PHONE_PROOF_SECRET: 'a secret of the environment; long enough',
      PORT: '9000',
      DATA_DIR: '/var/lib/phone-proof',
      WORKERS: '4',
      MESSAGEBIRD_ACCESS_KEY: 'from-the-environment',
      PHONE_PROOF_SECRET_KEY_SHOP: 'sk_environment',
    };
    const config = parseConfig(set('delivery', { provider: 'messagebird', accessKey: 'from-the-file' }), env);
    expect(config).toMatchObject({
      secrets: ['a secret of the environment; long enough'],
      port: 9000,
      dataDir: '/var/lib/phone-proof',
      workers: 4,
      delivery: { accessKey: 'from-the-environment' },
      sites: [{ secretKey: 'sk_environment' }],
    });
  });

  it('supplies what the file leaves out', () => {
    const config = changed((one) => {
      delete one.secrets;
      delete one.sites[0].secretKey;
      one.delivery = { provider: 'messagebird' };
    });
    const env = {
      PHONE_PROOF_SECRET: 'x'.repeat(32),
      PHONE_PROOF_SECRET_KEY_SHOP: 'sk_environment',
      MESSAGEBIRD_ACCESS_KEY: 'live',
    };
    expect(problemsOf(config, env)).toEqual([]);
  });

  it('names a site’s variable after its id', () => {
    const config = changed((one) => {
      one.sites[0].id = 'my-shop-2';
      delete one.sites[0].secretKey;
    });
    expect(parseConfig(config, { PHONE_PROOF_SECRET_KEY_MY_SHOP_2: 'sk_2' }).sites[0]?.secretKey).toBe(
      'sk_2',
    );
  });

  it.each([`${'a'.repeat(32)},${'b'.repeat(32)}`, `\n${'a'.repeat(32)} ,\n  ${'b'.repeat(32)}\n`])(
    'may hold several secrets, newest first: %j',
    (text) => {
      expect(parseConfig(minimal(), { PHONE_PROOF_SECRET: text }).secrets).toEqual([
        'a'.repeat(32),
        'b'.repeat(32),
      ]);
    },
  );

  it.each([
    'PHONE_PROOF_SECRET',
    'PORT',
    'DATA_DIR',
    'WORKERS',
    'MESSAGEBIRD_ACCESS_KEY',
    'PHONE_PROOF_SECRET_KEY_SHOP',
  ])('says nothing with an empty %s', (name) => {
    expect(parseConfig(minimal(), { [name]: '' })).toEqual(parseConfig(minimal()));
  });

  it('does not make a real provider of the simulator', () => {
    expect(parseConfig(minimal(), { MESSAGEBIRD_ACCESS_KEY: 'live' }).delivery).toEqual({
      provider: 'simulator',
    });
  });

  it.each(['abc', '8787x', '-1', '70000', '1.5', 'NaN'])('with PORT=%s is refused', (PORT) => {
    expect(problemsOf(minimal(), { PORT })).toEqual([expect.stringMatching(/^port: /)]);
  });

  it('with a secret that is too short is refused', () => {
    expect(problemsOf(minimal(), { PHONE_PROOF_SECRET: 'short' })).toEqual([
      expect.stringMatching(/^secrets\[0\]: .*32/),
    ]);
  });

  it.each([' ', ',', '\n', `${'a'.repeat(32)},`])('with a secret that is empty is refused: %j', (text) => {
    const problems = problemsOf(minimal(), { PHONE_PROOF_SECRET: text });
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) expect(problem).toMatch(/^secrets\[\d\]: .*32/);
  });
});

describe('in production', () => {
  const production = { NODE_ENV: 'production' };
  const ready = () =>
    changed((config) => {
      config.delivery = { provider: 'messagebird', accessKey: 'live' };
      config.sites[0].secretKey = 'sk_0123456789abcdefABCDEF';
    }) as Anything;
  const unready = (change: (config: Anything) => void) => {
    const config = ready();
    change(config);
    return problemsOf(config, production);
  };

  it('what is ready starts', () => {
    expect(problemsOf(ready(), production)).toEqual([]);
  });

  it.each([
    [
      'the simulator',
      (one: Anything) => Object.assign(one, { delivery: { provider: 'simulator' } }),
      /^delivery\.provider: .*every code/,
    ],
    [
      'a public URL without TLS',
      (one: Anything) => Object.assign(one, { publicUrl: 'http://verify.example' }),
      /^publicUrl: must be https/,
    ],
    [
      'any origin at all',
      (one: Anything) => Object.assign(one.sites[0], { allowedOrigins: ['*'], audience: 'shop' }),
      /^sites\[0\]\.allowedOrigins: "\*"/,
    ],
    [
      'any origin beside others',
      (one: Anything) => Object.assign(one.sites[0], { allowedOrigins: ['https://shop.example', '*'] }),
      /^sites\[0\]\.allowedOrigins: "\*"/,
    ],
    [
      'a secret key that can be guessed',
      (one: Anything) => Object.assign(one.sites[0], { secretKey: 'sk_demo' }),
      /^sites\[0\]\.secretKey: /,
    ],
    [
      'no secret',
      (one: Anything) => {
        delete one.secrets;
      },
      /^secrets: is missing; set PHONE_PROOF_SECRET/,
    ],
    [
      'no secret key',
      (one: Anything) => {
        delete one.sites[0].secretKey;
      },
      /^sites\[0\]\.secretKey: is missing/,
    ],
    [
      'no access key',
      (one: Anything) => Object.assign(one, { delivery: { provider: 'messagebird' } }),
      /^delivery\.accessKey: is missing/,
    ],
  ])('%s refuses to start, and says why', (_what, change, why) => {
    expect(unready(change)).toEqual([expect.stringMatching(why)]);
  });

  it('all reasons are given at once', () => {
    const problems = unready((one) => {
      one.delivery = { provider: 'simulator' };
      one.publicUrl = 'http://verify.example';
      one.sites[0].allowedOrigins = ['https://shop.example', '*'];
    });
    expect(problems).toHaveLength(3);
  });

  it('the second site is looked at, too', () => {
    const problems = unready((one) => {
      one.sites.push({
        ...one.sites[0],
        id: 'b',
        publishableKey: 'pk_b',
        secretKey: 'sk_b',
        allowedOrigins: ['*'],
        audience: 'b',
      });
    });
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'sites[1].secretKey',
      'sites[1].allowedOrigins',
    ]);
  });

  it.each(['development', 'test', '', undefined])('is not when NODE_ENV is %j', (NODE_ENV) => {
    expect(problemsOf(set('publicUrl', 'http://verify.example'), { NODE_ENV })).toEqual([]);
  });
});

it('types what a config file may hold', () => {
  const input: ConfigInput = minimal();
  expect(parseConfig(input).port).toBe(8787);
});
