import type { OpenAPIObject } from '@nestjs/swagger';
import { ERROR_CATALOGUE, type ErrorCode } from '../../../common/errors';
import type { AccessKind } from '../../auth';
import { headerRefs } from './headers';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;
type Responses = Record<string, object>;

/** The schema of every error answer. */
export const ERROR_SCHEMA: Schemas[string] = {
  type: 'object',
  required: ['success', 'data', 'error'],
  additionalProperties: false,
  properties: {
    success: { type: 'boolean', enum: [false] },
    data: { type: 'object', nullable: true, description: 'Always null.' },
    error: {
      type: 'object',
      required: ['code', 'message', 'details', 'request_id'],
      additionalProperties: false,
      properties: {
        code: { type: 'string', enum: Object.keys(ERROR_CATALOGUE) },
        message: { type: 'string' },
        field: { type: 'string', description: 'The first bad field.' },
        details: {
          type: 'object',
          required: ['hint'],
          additionalProperties: true,
          properties: { hint: { type: 'string', description: 'What to do about it.' } },
        },
        request_id: { type: 'string' },
      },
    },
  },
};

export interface RouteFacts {
  readonly access: AccessKind;
  /** What a refusal by the rate limit is called there. */
  readonly rateLimitCode: ErrorCode;
  readonly method: string;
  readonly hasBody: boolean;
  /** An Idempotency-Key is honoured. */
  readonly idempotent: boolean;
  /** Errors of the route beyond those that its kind has anyway. */
  readonly extra: readonly ErrorCode[];
}

/** The error answers that a route can give, by status. */
export function errorResponses(facts: RouteFacts): Responses {
  const codes = new Set<ErrorCode>(['INTERNAL_ERROR', ...facts.extra]);
  if (facts.access !== 'public')
    for (const code of [
      'VALIDATION_ERROR',
      'AUTHENTICATION_ERROR',
      'AUTHORIZATION_ERROR',
      facts.rateLimitCode,
      'SERVICE_UNAVAILABLE',
    ] as const)
      codes.add(code);
  if (facts.hasBody || facts.method === 'post') {
    codes.add('PAYLOAD_TOO_LARGE');
    codes.add('UNSUPPORTED_MEDIA_TYPE');
  }
  if (facts.idempotent) {
    codes.add('CONFLICT');
    codes.add('IDEMPOTENCY_MISMATCH');
  }
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERROR_CATALOGUE[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries([...byStatus].map(([status, same]) => [String(status), response(same, facts.access)]));
}

/** The answer of one status, which several codes may share. */
function response(codes: readonly ErrorCode[], access: AccessKind): object {
  const [code = 'INTERNAL_ERROR'] = codes;
  const { status, meaning } = ERROR_CATALOGUE[code];
  const limited =
    access !== 'public' && status !== 401 ? ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'] : [];
  const retry = status === 429 || status === 503 ? ['Retry-After'] : [];
  return {
    description: codes.map((same) => `${same}: ${ERROR_CATALOGUE[same].meaning}`).join('\n\n'),
    headers: headerRefs(['X-Request-Id', ...limited, ...retry]),
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/ErrorAnswer' },
        example: {
          success: false,
          data: null,
          error: { code, message: meaning, request_id: '5f0c6c1e-6c8e-4a55-9c49-0f3f4b6e2a10' },
        },
      },
    },
  };
}
