/**
 * Which network a request comes from: the unit that limits on clients count.
 *
 *     const networkOf = clientNetwork(['10.0.0.0/8', 'loopback']);
 *     networkOf('10.1.2.3', '203.0.113.9, 10.9.9.9');   // '203.0.113.9'
 *     networkOf('2001:db8:1:2:3::4', undefined);        // '2001:db8:1:2::/64'
 *
 * An IPv4 client is its address; an IPv6 client is its /64, which is what one subscriber is given
 * (RFC 6177). `X-Forwarded-For` is believed only from a configured proxy, from the right, up to the
 * first address that is not one.
 */
import { BlockList, isIP, isIPv4 } from 'node:net';

/** @param trustedProxies addresses, CIDR ranges, or the word `loopback` */
export function clientNetwork(
  trustedProxies: readonly string[],
): (remoteAddress: string | undefined, forwardedFor: string | undefined) => string {
  const proxies = new BlockList();
  for (const entry of trustedProxies) addRange(proxies, entry);
  const isProxy = (address: string) => proxies.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');

  return (remoteAddress, forwardedFor) => {
    let client = plainAddress(remoteAddress ?? '');
    if (client === undefined) return 'unknown';
    const hops = (forwardedFor ?? '').split(',').reverse();
    for (const hop of hops) {
      if (!isProxy(client)) break;
      const next = plainAddress(hop.trim());
      if (next === undefined) break;
      client = next;
    }
    return isIPv4(client) ? client : `${ipv6Prefix(client)}::/64`;
  };
}

/** @throws Error when the entry is neither an address nor a range */
export function addRange(list: BlockList, entry: string): void {
  if (entry === 'loopback') {
    list.addSubnet('127.0.0.0', 8, 'ipv4');
    list.addAddress('::1', 'ipv6');
    return;
  }
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const family = isIP(address);
  if (family === 0) throw new Error(`"${entry}" is not an address, a CIDR range or "loopback"`);
  const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
  list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
}

/** Without port, brackets or zone, an IPv4-mapped address as IPv4; undefined when it is no address. */
function plainAddress(text: string): string | undefined {
  const bare = text
    .replace(/^\[(.*)\](:\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/%.*$/, '');
  switch (isIP(bare)) {
    case 4:
      return bare;
    case 6: {
      const groups = ipv6Groups(bare);
      const isMapped = groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff';
      if (!isMapped) return bare;
      return groups
        .slice(6)
        .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff])
        .join('.');
    }
    default:
      return undefined;
  }
}

/** All eight, in the one canonical spelling (RFC 5952 §4): the URL parser knows every other. */
function ipv6Groups(address: string): string[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const groups = (text = '') => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(head), groups(tail)];
  return [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last];
}

/** What one subscriber is given. */
const ipv6Prefix = (address: string) => ipv6Groups(address).slice(0, 4).join(':');
