/**
 * The demo's verifier: one site with all seven purposes, and limits that leave room to play.
 *
 *     const config = demoConfig({ env: process.env, secret });
 */
import { type Config, parseConfig } from 'phone-proof';

type Environment = Record<string, string | undefined>;

/** What one curious person cannot reach within an afternoon. */
const generous = [{ limit: 10_000, window: '1h' as const }];
const generousLimits = {
  phoneFromClient: generous,
  phone: generous,
  client: generous,
  site: generous,
  failedGuesses: {
    perNetwork: { limit: 1_000, window: '1h' as const },
    inARow: { limit: 1_000, window: '1h' as const },
  },
};

export const portOf = (env: Environment): number => Number(env.PORT ?? 8787);
export const shopPortOf = (env: Environment): number => Number(env.SHOP_PORT ?? 8788);
export const shopUrlOf = (env: Environment): string => `http://localhost:${shopPortOf(env)}`;

/**
 * Messages go to the simulator; with MESSAGEBIRD_ACCESS_KEY and MESSAGEBIRD_ORIGINATOR they are sent for
 * real.
 *
 * @param secret what the server seals with, kept by the caller across restarts
 */
export function demoConfig({ env, secret }: { env: Environment; secret: string }): Config {
  const isReal = Boolean(env.MESSAGEBIRD_ACCESS_KEY && env.MESSAGEBIRD_ORIGINATOR);
  return parseConfig(
    {
      publicUrl: `http://localhost:${portOf(env)}`,
      // Whoever reaches the simulator reads every code: nobody but this machine.
      host: env.HOST ?? '127.0.0.1',
      secrets: [secret],
      logLevel: env.LOG_LEVEL ?? 'warn',
      delivery: { provider: isReal ? 'messagebird' : 'simulator' },
      sites: [
        {
          id: 'demo',
          brand: 'Polder',
          publishableKey: 'pk_demo',
          secretKey: 'sk_demo',
          allowedOrigins: [shopUrlOf(env)],
          originator: isReal ? env.MESSAGEBIRD_ORIGINATOR : 'Polder',
          defaultCountry: 'NL',
          ...(env.PHONE_PROOF_LIMITS === 'strict' ? {} : { limits: generousLimits }),
          purposes: {
            registration: {},
            login: { requiresIntent: true },
            password_reset: { requiresIntent: true },
            checkout: {},
            transaction: { requiresIntent: true, requiresTransaction: true },
            account_change: { requiresIntent: true },
            appointment: {},
          },
        },
      ],
    },
    env,
  );
}
