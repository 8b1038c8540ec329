import { AppError, unavailable } from '../../common/errors';

/** SQLSTATEs after which the same transaction may simply be run again: serialization failure and deadlock. */
const RETRYABLE = new Set(['40001', '40P01']);
/** SQLSTATE classes and codes that say "not now" rather than "not so". */
const AWAY = /^(08...|57P0[1-5]|57014|53...|55P03|25006|58...|XX00[12])$/;
const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EAI_AGAIN',
]);

/** The SQLSTATE or system code of a driver error. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

export function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(codeOf(error) ?? '');
}

/** The connection is gone or was never there; says nothing about the statement itself. */
export function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined) return SOCKET_CODES.has(code) || code.startsWith('08') || code.startsWith('57P0');
  return (
    error instanceof Error &&
    /terminated|timeout exceeded when trying to connect|not queryable|Connection ended/i.test(error.message)
  );
}

/** A call was given up after its deadline. */
export class DeadlineExceeded extends Error {
  constructor(name: string, ms: number) {
    super(`${name} exceeded ${Math.round(ms)} ms`);
    this.name = 'DeadlineExceeded';
  }
}

/** What a caller sees: 503 where the database is away or busy, the error itself where it is a fault of ours. */
export function translate(error: unknown, outcome: 'unknown' | 'none'): unknown {
  if (error instanceof AppError) return error;
  if (
    error instanceof DeadlineExceeded ||
    isConnectionLoss(error) ||
    isRetryable(error) ||
    AWAY.test(codeOf(error) ?? '')
  )
    return unavailable('The database is not available right now. Try again in a moment', { outcome, cause: error });
  return error;
}
