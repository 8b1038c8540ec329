import { DatabaseError } from 'pg';
import { AppError, unavailable } from '../../common/errors';

/** The server refuses to start on this database; the message is one clear line (and SQL, where that helps). */
export class DatabaseRefusal extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DatabaseRefusal';
  }
}

/** SQLSTATEs after which the same transaction may simply be run again: serialization failure and deadlock. */
const RETRYABLE = new Set(['40001', '40P01']);
/** "Not now" rather than "not so": connection, login, missing database, shutdown, cancel, resources, locks, read-only. */
const AWAY = /^(08...|28...|3D000|57P0[1-5]|57014|53...|55P03|25006|58...|XX00[12])$/;
/** The server has hung up: connection exceptions, shutdown and crash, idle and transaction time-outs. */
const HUNG_UP = /^(08...|57P0[1-5]|25P0[34])$/;
const SOCKET_CODES = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'ERR_STREAM_DESTROYED'],
  // A unix socket whose listener is frozen and whose backlog is full.
  'EAGAIN',
]);
/** Errors that the driver and its pool make themselves carry no code. */
const DRIVER_MESSAGES =
  /terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|not queryable|Connection ended|after calling end on the pool/i;

/** The server takes no writes: a standby, or a primary that was turned into one. */
export const READ_ONLY = '25006';

/** A limit of the tenant is reached (migration 0019). */
const LIMIT_REACHED = 'CA001';
/** This process has no descriptor left for another connection; those that it has go on. */
const OUT_OF_DESCRIPTORS = new Set(['EMFILE', 'ENFILE']);
/** disk_full and io_error. What the operating system says besides is internal_error or another system error. */
const STORAGE = new Set(['53100', '58030']);
const STORAGE_MESSAGES = /No space left on device|Disk quota exceeded|Read-only file system/;

/** Why calls fail: the label of chatapi_database_failures_total. */
export type FailureReason = 'away' | 'storage' | 'connection' | 'deadline' | 'conflict' | 'busy' | 'unexpected';

/** What `codeOf` says where a unique index has the row already. */
export const UNIQUE_VIOLATION = '23505';

/** The SQLSTATE or system code of a driver error. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

export function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(codeOf(error) ?? '');
}

/** The server itself said so: the statement was refused and has no effect. */
export function isServerError(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError;
}

/** The server's disk takes no more: said for a statement (ERROR), or while it crashes of that (PANIC). */
export function isStorage(error: unknown): boolean {
  if (!isServerError(error)) return false;
  const code = error.code ?? '';
  return STORAGE.has(code) || (/^(58|XX)/.test(code) && STORAGE_MESSAGES.test(error.message));
}

/** No further connection now: the server's or the role's limit, or this process's descriptors. */
export function isOutOfConnections(error: unknown): boolean {
  const code = codeOf(error) ?? '';
  return isServerError(error) ? code === '53300' : OUT_OF_DESCRIPTORS.has(code);
}

/** The connection is gone or was never there; says nothing about the statement itself. */
export function isConnectionLoss(error: unknown): boolean {
  if (isServerError(error))
    return HUNG_UP.test(error.code ?? '') || error.severity === 'FATAL' || error.severity === 'PANIC';
  const code = codeOf(error);
  if (code !== undefined) return SOCKET_CODES.has(code) || HUNG_UP.test(code);
  return error instanceof Error && DRIVER_MESSAGES.test(error.message);
}

/**
 * The connection answers, and leads to a server that takes no writes (any more): what it reads may be of yesterday. A
 * write within a read-only transaction of ours would say the same, and costs no more than another connection.
 */
export function leadsToReadOnly(error: unknown): boolean {
  return isServerError(error) && error.code === READ_ONLY;
}

/** A call was given up after its deadline. */
export class DeadlineExceeded extends Error {
  constructor(name: string, ms: number) {
    super(`${name} exceeded ${Math.round(ms)} ms`);
    this.name = 'DeadlineExceeded';
  }
}

/** undefined: the failure is the caller's own (its input, or a refusal of the service). */
export function reasonOf(error: unknown): FailureReason | undefined {
  if (error instanceof AppError || codeOf(error) === LIMIT_REACHED) return undefined;
  if (error instanceof DeadlineExceeded) return 'deadline';
  if (isStorage(error)) return 'storage';
  if (isOutOfConnections(error)) return 'busy';
  if (isConnectionLoss(error)) return 'connection';
  if (isRetryable(error)) return 'conflict';
  const code = codeOf(error) ?? '';
  if (AWAY.test(code)) return 'busy';
  return /^2[23]...$/.test(code) ? undefined : 'unexpected';
}

/**
 * What a caller sees: 503 where the database is away or busy, 403 where a limit is reached, the error itself where it is
 * a fault of ours.
 * @param isFull its disk is known to be full, whatever this call died of
 */
export function translate(error: unknown, outcome: 'unknown' | 'none', isFull = false): unknown {
  if (isServerError(error) && error.code === LIMIT_REACHED) return limitReached(error);
  const reason = reasonOf(error);
  if (reason === undefined || reason === 'unexpected') return error;
  return databaseUnavailable(isFull || reason === 'storage', { outcome, cause: error });
}

/** 503 as clients see it. @param isFull for want of space on the database's disk */
export function databaseUnavailable(
  isFull: boolean,
  options: { outcome?: 'unknown' | 'none'; cause?: unknown } = {},
): AppError {
  return isFull
    ? unavailable('The disk of the database is full. Its operator has to make room', { ...options, reason: 'storage' })
    : unavailable('The database is not available right now. Try again in a moment', options);
}

const LIMIT_HINT = 'Delete what is not needed, or ask who runs the server for a higher limit of this tenant';

/** Not 429: it does not pass with time. */
function limitReached({ detail, hint }: DatabaseError): AppError {
  const message = `A limit of the tenant is reached: ${detail ?? ''} allows ${hint ?? ''}`;
  return new AppError('AUTHORIZATION_ERROR', message, {
    details: { limit: detail, allowed: Number(hint), hint: LIMIT_HINT },
  });
}
