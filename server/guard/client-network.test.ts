import { BlockList } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addRange, clientNetwork } from './client-network.ts';

const direct = clientNetwork([]);

describe('a client that comes directly', () => {
  it.each([
    ['an IPv4 address is itself', '203.0.113.9', '203.0.113.9'],
    ['an IPv4 address on an IPv6 socket', '::ffff:203.0.113.9', '203.0.113.9'],
    ['in capitals', '::FFFF:203.0.113.9', '203.0.113.9'],
    ['written out', '0:0:0:0:0:ffff:203.0.113.9', '203.0.113.9'],
    ['in hexadecimal', '::ffff:cb00:7109', '203.0.113.9'],
    ['in hexadecimal, written out', '0000:0000:0000:0000:0000:ffff:cb00:7109', '203.0.113.9'],
  ])('%s', (_what, address, network) => {
    expect(direct(address, undefined)).toBe(network);
  });

  it.each([
    '2001:db8:1:2:3:4:5:6',
    '2001:db8:1:2::',
    '2001:db8:1:2::1',
    '2001:db8:1:2:3::4',
    '2001:DB8:1:2::1',
    '2001:0db8:0001:0002:0000:0000:0000:0001',
    '2001:0DB8:01:002::ffff',
    '2001:db8:1:2:0:0:203.0.113.9',
    '2001:db8:1:2::203.0.113.9',
    '2001:db8:1:2::1%eth0',
    '[2001:db8:1:2::1]',
  ])('%s is its /64', (address) => {
    expect(direct(address, undefined)).toBe('2001:db8:1:2::/64');
  });

  it.each([
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:1::', '2001:db8:0:0::/64'],
    ['1::8', '1:0:0:0::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
    ['1::3:4:5:6:7:8', '1:0:3:4::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::203.0.113.9', '64:ff9b:0:0::/64'],
  ])('%s belongs to %s', (address, network) => {
    expect(direct(address, undefined)).toBe(network);
  });

  it('is another client in the next /64', () => {
    expect(direct('2001:db8:1:3::1', undefined)).not.toBe(direct('2001:db8:1:2::1', undefined));
  });

  it.each([
    undefined,
    '',
    'unknown',
    'localhost',
    '203.0.113',
    '203.0.113.999',
    'garbage',
    '2001:db8:::1',
    '@',
    '1.2.3.4.5',
  ])('has no network when its address is %j', (address) => {
    expect(direct(address, '203.0.113.9')).toBe('unknown');
  });

  it.each(['1.1.1.1', '1.1.1.1, 2.2.2.2', '::1', '203.0.113.9'])(
    'is not believed what it says it is: %s',
    (said) => {
      expect(direct('198.51.100.7', said)).toBe('198.51.100.7');
      expect(clientNetwork(['10.0.0.0/8'])('198.51.100.7', said)).toBe('198.51.100.7');
    },
  );
});

describe('a client behind trusted proxies', () => {
  const networkOf = clientNetwork(['10.0.0.0/8', '192.0.2.1', '2001:db8:ffff::/48', 'loopback']);

  it.each([
    ['one proxy', '10.1.2.3', '203.0.113.9', '203.0.113.9'],
    ['two proxies', '10.1.2.3', '203.0.113.9, 10.9.9.9', '203.0.113.9'],
    ['a single address as proxy', '192.0.2.1', '203.0.113.9', '203.0.113.9'],
    ['its neighbour, which is none', '192.0.2.2', '203.0.113.9', '192.0.2.2'],
    ['a proxy on an IPv6 socket', '::ffff:10.1.2.3', '203.0.113.9', '203.0.113.9'],
    ['a proxy named in hexadecimal', '::ffff:a01:203', '203.0.113.9', '203.0.113.9'],
    ['an IPv6 proxy', '2001:db8:ffff::1', '203.0.113.9', '203.0.113.9'],
    ['an IPv6 address outside of the range', '2001:db8:fffe::1', '203.0.113.9', '2001:db8:fffe:0::/64'],
    ['loopback', '127.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['all of loopback', '127.8.8.8', '203.0.113.9', '203.0.113.9'],
    ['IPv6 loopback', '::1', '203.0.113.9', '203.0.113.9'],
    ['an IPv6 client', '10.1.2.3', '2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['a client with port', '10.1.2.3', '203.0.113.9:4711', '203.0.113.9'],
    ['an IPv6 client with port', '10.1.2.3', '[2001:db8:1:2::1]:4711', '2001:db8:1:2::/64'],
    ['no spaces', '10.1.2.3', '203.0.113.9,10.9.9.9,10.8.8.8', '203.0.113.9'],
    ['many spaces', '10.1.2.3', '  203.0.113.9 ,\t10.9.9.9  ', '203.0.113.9'],
    ['a mapped client', '10.1.2.3', '::ffff:203.0.113.9', '203.0.113.9'],
  ])('is found: %s', (_what, remote, forwardedFor, network) => {
    expect(networkOf(remote, forwardedFor)).toBe(network);
  });

  it.each([
    ['an address of another', '1.1.1.1, 203.0.113.9'],
    ['many', '1.1.1.1, 2.2.2.2, 3.3.3.3, 203.0.113.9'],
    ['the proxy itself', '10.1.2.3, 203.0.113.9'],
    ['loopback', '127.0.0.1, 203.0.113.9'],
    ['garbage', 'garbage, 203.0.113.9'],
    ['nothing', ', 203.0.113.9'],
    ['very much', `${'1.1.1.1, '.repeat(1_000)}203.0.113.9`],
  ])('is not believed what it put into the header: %s', (_what, forwardedFor) => {
    expect(networkOf('10.1.2.3', forwardedFor)).toBe('203.0.113.9');
    expect(networkOf('10.1.2.3', `${forwardedFor}, 10.9.9.9`)).toBe('203.0.113.9');
  });

  it.each([
    ['no header', undefined, '10.1.2.3'],
    ['an empty one', '', '10.1.2.3'],
    ['garbage', 'garbage', '10.1.2.3'],
    ['a name', 'client.example', '10.1.2.3'],
    ['“unknown”, as RFC 7239 allows', 'unknown', '10.1.2.3'],
    ['garbage on the right', '203.0.113.9, garbage', '10.1.2.3'],
    ['garbage between proxies', '203.0.113.9, garbage, 10.9.9.9', '10.9.9.9'],
    ['proxies alone', '10.7.7.7, 10.8.8.8', '10.7.7.7'],
    ['an empty item', '203.0.113.9,, 10.9.9.9', '10.9.9.9'],
  ])('counts as the last proxy that is known when there is %s', (_what, forwardedFor, network) => {
    expect(networkOf('10.1.2.3', forwardedFor)).toBe(network);
  });
});

describe('a trusted range', () => {
  it.each([
    ['10.0.0.0/8', '10.255.255.255', '11.0.0.0'],
    ['10.1.2.3/8', '10.200.0.1', '11.0.0.1'],
    ['192.0.2.128/25', '192.0.2.255', '192.0.2.127'],
    ['192.0.2.1/32', '192.0.2.1', '192.0.2.2'],
    ['192.0.2.1', '192.0.2.1', '192.0.2.0'],
  ])('%s holds %s and not %s', (range, inside, outside) => {
    const networkOf = clientNetwork([range]);
    expect(networkOf(inside, '203.0.113.9')).toBe('203.0.113.9');
    expect(networkOf(outside, '203.0.113.9')).toBe(outside);
  });

  it('may be everything, where that is what is written', () => {
    expect(clientNetwork(['0.0.0.0/0'])('8.8.8.8', '203.0.113.9')).toBe('203.0.113.9');
  });

  it('of IPv4 says nothing about IPv6, and the other way round', () => {
    expect(clientNetwork(['0.0.0.0/0'])('2001:db8:1:2::1', '203.0.113.9')).toBe('2001:db8:1:2::/64');
    expect(clientNetwork(['2001:db8::/32'])('10.1.2.3', '203.0.113.9')).toBe('10.1.2.3');
  });

  it.each([
    '',
    'localhost',
    'Loopback',
    'proxy.example',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8.5',
    '10.0.0.0/abc',
    '::1/129',
    // A prefix that is missing or followed by more must not be read as some other one: /0 trusts everybody.
    '10.0.0.0/',
    '10.0.0.0/ ',
    '::1/',
    '10.0.0.0/8/9',
    '10.0.0.0/0x8',
    '10.0.0.0/1e1',
  ])('is not %j', (entry) => {
    expect(() => addRange(new BlockList(), entry)).toThrow();
  });
});
