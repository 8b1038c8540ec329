import type { AppError } from './app-error';
import { ERROR_CATALOGUE, type ErrorCode } from './catalogue';

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
