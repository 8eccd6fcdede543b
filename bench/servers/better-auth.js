/**
 * better-auth's phoneNumber plugin as its documentation sets it up: SQLite, a person signed up when the
 * number is verified, a session as the answer. With `--redis`, its Redis package as secondary storage.
 * Its own limits are off. JavaScript, because its types are there only once the peers are installed.
 */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { redisStorage } from '@better-auth/redis-storage';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { phoneNumber } from 'better-auth/plugins';
import { Redis } from 'ioredis';
import { ready, serverArguments } from './harness.ts';
import { CODE_HEADER, ORIGIN, SECRET } from './settings.ts';

const { dir, redis } = serverArguments();
const client = redis === undefined ? undefined : new Redis(redis);

const options = {
  baseURL: ORIGIN,
  secret: SECRET,
  database: new DatabaseSync(join(dir, 'better-auth.sqlite')),
  ...(client && { secondaryStorage: redisStorage({ client }) }),
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [
    phoneNumber({
      sendOTP: ({ code }, ctx) => {
        ctx?.setHeader(CODE_HEADER, code);
      },
      signUpOnVerification: { getTempEmail: (number) => `${number.slice(1)}@phone.example` },
    }),
  ],
};

const { runMigrations } = await getMigrations(options);
await runMigrations();

const server = createServer(toNodeHandler(betterAuth(options)));
server.listen(0, '127.0.0.1', () =>
  ready(server.address().port, () => {
    server.close();
    client?.disconnect();
  }),
);
