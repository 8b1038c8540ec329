import { HttpException } from '@nestjs/common';
import { AppError, type ErrorCode, internalError } from '../../common/errors';

/** What Fastify's own refusals are in the catalogue. */
const FASTIFY_CODES: Readonly<Record<string, [ErrorCode, string]>> = {
  FST_ERR_BAD_URL: ['VALIDATION_ERROR', 'The URL is malformed'],
  FST_ERR_MAX_LIMIT_LENGTH: ['VALIDATION_ERROR', 'The URL is too long'],
};

const HTTP_CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'VALIDATION_ERROR',
  401: 'AUTHENTICATION_ERROR',
  403: 'AUTHORIZATION_ERROR',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'RATE_LIMIT_EXCEEDED',
  503: 'SERVICE_UNAVAILABLE',
};

/** Turns whatever was thrown into a row of the catalogue. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof HttpException) return fromStatus(thrown.getStatus(), thrown.message, thrown);
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string') {
    const known = FASTIFY_CODES[thrown.code];
    if (known) return new AppError(known[0], known[1], { cause: thrown });
    const status = 'statusCode' in thrown ? thrown.statusCode : undefined;
    if (thrown.code.startsWith('FST_') && typeof status === 'number' && status < 500)
      return fromStatus(status, 'The request is malformed', thrown);
  }
  return internalError(thrown);
}

function fromStatus(status: number, message: string, cause: unknown): AppError {
  const code = HTTP_CODES[status];
  if (code !== undefined) return new AppError(code, message, { cause });
  return status < 500 ? new AppError('VALIDATION_ERROR', message, { cause }) : internalError(cause);
}
