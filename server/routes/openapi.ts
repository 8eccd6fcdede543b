/** `GET /openapi.json`: the contract for tools, generated from the schemas that validate the calls. */
import { z } from 'zod';
import * as contract from '../contract.ts';

type Call = {
  summary: string;
  /** Any one of them will do. */
  security: ('holder' | 'backend')[];
  body?: z.ZodType;
  query?: z.ZodObject;
  status: number;
  answer?: z.ZodType;
  isIdempotent?: true;
  problems: contract.ProblemCode[];
};

const page = ['malformed-request', 'invalid-key', 'origin-not-allowed', 'unavailable'] as const;
const holder = ['verification-not-found', 'origin-not-allowed', 'unavailable'] as const;
const backend = ['malformed-request', 'invalid-key', 'unavailable'] as const;
const sends = ['too-many-requests', 'delivery-failed', 'idempotency-key-reused'] as const;
const phones = ['invalid-phone', 'country-not-allowed', 'number-type-not-allowed'] as const;

const calls: Record<string, Record<string, Call>> = {
  '/v1/widget-config': {
    get: {
      summary: 'What the element shows before anything is typed',
      security: [],
      query: contract.widgetConfigQuery,
      status: 200,
      answer: contract.widgetConfig,
      problems: [...page, 'intent-not-found'],
    },
  },
  '/v1/verifications': {
    post: {
      summary: 'Start a verification: send a code to a number, or to an intent’s',
      security: [],
      body: contract.startBody,
      status: 201,
      answer: contract.startedVerification,
      isIdempotent: true,
      problems: [...page, ...sends, ...phones, 'intent-required', 'intent-not-found', 'intent-used'],
    },
  },
  '/v1/verifications/{id}': {
    get: {
      summary: 'The verification, with the state of its delivery (with a secret key: with all of them)',
      security: ['holder', 'backend'],
      status: 200,
      answer: z.union([contract.verificationView, contract.backendVerificationView]),
      problems: [...holder],
    },
    delete: {
      summary: 'Cancel: the code is dead',
      security: ['holder'],
      status: 204,
      problems: [...holder],
    },
  },
  '/v1/verifications/{id}/resend': {
    post: {
      summary: 'Send the same code again',
      security: ['holder'],
      body: contract.resendRequest,
      status: 200,
      answer: contract.verificationView,
      isIdempotent: true,
      problems: [
        ...holder,
        ...sends,
        'resend-too-early',
        'resends-exhausted',
        'verification-expired',
        'verification-closed',
      ],
    },
  },
  '/v1/verifications/{id}/check': {
    post: {
      summary: 'Check a code; the right one yields the proof',
      security: ['holder'],
      body: contract.checkRequest,
      status: 200,
      answer: contract.approvedAnswer,
      isIdempotent: true,
      problems: [
        ...holder,
        'malformed-request',
        'incorrect-code',
        'verification-expired',
        'verification-closed',
        'too-many-requests',
        'idempotency-key-reused',
      ],
    },
  },
  '/v1/intents': {
    post: {
      summary: 'Prepare a verification whose number the page neither learns nor chooses',
      security: ['backend'],
      body: contract.intentRequest,
      status: 201,
      answer: contract.intentAnswer,
      problems: [...backend, ...phones],
    },
  },
  '/v1/proofs/redeem': {
    post: {
      summary: 'Check a proof and spend it, once',
      security: ['backend'],
      body: contract.redeemRequest,
      status: 200,
      answer: contract.redeemedAnswer,
      isIdempotent: true,
      problems: [...backend, 'invalid-proof', 'proof-redeemed', 'idempotency-key-reused'],
    },
  },
  ...Object.fromEntries(
    Object.entries({
      '/.well-known/jwks.json': 'The public keys of proofs',
      '/.well-known/openid-configuration': 'Issuer, keys and algorithms, for what configures itself',
      '/openapi.json': 'This document',
      '/livez': 'The process runs',
      '/readyz': 'It can decide, and wants requests',
    }).map(([path, summary]) => [
      path,
      { get: { summary, security: [], status: 200, answer: z.looseObject({}), problems: [] } },
    ]),
  ),
};

const securitySchemes = {
  holder: { type: 'http', scheme: 'bearer', description: 'The verification’s client secret.' },
  backend: { type: 'http', scheme: 'bearer', description: 'The site’s secret key, sk_….' },
};

export function openApiDocument(publicUrl: string) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Phone Proof',
      version: '1',
      description: 'One-time codes by SMS, and signed proofs. Errors are RFC 9457 problem details.',
    },
    servers: [{ url: publicUrl }],
    paths: Object.fromEntries(
      Object.entries(calls).map(([path, methods]) => [
        path,
        Object.fromEntries(Object.entries(methods).map(([method, call]) => [method, operation(path, call)])),
      ]),
    ),
    components: { securitySchemes, schemas: { Problem: schemaOf(contract.problemBody) } },
  };
}

function operation(path: string, call: Call) {
  const inPath = path.includes('{id}') ? [parameter('id', 'path', { type: 'string' })] : [];
  const inQuery = Object.entries(call.query?.shape ?? {}).map(([name, schema]) =>
    parameter(name, 'query', schemaOf(schema), !z.safeParse(schema, undefined).success),
  );
  const inHeader = call.isIdempotent
    ? [parameter('Idempotency-Key', 'header', { type: 'string', maxLength: 255 }, false)]
    : [];
  return {
    summary: call.summary,
    parameters: [...inPath, ...inQuery, ...inHeader],
    ...(call.security.length > 0 && { security: call.security.map((scheme) => ({ [scheme]: [] })) }),
    ...(call.body && {
      requestBody: { required: !call.body.safeParse({}).success, content: json(schemaOf(call.body)) },
    }),
    responses: {
      [call.status]: {
        description: 'Done',
        ...(call.answer && { content: json(schemaOf(call.answer)) }),
      },
      default: {
        description: ['A problem', ...call.problems].join(' · '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

const schemaOf = (schema: z.core.$ZodType) => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
};
const json = (schema: object) => ({ 'application/json': { schema } });
const parameter = (name: string, where: string, schema: object, required = true) => ({
  name,
  in: where,
  required,
  schema,
});
