import { type AppError, ERROR_CATALOGUE } from '../../common/errors';
import type { Frame } from '../feed/ports';

/** A refusal as a client sees it on the socket; the same codes and words as on REST. */
export function errorFrame(error: AppError, requestId: string | undefined, retryAfterMs?: number): Frame {
  const retryMs = retryAfterMs ?? (error.retryAfterSeconds === undefined ? undefined : error.retryAfterSeconds * 1000);
  return {
    type: 'error',
    code: error.code,
    message: error.message,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    // A conflict that says when to come back is a first call still running.
    retryable: ERROR_CATALOGUE[error.code].retryable || (error.code === 'CONFLICT' && retryMs !== undefined),
    ...(retryMs === undefined ? {} : { retry_after_ms: retryMs }),
    ...(error.field === undefined ? {} : { field: error.field }),
  };
}
