import { type AppError } from './app-error';
import { type ErrorCode } from './catalogue';
import { hintOf } from './hints';

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
