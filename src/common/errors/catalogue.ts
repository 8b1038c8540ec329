/** What one error code means to a client, on every door. */
export interface ErrorRow {
  /** HTTP status of the answer, also of a refused socket upgrade. */
  readonly status: number;
  /** Close code of a socket that asked for `close_codes=1`, or that is closed for this reason. */
  readonly closeCode: number;
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean;
  /** One sentence for the reference page. */
  readonly meaning: string;
}

/**
 * The one catalogue of error codes. REST, both sockets and SSE serialise from it, and docs/errors.md is
 * generated from it.
 */
export const ERROR_CATALOGUE = {
  VALIDATION_ERROR: row(
    400,
    4001,
    false,
    'A value in the request is missing, malformed or out of range; `field` names the first one.',
  ),
  AUTHENTICATION_ERROR: row(401, 4003, false, 'The credential is missing, malformed, unknown, expired or revoked.'),
  AUTHORIZATION_ERROR: row(
    403,
    4004,
    false,
    'The credential is good but does not allow this, or a limit of the tenant is reached (`details.limit`).',
  ),
  NOT_FOUND: row(404, 4004, false, 'There is no such thing, or it belongs to another tenant.'),
  CONVERSATION_NOT_FOUND: row(404, 4004, false, 'There is no such conversation (Conversations API).'),
  METHOD_NOT_ALLOWED: row(405, 4001, false, 'The route exists, but not with this method; `Allow` lists those it has.'),
  CONFLICT: row(409, 4001, false, 'The state of the thing forbids it, e.g. the DM already exists (`details.room_id`).'),
  QUOTA_EXCEEDED: row(429, 4029, true, 'A token budget is spent; `Retry-After` says until when.'),
  PAYLOAD_TOO_LARGE: row(
    413,
    1009,
    false,
    'The body is larger than 256 KB; escapes such as `\\u00e9` count as the characters that they stand for.',
  ),
  UNSUPPORTED_MEDIA_TYPE: row(
    415,
    4001,
    false,
    'The body is not `application/json`, or is coded: `Content-Encoding` may be `identity` only.',
  ),
  IDEMPOTENCY_MISMATCH: row(
    422,
    4001,
    false,
    'The idempotency key or client_message_id was used before with another body.',
  ),
  RATE_LIMIT_EXCEEDED: row(429, 4029, true, 'Too many requests in the window; `Retry-After` says when to come back.'),
  RATE_LIMITED: row(429, 4029, true, 'Too many requests in the window (Conversations API).'),
  INTERNAL_ERROR: row(500, 1011, true, 'A fault of the server. The text is fixed; the request id finds the log line.'),
  MODEL_ERROR: row(502, 1013, true, 'The model answered with an error.'),
  CHANNEL_UNAVAILABLE: row(503, 1013, true, 'No model channel can answer right now.'),
  SERVICE_UNAVAILABLE: row(
    503,
    1013,
    true,
    'The database is away or the server is overloaded or stopping; retry after `Retry-After` seconds.',
  ),
} as const satisfies Record<string, ErrorRow>;

/** A code of the catalogue. */
export type ErrorCode = keyof typeof ERROR_CATALOGUE;

function row(status: number, closeCode: number, retryable: boolean, meaning: string): ErrorRow {
  return { status, closeCode, retryable, meaning };
}
