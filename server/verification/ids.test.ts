import { describe, expect, it } from 'vitest';
import { isId, newId, shardOf } from './ids.ts';

describe('an id', () => {
  it('says what it names, carries its shard, and ends in 128 random bits', () => {
    const id = newId('vrf', 'k3');
    expect(id).toMatch(/^vrf_k3[A-Za-z0-9_-]{22}$/);
    expect(Buffer.from(id.slice(6), 'base64url')).toHaveLength(16);
  });

  it('is never the same twice, nor the same in any of its characters', () => {
    const ids = Array.from({ length: 2_000 }, () => newId('vrf', 'k3'));
    expect(new Set(ids).size).toBe(ids.length);
    // The last character holds two bits only.
    for (let at = 6; at < 27; at += 1) expect(new Set(ids.map((id) => id[at])).size).toBe(64);
  });

  it('has the shard of its number', () => {
    expect(shardOf('k3rest-of-the-hash')).toBe('k3');
  });

  it.each(['vrf', 'dlv', 'int'] as const)('is recognised as %s and as nothing else', (prefix) => {
    const id = newId(prefix, '-_');
    for (const one of ['vrf', 'dlv', 'int'] as const) expect(isId(one, id)).toBe(one === prefix);
  });

  const id = 'vrf_k3AAAAAAAAAAAAAAAAAAAAAA';
  it.each([
    '',
    'vrf_',
    'vrf',
    id.slice(0, -1),
    `${id}A`,
    `${id}\n`,
    ` ${id}`,
    `x${id}`,
    id.toUpperCase(),
    id.replace('_', '-'),
    id.replace('k3', 'k/'),
    id.replace('k3', 'k\u0000'),
    id.replace('k3', 'ｋ3'),
    '__proto__',
    '../../etc/passwd',
    `${id}${id}`,
  ])('is not %j', (text) => {
    expect(isId('vrf', text)).toBe(false);
  });
});
