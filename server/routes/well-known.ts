/** What gateways and JWT libraries configure themselves from: `/.well-known/…`. */
import { Hono } from 'hono';
import { proofAlgorithms } from '../proof/claims.ts';
import { answer, headersOf } from './answer.ts';
import type { RouteDeps } from './deps.ts';
import type { Env } from './env.ts';

/** Shorter than the overlap of signing keys, so that a cached set always knows the next one. */
const CACHE = 'public, max-age=300';

export const wellKnownRoutes = ({ config, keys }: RouteDeps) =>
  new Hono<Env>()
    .use(async (c, next) => {
      Object.assign(headersOf(c), { 'Access-Control-Allow-Origin': '*', 'Cache-Control': CACHE });
      await next();
    })
    .get('/jwks.json', (c) => answer(c, keys.jwks()))
    .get('/openid-configuration', (c) =>
      answer(c, {
        issuer: config.publicUrl,
        jwks_uri: `${config.publicUrl}/.well-known/jwks.json`,
        id_token_signing_alg_values_supported: [...proofAlgorithms],
        subject_types_supported: ['public', 'pairwise'],
        response_types_supported: ['id_token'],
        claims_supported: [
          'iss',
          'aud',
          'sub',
          'iat',
          'exp',
          'auth_time',
          'jti',
          'phone_number',
          'phone_number_verified',
          'phone_hash',
          'purpose',
          'site',
          'amr',
          'nonce',
          'transaction',
          'verification_id',
        ],
      }),
    );
