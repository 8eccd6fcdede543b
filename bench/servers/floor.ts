/**
 * The hand-written floor: what a competent evening would write for one site. Hono, zod, one step of the
 * store a call, one ES256 signature by jose. No limits, no guard, no log, and a delivery that does nothing.
 *
 *     const app = createFloor(openStore());
 */
import { createHmac, randomBytes, randomInt } from 'node:crypto';
import { zValidator } from '@hono/zod-validator';
import { Hono } from 'hono';
import { generateKeyPair, SignJWT } from 'jose';
import { z } from 'zod';
import { CODE_HEADER, ISSUER, ORIGIN, SECRET } from './settings.ts';

export type FloorVerification = {
  id: string;
  phone: string;
  purpose: string;
  codeHash: string;
  expiresAt: number;
};

export type FloorStore = {
  add(verification: FloorVerification): Promise<void>;
  /** One step: a guess is spent, and a right one ends it. Undefined when it is wrong or over. */
  approve(
    id: string,
    codeHash: string,
    now: number,
  ): Promise<Pick<FloorVerification, 'phone' | 'purpose'> | undefined>;
};

export const GUESSES = 5;
const CODE_TTL_MS = 300_000;
const PROOF_TTL_SECONDS = 600;

const startRequest = z.object({
  phone: z.string().regex(/^\+[1-9]\d{6,14}$/),
  purpose: z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/),
});
const checkRequest = z.object({ id: z.string().length(22), code: z.string().regex(/^\d{6}$/) });

export async function createFloor(store: FloorStore): Promise<Hono> {
  const { privateKey } = await generateKeyPair('ES256');
  const hash = (id: string, code: string) =>
    createHmac('sha256', SECRET).update(`${id} ${code}`).digest('base64url');

  return new Hono()
    .post('/start', zValidator('json', startRequest), async (c) => {
      const { phone, purpose } = c.req.valid('json');
      const id = randomBytes(16).toString('base64url');
      const code = String(randomInt(1_000_000)).padStart(6, '0');
      const expiresAt = Date.now() + CODE_TTL_MS;
      await store.add({ id, phone, purpose, codeHash: hash(id, code), expiresAt });
      c.header(CODE_HEADER, code);
      return c.json({ id, expiresAt }, 201);
    })
    .post('/check', zValidator('json', checkRequest), async (c) => {
      const { id, code } = c.req.valid('json');
      const approved = await store.approve(id, hash(id, code), Date.now());
      if (!approved) return c.json({ error: 'incorrect-code' }, 422);
      const issuedAt = Math.floor(Date.now() / 1_000);
      const proof = await new SignJWT({
        iss: ISSUER,
        aud: ORIGIN,
        iat: issuedAt,
        exp: issuedAt + PROOF_TTL_SECONDS,
        jti: randomBytes(16).toString('base64url'),
        phone_number: approved.phone,
        phone_number_verified: true,
        purpose: approved.purpose,
        verification_id: id,
      })
        .setProtectedHeader({ alg: 'ES256', typ: 'phone-proof+jwt', kid: 'floor' })
        .sign(privateKey);
      return c.json({ proof });
    });
}
