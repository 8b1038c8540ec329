import type { OpenAPIObject } from '@nestjs/swagger';

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
