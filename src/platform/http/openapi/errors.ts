import { SetMetadata } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { AppError, ERROR_CATALOGUE, type ErrorCode, openAiErrorBody } from '../../../common/errors';
import type { AccessKind } from '../../auth';

export const API_ERRORS = Symbol('documented errors');
export const LIST_HEADERS = Symbol('documented headers of a list');
export const TAGGED = Symbol('has an ETag');

/** The errors of a route beyond those that every route of its kind has; they become its documented responses. */
export function ApiErrors(...codes: ErrorCode[]): MethodDecorator {
  return SetMetadata(API_ERRORS, codes);
}

/** Documents the X-Total-Count header of an answer that is a bare array, and others that it has. */
export function WithTotal(...more: string[]): MethodDecorator {
  return SetMetadata(LIST_HEADERS, ['X-Total-Count', ...more]);
}

/** Documents the ETag of an answer that `tagged` makes, If-None-Match and 304. */
export function WithTag(): MethodDecorator {
  return SetMetadata(TAGGED, true);
}

/** What an answer with a tag has, and its 304. */
export const TAG_HEADERS = ['ETag', 'Cache-Control', 'Vary'] as const;

type Components = NonNullable<OpenAPIObject['components']>;

const integer = { type: 'integer' } as const;
const text = { type: 'string' } as const;

/** Response headers, by name. */
export const HEADERS: NonNullable<Components['headers']> = {
  'X-Request-Id': { description: "The request's id: the caller's when well formed, else a new one.", schema: text },
  'X-RateLimit-Limit': { description: 'Requests allowed in the window; left out when unlimited.', schema: integer },
  'X-RateLimit-Remaining': { description: 'Requests left in the window.', schema: integer },
  'X-RateLimit-Reset': { description: 'When the window ends, in unix seconds.', schema: integer },
  'Retry-After': { description: 'Seconds until a retry makes sense.', schema: integer },
  'X-Total-Count': { description: 'Items in all, whatever the page.', schema: integer },
  'X-First-Seq': {
    description: 'The oldest message that the room keeps: before it there is nothing to ask for.',
    schema: integer,
  },
  'X-Has-Older': { description: 'Whether the room keeps messages before these.', schema: { type: 'boolean' } },
  'X-Has-Newer': { description: 'Whether the room has messages after these.', schema: { type: 'boolean' } },
  ETag: {
    description: 'Names the answer with its headers: send it as `If-None-Match`, and the same answer is 304.',
    schema: text,
  },
  'Cache-Control': { description: '`private, no-cache`: keep it, and ask before you use it again.', schema: text },
  Vary: { description: 'The request headers on which the answer depends.', schema: text },
  'Idempotent-Replayed': { description: '`true` when this is the stored answer of an earlier call.', schema: text },
};

/** Request headers, by component name. */
export const HEADER_PARAMETERS: NonNullable<Components['parameters']> = {
  RequestId: {
    name: 'X-Request-Id',
    in: 'header',
    required: false,
    description: 'Your id of the request, 1-128 of A-Z a-z 0-9 . _ : ~ -; echoed and logged.',
    schema: { type: 'string', maxLength: 128 },
  },
  ResponseFormat: {
    name: 'X-Response-Format',
    in: 'header',
    required: false,
    description: '`envelope` wraps successes as `{"success":true,"data":…,"error":null}`; `bare` does not.',
    schema: { type: 'string', enum: ['bare', 'envelope'] },
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    required: false,
    description: 'ETags of answers that you have, or `*`: where one names the answer of now, it is 304 without a body.',
    schema: text,
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description:
      'A repeat with the same key and body within 24 hours gets the first answer again, without a second effect.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
};

/** `{name: {$ref}}` for some of the headers. */
export function headerRefs(names: readonly string[]): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;
type Responses = Record<string, object>;

/** The schema of error answers on `/v1/*`. */
export const OPENAI_ERROR_SCHEMA: Schemas[string] = {
  type: 'object',
  required: ['error'],
  additionalProperties: false,
  properties: {
    error: {
      type: 'object',
      required: ['message', 'type', 'param', 'code'],
      additionalProperties: false,
      properties: {
        message: { type: 'string' },
        type: { type: 'string', description: 'OpenAI’s word for the kind of it.' },
        param: { type: 'string', nullable: true, description: 'The first bad field.' },
        code: { type: 'string', enum: Object.keys(ERROR_CATALOGUE) },
      },
    },
  },
};

/** The schema of every other error answer. */
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
  /** Its errors have OpenAI's shape. */
  readonly isOpenAi: boolean;
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
  return Object.fromEntries([...byStatus].map(([status, same]) => [String(status), response(same, facts)]));
}

/** The answer of one status, which several codes may share. */
function response(codes: readonly ErrorCode[], { access, isOpenAi }: RouteFacts): object {
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
        schema: { $ref: `#/components/schemas/${isOpenAi ? 'OpenAiErrorAnswer' : 'ErrorAnswer'}` },
        example: isOpenAi
          ? openAiErrorBody(new AppError(code, meaning))
          : {
              success: false,
              data: null,
              error: { code, message: meaning, request_id: '5f0c6c1e-6c8e-4a55-9c49-0f3f4b6e2a10' },
            },
      },
    },
  };
}
