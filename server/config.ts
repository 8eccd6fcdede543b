/**
 * What can be configured, as one schema: the only place where a default stands.
 *
 *     // phone-proof.config.ts
 *     import { defineConfig } from 'phone-proof';
 *     export default defineConfig({ publicUrl: 'https://verify.shop.example', sites: [{ … }] });
 *
 * In the file a duration is a number of seconds or a string such as '30s', '10m', '24h', '90d'; after
 * parsing it is milliseconds. Secrets may stand in the file's code but belong in the environment:
 * `PHONE_PROOF_SECRET`, `PHONE_PROOF_SECRET_KEY_<SITE>`, `MESSAGEBIRD_ACCESS_KEY`.
 */
import { BlockList } from 'node:net';
import { isSupportedCountry } from 'libphonenumber-js/max';
import { z } from 'zod';
import { channel, codeAlphabet, purposeName } from './contract.ts';
import { addRange } from './guard/client-network.ts';
import { MIN_SECRET_LENGTH } from './secrets.ts';
import { parseRedisUrl } from './store/redis/redis-url.ts';

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const durationForms = 'a duration is a number of seconds or a string such as "30s", "10m", "24h" or "90d"';

/** '10m' → 600000. */
const duration = z
  .union([z.number().nonnegative(durationForms), z.string().regex(/^\d+(\.\d+)?[smhd]$/, durationForms)], {
    error: durationForms,
  })
  .transform((value) =>
    typeof value === 'number'
      ? Math.round(value * 1_000)
      : Math.round(Number(value.slice(0, -1)) * unitMs[value.slice(-1) as keyof typeof unitMs]),
  );

const between = (min: string, max: string) => {
  const [low, high] = [duration.parse(min), duration.parse(max)];
  return duration.refine((ms) => ms >= low && ms <= high, `must be between ${min} and ${max}`);
};

const country = z.string().refine(isSupportedCountry, 'a country is ISO 3166-1 alpha-2, such as "NL"');

/** `https://shop.example`: scheme, host and port, nothing after. */
const origin = z.string().refine((text) => text === '*' || isOrigin(text), {
  error: 'an origin is scheme and host without a path, such as "https://shop.example"',
});

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text && !text.includes('*');
}

const httpUrl = z.url({ protocol: /^https?$/, error: 'a URL that begins with https:// or http://' });

/** Where browsers and backends look: an address alone, without what would stand in the way of a path. */
const publicAddress = httpUrl.refine((text) => {
  if (!URL.canParse(text)) return false;
  const { search, hash, username, password } = new URL(text);
  return `${search}${hash}${username}${password}` === '';
}, 'must be an address without query, fragment or user');

/** GSM 03.40 §9.1.2.5: alphanumeric up to 11 characters; otherwise a number or short code. */
const originator = z
  .string()
  .regex(
    /^((?=.*[A-Za-z0-9])[A-Za-z0-9 ]{1,11}|\+?[0-9]{3,15})$/,
    'an originator is at most 11 letters, digits or spaces, or a number',
  );

const rate = z.strictObject({ limit: z.int().min(1).max(1_000_000), window: between('1s', '30d') });

const limits = z.strictObject({
  /** Messages to one number asked for from one network. Each limit of a list applies. */
  phoneFromClient: z.array(rate).default([
    { limit: 5, window: duration.parse('1h') },
    { limit: 10, window: duration.parse('24h') },
  ]),
  /** Messages to one number, whoever asks. */
  phone: z.array(rate).default([
    { limit: 15, window: duration.parse('1h') },
    { limit: 30, window: duration.parse('24h') },
  ]),
  /** Messages asked for from one IPv4 address or IPv6 /64. */
  client: z.array(rate).default([
    { limit: 20, window: duration.parse('10m') },
    { limit: 100, window: duration.parse('24h') },
  ]),
  /** Messages of the whole site. */
  site: z.array(rate).default([{ limit: 1_000, window: duration.parse('1m') }]),
  /** Wrong codes for one number, over all its verifications. */
  failedGuesses: z
    .strictObject({
      /** From one network, until it has been quiet for `window`. */
      perNetwork: rate.default({ limit: 10, window: duration.parse('24h') }),
      /** In a row from anywhere (NIST SP 800-63B-4 §3.2.2 allows 100); a right code ends the row. */
      inARow: z
        .strictObject({ limit: z.int().min(1).max(100_000), window: between('1h', '365d') })
        .default({ limit: 100, window: duration.parse('30d') }),
    })
    .prefault({}),
});

const purpose = z.strictObject({
  code: z
    .strictObject({
      length: z.int().min(4).max(10).default(6),
      alphabet: codeAlphabet.default('numeric'),
    })
    .prefault({}),
  /** How long a code works. */
  codeTtl: between('30s', '10m').default(duration.parse('5m')),
  /** Guesses a verification has, however often its code is sent. */
  guesses: z.int().min(1).max(10).default(5),
  resends: z.int().min(0).max(10).default(3),
  /** Before the first resend; each resend doubles it. */
  resendWait: between('1s', '5m').default(duration.parse('30s')),
  channels: z.array(channel).nonempty().default(['sms']),
  /** ISO 3166-1 alpha-2; the site's list when absent. */
  countries: z.array(country).nonempty().optional(),
  /** Only the site's backend may name the number. */
  requiresIntent: z.boolean().default(false),
  /** The intent must name amount and payee. */
  requiresTransaction: z.boolean().default(false),
  intentTtl: between('30s', '24h').default(duration.parse('15m')),
  proofTtl: between('30s', '1h').optional(),
  originator: originator.optional(),
});

const site = z
  .strictObject({
    /** Stands in logs and in the proof's `site` claim. */
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'a site id is a lower-case slug'),
    /** Named in the message and by the element. */
    brand: z
      .string()
      .min(1)
      .max(30)
      .regex(/^[^\p{Cc}\p{Cf}]+$/u, 'a brand is one line of visible text'),
    publishableKey: z.string().regex(/^pk_[A-Za-z0-9_-]{1,64}$/, 'a publishable key begins with "pk_"'),
    secretKey: z.string().regex(/^sk_[A-Za-z0-9_-]{1,128}$/, 'a secret key begins with "sk_"'),
    allowedOrigins: z.tuple([origin], origin),
    /** Calls without an Origin, as native apps make them. */
    allowMissingOrigin: z.boolean().default(false),
    /** The proof's `aud`; the first allowed origin when absent. */
    audience: z.string().min(1).max(255).optional(),
    /** `pairwise` puts a hash of the number into proofs, different for each site. */
    privacy: z.enum(['number', 'pairwise']).default('number'),
    originator: originator.default('Verify'),
    countries: z.array(country).nonempty().optional(),
    defaultCountry: country.optional(),
    termsUrl: httpUrl.optional(),
    privacyUrl: httpUrl.optional(),
    proofTtl: between('30s', '1h').default(duration.parse('10m')),
    limits: limits.prefault({}),
    purposes: z.record(purposeName, purpose),
  })
  .transform((parsed) => ({ ...parsed, audience: parsed.audience ?? parsed.allowedOrigins[0] }));

const delivery = z.discriminatedUnion('provider', [
  z.strictObject({ provider: z.literal('simulator') }),
  z.strictObject({
    provider: z.literal('messagebird'),
    accessKey: z.string().min(1),
    /** After that a send counts as unknown and is not waited for. */
    timeout: between('1s', '30s').default(duration.parse('10s')),
  }),
]);

const store = z.discriminatedUnion('engine', [
  /** One file under `dataDir`: nothing else to run. */
  z.strictObject({ engine: z.literal('sqlite') }),
  /** Redis or Valkey, shared by a fleet. */
  z.strictObject({
    engine: z.literal('redis'),
    /** `redis://…`, `redis-sentinel://…/name`, `redis-cluster://…`; with `rediss` for TLS. Usually REDIS_URL. */
    url: z
      .string()
      .refine(
        isRedisUrl,
        'expected redis://host:6379, redis-sentinel://host:26379/name or redis-cluster://host:6379',
      ),
    /** Begins every key. */
    prefix: z
      .string()
      .regex(/^[\w-]{1,32}$/)
      .default('pp'),
  }),
]);

const secret = z.string().min(MIN_SECRET_LENGTH, `a secret has at least ${MIN_SECRET_LENGTH} characters`);

const workersForms = 'a number from 1 to 64, or "auto"';
const workers = z.union([z.int().min(1, workersForms).max(64, workersForms), z.literal('auto')], {
  error: workersForms,
});

const configSchema = z
  .strictObject({
    /** Where browsers and backends reach this server; the proof's `iss`. No trailing slash. */
    publicUrl: publicAddress.transform((text) => text.replace(/\/+$/, '')),
    port: z.int().min(0).max(65_535).default(8787),
    /** The address to listen on; all when absent. */
    host: z.string().optional(),
    /** The database and, with the simulator, its inbox. `:memory:` keeps nothing. */
    dataDir: z.string().min(1).default('data'),
    /** Newest first; older ones still open what they sealed. Usually PHONE_PROOF_SECRET. */
    secrets: z.tuple([secret], secret),
    /** Whose X-Forwarded-For is believed: addresses, CIDR ranges, or "loopback". */
    trustedProxies: z.array(z.string().refine(isRange, 'an address, a CIDR range or "loopback"')).default([]),
    proof: z
      .strictObject({
        algorithm: z.enum(['ES256', 'EdDSA', 'RS256']).default('ES256'),
        /** How long a key signs before the server replaces it; false leaves that to `keys rotate`. */
        keyRotation: z
          .union([z.literal(false), between('1d', '730d')], {
            error: 'a duration between "1d" and "730d", or false',
          })
          .default(duration.parse('90d')),
        /** A new key is published this long before it signs: gateways cache a key set for hours. */
        keyOverlap: between('0s', '7d').default(duration.parse('24h')),
      })
      .refine(({ keyRotation, keyOverlap }) => keyRotation === false || keyOverlap <= keyRotation, {
        path: ['keyOverlap'],
        error: 'must not be longer than keyRotation',
      })
      .prefault({}),
    store: store.prefault({ engine: 'sqlite' }),
    delivery,
    /** Numbers and verifications are erased after that. */
    retention: between('1h', '90d').default(duration.parse('24h')),
    /** Server processes behind the one port; `auto` is one for each core. */
    workers: workers.default(1),
    /** An idle connection is kept so long: longer than the balancer in front keeps it, or that one loses requests. */
    keepAlive: between('1s', '20m').default(duration.parse('75s')),
    /** Between the failing `/readyz` and the closed port, for balancers to notice. */
    drainDelay: between('0s', '60s').default(0),
    logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    sites: z.array(site).nonempty(),
  })
  .superRefine(({ sites, workers: count, dataDir, store: { engine }, delivery: { provider } }, context) => {
    if (count !== 1 && dataDir === ':memory:' && (engine === 'sqlite' || provider === 'simulator')) {
      const message = '":memory:" is not shared by several workers; name a folder';
      context.addIssue({ code: 'custom', path: ['dataDir'], message });
    }
    sites.forEach(({ audience }, index) => {
      if (audience !== '*') return;
      const message = 'is needed where the first allowed origin is "*"';
      context.addIssue({ code: 'custom', path: ['sites', index, 'audience'], message });
    });
    for (const member of ['id', 'publishableKey', 'secretKey'] as const) {
      const values = sites.map((one) => one[member]);
      values.forEach((value, index) => {
        if (values.indexOf(value) < index) {
          context.addIssue({
            code: 'custom',
            path: ['sites', index, member],
            message: 'is used by two sites',
          });
        }
      });
    }
  });

function isRedisUrl(url: string): boolean {
  try {
    parseRedisUrl(url);
    return true;
  } catch {
    return false;
  }
}

function isRange(entry: string): boolean {
  try {
    addRange(new BlockList(), entry);
    return true;
  } catch {
    return false;
  }
}

/** As written in the file. */
export type ConfigInput = z.input<typeof configSchema>;
/** As the server uses it: defaults filled in, durations in milliseconds. */
export type Config = z.output<typeof configSchema>;
export type SiteConfig = Config['sites'][number];
export type PurposeConfig = SiteConfig['purposes'][string];

/** A config with editor completion. */
export const defineConfig = (config: DeepPartial<ConfigInput>): DeepPartial<ConfigInput> => config;

type DeepPartial<T> = T extends readonly (infer Item)[]
  ? readonly DeepPartial<Item>[]
  : T extends object
    ? { [Key in keyof T]?: DeepPartial<T[Key]> }
    : T;

/** Everything that is wrong with a config, each with the member's path and what is expected there. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: string[];
  constructor(problems: string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Joins a config file's content with the environment's secrets and checks the whole.
 *
 * @throws ConfigError that names each wrong member and says what is expected
 */
export function parseConfig(fileContent: unknown, env: Record<string, string | undefined> = {}): Config {
  const parsed = configSchema.safeParse(withEnvironment(fileContent, env), { reportInput: true });
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${pathOf(issue.path)}: ${sentence(issue)}`));
  }
  const refusals = env.NODE_ENV === 'production' ? productionRefusals(parsed.data) : [];
  if (refusals.length > 0) throw new ConfigError(refusals);
  return parsed.data;
}

const looseRecord = z.record(z.string(), z.unknown());

/** What the environment adds wins over the file: it is where an operator changes a secret. */
function withEnvironment(fileContent: unknown, env: Record<string, string | undefined>): unknown {
  const file = looseRecord.safeParse(fileContent);
  if (!file.success) return fileContent;
  const content = { ...file.data };
  if (env.PHONE_PROOF_SECRET) content.secrets = env.PHONE_PROOF_SECRET.split(',').map((one) => one.trim());
  if (env.PORT) content.port = Number(env.PORT);
  if (env.DATA_DIR) content.dataDir = env.DATA_DIR;
  if (env.WORKERS) content.workers = env.WORKERS === 'auto' ? 'auto' : Number(env.WORKERS);
  if (env.REDIS_URL) content.store = { ...redisPart(content.store), engine: 'redis', url: env.REDIS_URL };

  const deliveryPart = looseRecord.safeParse(content.delivery);
  if (deliveryPart.success && deliveryPart.data.provider === 'messagebird' && env.MESSAGEBIRD_ACCESS_KEY) {
    content.delivery = { ...deliveryPart.data, accessKey: env.MESSAGEBIRD_ACCESS_KEY };
  }
  const sites = z.array(looseRecord).safeParse(content.sites);
  if (sites.success) {
    content.sites = sites.data.map((one) => {
      const secretKey = env[secretKeyVariable(String(one.id))];
      return secretKey ? { ...one, secretKey } : one;
    });
  }
  return content;
}

const redisPart = (part: unknown) => {
  const parsed = looseRecord.safeParse(part);
  return parsed.success && parsed.data.engine === 'redis' ? parsed.data : {};
};

/** `my-shop` → `PHONE_PROOF_SECRET_KEY_MY_SHOP`. */
const secretKeyVariable = (siteId: string) =>
  `PHONE_PROOF_SECRET_KEY_${siteId.toUpperCase().replaceAll('-', '_')}`;

/** 'sk_' and 128 random bits in base64. */
const MIN_SECRET_KEY_LENGTH = 25;

/** What is convenient on a desk and dangerous in production. */
function productionRefusals(config: Config): string[] {
  const refusals: string[] = [];
  if (config.delivery.provider === 'simulator') {
    refusals.push('delivery.provider: the simulator shows every code to anybody; name a real provider');
  }
  if (!isSecureUrl(config.publicUrl)) {
    refusals.push('publicUrl: must be https, or codes and proofs travel in the clear');
  }
  config.sites.forEach((one, index) => {
    if (one.secretKey.length < MIN_SECRET_KEY_LENGTH) {
      refusals.push(
        `sites[${index}].secretKey: must be random and have at least ${MIN_SECRET_KEY_LENGTH} characters`,
      );
    }
    if (one.allowedOrigins.includes('*')) {
      refusals.push(
        `sites[${index}].allowedOrigins: "*" lets any page send codes at your cost; name the origins`,
      );
    }
  });
  return refusals;
}

function isSecureUrl(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || hostname === 'localhost' || hostname === '127.0.0.1';
}

/** `['sites', 0, 'brand']` → `sites[0].brand`. */
const pathOf = (path: readonly PropertyKey[]) =>
  path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part),
    '',
  ) || 'the config';

/** zod's sentence; for what the environment can supply, where to put it. */
function sentence(issue: z.core.$ZodIssue): string {
  const isMissing = issue.code === 'invalid_type' && issue.input === undefined;
  const last = issue.path.at(-1);
  if (isMissing && last === 'secrets') {
    return `is missing; set PHONE_PROOF_SECRET to a random text of at least ${MIN_SECRET_LENGTH} characters`;
  }
  if (isMissing && last === 'secretKey') {
    return 'is missing; set it here or as PHONE_PROOF_SECRET_KEY_<SITE ID>';
  }
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  if (isMissing && last === 'accessKey') return 'is missing; set MESSAGEBIRD_ACCESS_KEY';
  return issue.message;
}
