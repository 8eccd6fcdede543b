/**
 * The one text that says where Redis is.
 *
 *     parseRedisUrl('redis-cluster://10.0.0.5:6379,10.0.0.6:6379');
 *     // { topology: 'cluster', hosts: [{ host: '10.0.0.5', port: 6379 }, …], isTls: false, path: '' }
 */

export type RedisAddress = {
  topology: 'single' | 'sentinel' | 'cluster';
  hosts: { host: string; port: number }[];
  isTls: boolean;
  username?: string;
  password?: string;
  /** Database number, or the name of Sentinel's primary. */
  path: string;
};

const SCHEME = /^(rediss?)(?:-(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^/]+)(?:\/(.*))?$/;

/** @throws Error that shows the accepted forms */
export function parseRedisUrl(url: string): RedisAddress {
  const match = SCHEME.exec(url);
  if (!match) {
    throw new Error(
      'expected redis://host:6379/0, redis-sentinel://host:26379,…/name or redis-cluster://host:6379,…',
    );
  }
  const [, scheme, topology = 'single', credentials = '', hosts = '', path = ''] = match;
  const [username = '', password = ''] = credentials.includes(':')
    ? credentials.split(/:(.*)/s)
    : ['', credentials];
  if (topology === 'sentinel' && path === '')
    throw new Error('a Sentinel URL ends with the name of its primary');
  return {
    topology: topology === 'sentinel' || topology === 'cluster' ? topology : 'single',
    isTls: scheme === 'rediss',
    hosts: hosts.split(',').map((entry) => {
      const [, host = '', port] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(entry) ?? [];
      if (host === '') throw new Error(`"${entry}" is not a host and port`);
      return {
        host: host.replace(/[[\]]/g, ''),
        port: Number(port ?? (topology === 'sentinel' ? 26_379 : 6_379)),
      };
    }),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    path,
  };
}
