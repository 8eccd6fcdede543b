/** Signing keys and kept secrets: of several writers one wins. */
import { describe, expect, it } from 'vitest';
import { HOUR, signingKeyOf, T0 } from '../steps.ts';
import type { Fixture } from './fixture.ts';

export function describeKeys(fixture: Fixture): void {
  const { store } = fixture;

  describe('signing keys', () => {
    it('are none at first, and then stand oldest first', async () => {
      expect(await store.signingKeys()).toEqual([]);
      const keys = ['c', 'a', 'b'].map((kid, nth) =>
        signingKeyOf({ kid, createdAt: T0 + nth, signsFrom: T0 + nth * HOUR }),
      );
      for (const [nth, key] of keys.entries()) {
        expect(await store.addSigningKey(key, keys[nth - 1]?.kid ?? null)).toBe(true);
      }
      expect(await store.signingKeys()).toEqual(keys);
    });

    it('are added only beside the newest one that the caller knows', async () => {
      const [first, second, third] = ['1', '2', '3'].map((kid) => signingKeyOf({ kid }));
      if (!first || !second || !third) throw new Error('three keys');
      expect(await store.addSigningKey(second, '1')).toBe(false);
      expect(await store.addSigningKey(first, null)).toBe(true);
      expect(await store.addSigningKey(second, null)).toBe(false);
      expect(await store.addSigningKey(second, '1')).toBe(true);
      expect(await store.addSigningKey(third, '1')).toBe(false);
      expect(await store.addSigningKey(third, '2')).toBe(true);
      expect((await store.signingKeys()).map(({ kid }) => kid)).toEqual(['1', '2', '3']);
    });

    it('are added by one of many that try at once', async () => {
      const won = await Promise.all(
        Array.from({ length: 20 }, (_, nth) => store.addSigningKey(signingKeyOf({ kid: `k${nth}` }), null)),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await store.signingKeys()).toHaveLength(1);
    });

    it('stand in the order in which they were added, also when the clock was set back', async () => {
      await store.addSigningKey(signingKeyOf({ kid: '1', createdAt: T0 }), null);
      const later = (kid: string) => signingKeyOf({ kid, createdAt: T0 - HOUR, signsFrom: T0 - HOUR });
      expect(await store.addSigningKey(later('2'), '1')).toBe(true);
      // Another process that knew '1' as the newest comes too late.
      expect(await store.addSigningKey(later('3'), '1')).toBe(false);
      expect((await store.signingKeys()).map(({ kid }) => kid)).toEqual(['1', '2']);
    });

    it('can be removed, and sealed anew', async () => {
      const [one, other] = [signingKeyOf({ kid: '1' }), signingKeyOf({ kid: '2', createdAt: T0 + 1 })];
      await store.addSigningKey(one, null);
      await store.addSigningKey(other, '1');
      await store.resealSigningKey('2', 'sealed anew');
      await store.resealSigningKey('3', 'nobody');
      expect(await store.signingKeys()).toEqual([one, { ...other, sealedPrivateJwk: 'sealed anew' }]);
      await store.removeSigningKey('1');
      await store.removeSigningKey('1');
      expect((await store.signingKeys()).map(({ kid }) => kid)).toEqual(['2']);
    });
  });

  describe('kept secrets', () => {
    it('are the first writer’s', async () => {
      expect(await store.keepSecret('pairwise', 'first')).toBe('first');
      expect(await store.keepSecret('pairwise', 'second')).toBe('first');
      expect(await store.keepSecret('other', 'second')).toBe('second');
    });

    it('are the same for all that ask at once', async () => {
      const kept = await Promise.all(
        Array.from({ length: 20 }, (_, nth) => store.keepSecret('pairwise', `value ${nth}`)),
      );
      expect(new Set(kept).size).toBe(1);
    });

    it('can be sealed anew, each alone', async () => {
      await store.keepSecret('one', 'first');
      await store.keepSecret('other', 'first');
      await store.resealSecret('one', 'anew');
      expect(await store.keepSecret('one', 'second')).toBe('anew');
      expect(await store.keepSecret('other', 'second')).toBe('first');
    });
  });
}
