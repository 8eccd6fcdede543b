/** The floor over Redis: one script a call. */
import { serve } from '@hono/node-server';
import { Redis, type Result } from 'ioredis';
import { createFloor, type FloorStore, GUESSES } from './floor.ts';
import { ready, serverArguments } from './harness.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    floorAdd(
      key: string,
      phone: string,
      purpose: string,
      codeHash: string,
      guesses: number,
      expiresAt: number,
    ): Result<number, Context>;
    floorApprove(key: string, codeHash: string): Result<[string, string] | null, Context>;
  }
}

const ADD = `
redis.call('HSET', KEYS[1], 'phone', ARGV[1], 'purpose', ARGV[2], 'code', ARGV[3], 'guesses', ARGV[4])
return redis.call('PEXPIREAT', KEYS[1], ARGV[5])
`;

const APPROVE = `
local found = redis.call('HMGET', KEYS[1], 'phone', 'purpose', 'code', 'guesses')
if not found[1] or found[4] == '0' then return false end
if found[3] ~= ARGV[1] then
  redis.call('HINCRBY', KEYS[1], 'guesses', -1)
  return false
end
redis.call('HSET', KEYS[1], 'guesses', '0')
return { found[1], found[2] }
`;

function openStore(redis: Redis): FloorStore {
  redis.defineCommand('floorAdd', { numberOfKeys: 1, lua: ADD });
  redis.defineCommand('floorApprove', { numberOfKeys: 1, lua: APPROVE });
  return {
    async add({ id, phone, purpose, codeHash, expiresAt }) {
      await redis.floorAdd(id, phone, purpose, codeHash, GUESSES, expiresAt);
    },
    async approve(id, codeHash) {
      const approved = await redis.floorApprove(id, codeHash);
      return approved ? { phone: approved[0], purpose: approved[1] } : undefined;
    },
  };
}

const { redis: url = '' } = serverArguments();
const redis = new Redis(url);
const { fetch } = await createFloor(openStore(redis));
const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
  ready(port, () => {
    server.close();
    redis.disconnect();
  }),
);
