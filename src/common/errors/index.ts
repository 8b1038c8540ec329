/** The error catalogue and the one error class: pure, used by every layer. */
import { ERROR_CATALOGUE, type ErrorCode } from './catalogue';

export { ERROR_CATALOGUE, type ErrorCode, type ErrorRow } from './catalogue';

/** One bad field of a request. */
export interface FieldError {
  /** Path of the field as the client wrote it, e.g. `targets.user_ids[3]`. */
  readonly field: string;
  readonly message: string;
}

export interface AppErrorOptions {
  /** The first bad field. */
  readonly field?: string;
  /** An object for programs, e.g. `{room_id}` or `{errors:[…]}`. Never holds a secret or message content. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Seconds until a retry makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** Where HTTP has a status of its own for what the catalogue calls a bad request (501). */
  readonly status?: number;
  /** Extra response headers. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * An expected failure that a client sees: a code of the catalogue and a sentence that says what to do. It has no stack:
 * capturing one is the dearest part of refusing a request, and a flood of refusals must cost other requests little. What
 * went wrong inside stands, with its stack, in `cause`.
 */
export class AppError extends Error {
  readonly field: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  private readonly ownStatus: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: AppErrorOptions = {},
  ) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'AppError';
    this.field = options.field;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers;
    this.ownStatus = options.status;
  }

  get status(): number {
    return this.ownStatus ?? ERROR_CATALOGUE[this.code].status;
  }
}

/** 400 that names one field. */
export function invalid(field: string, message: string): AppError {
  return new AppError('VALIDATION_ERROR', message, { field });
}

/** 400 for one or several bad fields: `field` is the first, `details.errors` lists all when there are several. */
export function invalidFields(errors: readonly FieldError[]): AppError {
  const first = errors[0];
  if (!first) return new AppError('VALIDATION_ERROR', 'Invalid request parameters');
  return new AppError('VALIDATION_ERROR', first.message, {
    field: first.field,
    ...(errors.length > 1 ? { details: { errors } } : {}),
  });
}

/** 401. */
export function unauthenticated(message: string): AppError {
  return new AppError('AUTHENTICATION_ERROR', message);
}

/** 403. */
export function forbidden(message: string): AppError {
  return new AppError('AUTHORIZATION_ERROR', message);
}

/** 403 of a room that the user is no member of, and may not see. */
export function notAMember(): AppError {
  return forbidden('You are not a member of this room');
}

/** 403 of what is switched off, or open to others only, by a setting. @param feature as `details.feature` names it */
export function featureOff(feature: string, message: string): AppError {
  return new AppError('AUTHORIZATION_ERROR', message, { details: { feature } });
}

/** 404; the same words for what does not exist and for what is another tenant's. */
export function notFound(what: string): AppError {
  return new AppError('NOT_FOUND', `${what} not found`);
}

/** 429 of a window that is used up, in the contract's words. */
export function rateLimited(
  seconds: number,
  code: 'RATE_LIMIT_EXCEEDED' | 'RATE_LIMITED' = 'RATE_LIMIT_EXCEEDED',
): AppError {
  const wait = `${seconds} ${seconds === 1 ? 'second' : 'seconds'}`;
  return new AppError(code, `Rate limit exceeded. Try again in ${wait}`, { retryAfterSeconds: seconds });
}

/**
 * 503 with `Retry-After`; `outcome: "unknown"` says that the write may have happened (safe to repeat with its key), and
 * `reason: "storage"` that the disk is full: the operator has to make room before it helps.
 */
export function unavailable(
  message: string,
  options: { outcome?: 'unknown' | 'none'; reason?: 'storage' | undefined; cause?: unknown } = {},
): AppError {
  const { outcome = 'none', reason } = options;
  return new AppError('SERVICE_UNAVAILABLE', message, {
    retryAfterSeconds: 1,
    details: { outcome, ...(reason === undefined ? {} : { reason }) },
    ...(options.cause === undefined ? {} : { cause: options.cause }),
  });
}

/** Whether it says "not now": 503, as `unavailable` makes it. */
export function isUnavailable(error: unknown): error is AppError {
  return error instanceof AppError && error.code === 'SERVICE_UNAVAILABLE';
}

/** 500. Fixed text: what went wrong inside is in the log under the request id, never in the answer. */
export function internalError(cause: unknown): AppError {
  return new AppError('INTERNAL_ERROR', 'Internal server error', { cause });
}

/** The body of every error answer, on all three APIs. */
export interface ErrorBody {
  readonly success: false;
  readonly data: null;
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly field?: string;
    /** `hint` says what to do about it; beside it what is known of the error. */
    readonly details: Readonly<Record<string, unknown>>;
    readonly request_id: string;
  };
}

/** What to do about errors of which more is known than their code says, by message. */
const BY_MESSAGE: Readonly<Record<string, string>> = {
  'Invalid API key':
    'Check the key: whole, not expired, not revoked. An admin key makes another with POST /admin/tenants/{id}/keys',
  'X-User-Id is required': 'Send the header X-User-Id: the user that the call acts as',
  'Invalid or expired token': 'Mint a new token with POST /tokens, from your server',
  'Invalid or expired ticket': 'Get a new ticket with POST /ws/token: each opens one connection, within a minute',
  'Invalid master key': 'Send the MASTER_API_KEY that the server was started with',
  'This tenant is suspended': 'Ask who runs the server',
  'Chat not found': 'Create the chat with POST /api/v1/chats/ first; GET /api/v1/chats/user/{user_id} lists them',
  'Room not found': 'GET /rooms lists the rooms of a user; POST /rooms makes one',
  'Message not found': 'GET /rooms/{room_id}/messages lists the messages of a room',
  'Member not found': 'GET /rooms/{room_id}/members lists the members of a room',
  'Preset not found': 'GET /api/presets lists them',
  'Channel not found': 'GET /api/channels lists them',
  'Route not found': 'The routes are at /docs',
};

/** What a client can do about an error. */
export function hintOf({ code, message, field }: Pick<AppError, 'code' | 'message' | 'field'>): string {
  const known = Object.hasOwn(BY_MESSAGE, message) ? BY_MESSAGE[message] : undefined;
  if (known !== undefined) return known;
  if (code !== 'VALIDATION_ERROR' || field === undefined) return ERROR_CATALOGUE[code].hint;
  return / is required/.test(message) ? `Send ${field}` : `Correct ${field} and send again`;
}

/** The body of an error answer on `/v1/*`, as clients of OpenAI's API read it. */
export interface OpenAiErrorBody {
  readonly error: {
    readonly message: string;
    /** OpenAI's word for the kind of it. */
    readonly type: string;
    /** The first bad field. */
    readonly param: string | null;
    readonly code: ErrorCode;
  };
}

const OPENAI_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
};

/** Serialises an error in OpenAI's shape. */
export function openAiErrorBody(error: Pick<AppError, 'code' | 'message' | 'field' | 'status'>): OpenAiErrorBody {
  const { code, message, field = null, status } = error;
  const ofStatus = OPENAI_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error');
  return { error: { message, type: code === 'QUOTA_EXCEEDED' ? 'insufficient_quota' : ofStatus, param: field, code } };
}

/** Serialises an error in the contract's shape. */
export function errorBody(error: AppError, requestId: string): ErrorBody {
  return {
    success: false,
    data: null,
    error: {
      code: error.code,
      message: error.message,
      ...(error.field === undefined ? {} : { field: error.field }),
      details: { hint: hintOf(error), ...error.details },
      request_id: requestId,
    },
  };
}
