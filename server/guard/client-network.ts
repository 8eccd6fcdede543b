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
  const [address = '', prefix] = entry.split('/');
  const family = isIP(address);
  if (family === 0) throw new Error(`"${entry}" is not an address, a CIDR range or "loopback"`);
  const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
  list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
}

/** Without port, brackets, zone, or the IPv4-mapped prefix; undefined when it is no address. */
function plainAddress(text: string): string | undefined {
  const bare = text.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  const address = mapped ?? (/^\d+\.\d+\.\d+\.\d+:\d+$/.test(bare) ? bare.slice(0, bare.indexOf(':')) : bare);
  return isIP(address) === 0 ? undefined : address;
}

/** The first four groups, in the one canonical spelling. */
function ipv6Prefix(address: string): string {
  const [head = '', tail] = address.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  // A dotted quad at the end stands for two groups.
  const count = (groups: string[]) => groups.length + (groups.at(-1)?.includes('.') ? 1 : 0);
  const gap = tail === undefined ? 0 : 8 - count(first) - count(last);
  const groups = [...first, ...Array<string>(Math.max(0, gap)).fill('0'), ...last];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
