/**
 * Fills a store with live verifications, through the store itself: real rows, real limits, real sizes.
 *
 *     await preload(store, 1_000_000, (done) => console.log(done));
 */
import { randomBytes } from 'node:crypto';
import { parseConfig } from '../server/config.ts';
import { sendCharges } from '../server/guard/limits.ts';
import { createKeyring } from '../server/secrets.ts';
import type { Store } from '../server/store/store.ts';
import { SEED_BYTES } from '../server/verification/codes.ts';
import { networkKeyOf, phoneKeyOf } from '../server/verification/deps.ts';
import { newId, shardOf } from '../server/verification/ids.ts';
import { oursConfig } from './servers/ours-config.ts';
import { PURPOSE, SECRET } from './servers/settings.ts';

/** Enough under way to keep a store on the network busy. */
const BATCH = 200;
const PROGRESS = 50_000;
const HOUR_MS = 3_600_000;

export async function preload(
  store: Store,
  count: number,
  onProgress: (done: number) => void,
): Promise<void> {
  const keyring = createKeyring([SECRET]);
  const [site] = parseConfig(oursConfig({ dir: ':memory:', redis: undefined })).sites;
  if (!site) throw new Error('the configuration names no site');
  // The site's own limit is a rate, and this is no rate that it should be charged for.
  const charged = { ...site, limits: { ...site.limits, site: [] } };

  async function add(n: number): Promise<void> {
    const now = Date.now();
    // Belgian numbers: the load's are Dutch, and none of theirs is used up here.
    const phone = `+324${70_000_000 + n}`;
    const phoneKey = phoneKeyOf(keyring.newest, charged.id, phone);
    const network = networkKeyOf(keyring.newest, `preload ${n}`);
    const id = newId('vrf', shardOf(phoneKey));
    const outcome = await store.start({
      now,
      verification: {
        id,
        siteId: charged.id,
        purpose: PURPOSE,
        sealedPhone: keyring.seal('phone', phone, id),
        phoneKey,
        country: 'BE',
        isPhoneHidden: false,
        code: { length: 6, alphabet: 'numeric' },
        seed: randomBytes(SEED_BYTES).toString('base64url'),
        secretId: keyring.newest.id.toString('base64url'),
        host: 'shop.example',
        locale: 'en',
        nonce: null,
        subject: null,
        transaction: null,
        createdAt: now,
        expiresAt: now + HOUR_MS,
        status: 'pending',
        channel: 'sms',
        attemptsRemaining: 5,
        resendsRemaining: 3,
        resendAt: now + 30_000,
        resendWaitMs: 60_000,
        approvedAt: null,
      },
      delivery: {
        id: newId('dlv', shardOf(phoneKey)),
        verificationId: id,
        channel: 'sms',
        provider: 'nowhere',
        status: 'sent',
        providerReference: null,
        reason: null,
        createdAt: now,
        at: now,
      },
      intentId: null,
      charges: sendCharges(charged, { phoneKey, network }),
      guesses: {
        network,
        perNetwork: { limit: 10, windowMs: 24 * HOUR_MS },
        inARow: { limit: 100, windowMs: 24 * HOUR_MS },
      },
      idempotency: null,
      forgetAt: now + 24 * HOUR_MS,
    });
    if (outcome.kind !== 'started') throw new Error(`verification ${n} was not taken: ${outcome.kind}`);
  }

  for (let from = 0; from < count; from += BATCH) {
    const size = Math.min(BATCH, count - from);
    await Promise.all(Array.from({ length: size }, (_, index) => add(from + index)));
    if (from % PROGRESS === 0 && from > 0) onProgress(from);
  }
}
