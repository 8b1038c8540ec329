/** What one error code means to a client, on every API. */
export interface ErrorRow {
  /** HTTP status of the answer, also of a refused socket upgrade. */
  readonly status: number;
  /** Close code of a socket that asked for `close_codes=1`, or that is closed for this reason. */
  readonly closeCode: number;
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean;
  /** One sentence for the reference page. */
  readonly meaning: string;
  /** What a client can do about it: `details.hint`, where nothing better is known. */
  readonly hint: string;
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
    'Correct what the message names and send again',
  ),
  AUTHENTICATION_ERROR: row(
    401,
    4003,
    false,
    'The credential is missing, malformed, unknown, expired or revoked.',
    'Send a key of your tenant as X-API-Key, or a user token as Authorization: Bearer',
  ),
  AUTHORIZATION_ERROR: row(
    403,
    4004,
    false,
    'The credential is good but does not allow this, or a limit of the tenant is reached (`details.limit`).',
    'Use the credential that the message asks for: another key, or the user whose thing it is',
  ),
  NOT_FOUND: row(
    404,
    4004,
    false,
    'There is no such thing, or it belongs to another tenant.',
    'Check the id, and that it is of the tenant of your credential',
  ),
  CONVERSATION_NOT_FOUND: row(
    404,
    4004,
    false,
    'There is no such conversation (Conversations API).',
    'GET /api/conversations lists them; POST /api/chat without conversationId begins one',
  ),
  METHOD_NOT_ALLOWED: row(
    405,
    4001,
    false,
    'The route exists, but not with this method; `Allow` lists those it has.',
    'Use a method that the header Allow lists',
  ),
  CONFLICT: row(
    409,
    4001,
    false,
    'The state of the thing forbids it, e.g. the DM already exists (`details.room_id`).',
    'Look at the thing as it is now, and decide anew',
  ),
  QUOTA_EXCEEDED: row(
    429,
    4029,
    true,
    'A token budget is spent; `Retry-After` says until when.',
    'Wait until the budget is renewed, or have it raised',
  ),
  CURSOR_EXPIRED: row(
    410,
    4001,
    false,
    'What lies behind this cursor is kept no more, or the log has become another one: changes may be missing. `details.cursor` is a fresh one.',
    'Read anew what you keep a copy of, then go on from details.cursor',
  ),
  PAYLOAD_TOO_LARGE: row(
    413,
    1009,
    false,
    'The body is larger than 256 KB, a history of the UI stream than 8 MB, a part of an upload than 64 MB; escapes such as `\\u00e9` count as the characters that they stand for.',
    'Send less, in several calls',
  ),
  UNSUPPORTED_MEDIA_TYPE: row(
    415,
    4001,
    false,
    'The body is not `application/json` (a part of an upload: `application/octet-stream`), or is coded: `Content-Encoding` may be `identity` only.',
    'Send JSON with Content-Type: application/json, not compressed',
  ),
  IDEMPOTENCY_MISMATCH: row(
    422,
    4001,
    false,
    'The idempotency key or client_message_id was used before with another body.',
    'Use a new key, or a new client_message_id, for what is new',
  ),
  RATE_LIMIT_EXCEEDED: row(
    429,
    4029,
    true,
    'Too many requests in the window; `Retry-After` says when to come back.',
    'Wait as long as Retry-After says, and send more slowly',
  ),
  RATE_LIMITED: row(
    429,
    4029,
    true,
    'Too many requests in the window (Conversations API).',
    'Wait as long as Retry-After says, and send more slowly',
  ),
  INTERNAL_ERROR: row(
    500,
    1011,
    true,
    'A fault of the server. The text is fixed; the request id finds the log line.',
    'Send again with the same Idempotency-Key or client_message_id; report the request id if it stays',
  ),
  MODEL_ERROR: row(
    502,
    1013,
    true,
    'The model answered with an error.',
    'Ask again: POST /api/v1/chats/{chat_id}/regenerate, or the message anew',
  ),
  CHANNEL_UNAVAILABLE: row(
    503,
    1013,
    true,
    'No model channel can answer right now.',
    'Try again after Retry-After, or check the model channels of the tenant',
  ),
  SERVICE_UNAVAILABLE: row(
    503,
    1013,
    true,
    'The database is away or the server is overloaded or stopping; retry after `Retry-After` seconds.',
    'Send again after Retry-After with the same Idempotency-Key or client_message_id: nothing is done twice',
  ),
} as const satisfies Record<string, ErrorRow>;

/** A code of the catalogue. */
export type ErrorCode = keyof typeof ERROR_CATALOGUE;

function row(status: number, closeCode: number, retryable: boolean, meaning: string, hint: string): ErrorRow {
  return { status, closeCode, retryable, meaning, hint };
}
