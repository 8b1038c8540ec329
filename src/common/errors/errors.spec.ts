import {
  AppError,
  ERROR_CATALOGUE,
  errorBody,
  type ErrorCode,
  forbidden,
  invalid,
  invalidFields,
  notFound,
  unauthenticated,
  unavailable,
} from '.';

/** Contract §1, the table of codes. */
const CONTRACT: Record<ErrorCode, number> = {
  VALIDATION_ERROR: 400,
  AUTHENTICATION_ERROR: 401,
  AUTHORIZATION_ERROR: 403,
  NOT_FOUND: 404,
  CONVERSATION_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  CONFLICT: 409,
  QUOTA_EXCEEDED: 429,
  CURSOR_EXPIRED: 410,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  IDEMPOTENCY_MISMATCH: 422,
  RATE_LIMIT_EXCEEDED: 429,
  RATE_LIMITED: 429,
  INTERNAL_ERROR: 500,
  MODEL_ERROR: 502,
  CHANNEL_UNAVAILABLE: 503,
  SERVICE_UNAVAILABLE: 503,
};

describe('the error catalogue', () => {
  it('has the codes and statuses of the contract', () => {
    const rows = Object.entries(ERROR_CATALOGUE).map(([code, row]) => [code, row.status]);
    expect(Object.fromEntries(rows)).toEqual(CONTRACT);
  });

  it.each(Object.entries(ERROR_CATALOGUE))('%s closes sockets as contract §4 says', (_code, { status, closeCode }) => {
    const expected: Record<number, number> = { 401: 4003, 403: 4004, 404: 4004, 429: 4029, 502: 1013, 503: 1013 };
    const other = status === 413 ? 1009 : status === 500 ? 1011 : 4001;
    expect(closeCode).toBe(expected[status] ?? other);
  });
});

describe('error bodies', () => {
  it('have what the error has and nothing that it has not', () => {
    expect(errorBody(new AppError('CONFLICT', 'exists'), 'r1')).toEqual({
      success: false,
      data: null,
      error: { code: 'CONFLICT', message: 'exists', details: { hint: expect.any(String) }, request_id: 'r1' },
    });
    const full = new AppError('CONFLICT', 'exists', {
      field: 'members',
      details: { room_id: 'room_1' },
      cause: new Error('secret'),
      headers: { Allow: 'GET' },
    });
    expect(errorBody(full, 'r1').error).toEqual({
      code: 'CONFLICT',
      message: 'exists',
      field: 'members',
      details: { hint: expect.any(String), room_id: 'room_1' },
      request_id: 'r1',
    });
  });

  it('name the first bad field, and list all when there are several', () => {
    const errors = [
      { field: 'a', message: 'a is required' },
      { field: 'b', message: 'b is required' },
    ];
    expect(invalidFields(errors)).toMatchObject({ field: 'a', message: 'a is required', details: { errors } });
    expect(invalidFields(errors.slice(1))).toMatchObject({ field: 'b', details: undefined });
    expect(invalidFields([])).toMatchObject({ code: 'VALIDATION_ERROR', field: undefined });
  });
});

it('expected failures have no stack; their causes, and later errors, have one', () => {
  const error = new AppError('INTERNAL_ERROR', 'Internal server error', { cause: new Error('broken') });
  expect(error.stack).not.toMatch(/^ +at /m);
  for (const other of [error.cause, new Error('later')]) expect((other as Error).stack).toMatch(/^ +at /m);
});

describe('the shorthands', () => {
  it.each<[AppError, number]>([
    [invalid('f', 'm'), 400],
    [unauthenticated('m'), 401],
    [forbidden('m'), 403],
    [notFound('Room'), 404],
    [unavailable('m'), 503],
  ])('%s', (error, status) => {
    expect(error.status).toBe(status);
  });

  it('say when to come back and whether the write may have happened', () => {
    expect(unavailable('m')).toMatchObject({ retryAfterSeconds: 1, details: { outcome: 'none' } });
    expect(unavailable('m', { outcome: 'unknown' }).details).toEqual({ outcome: 'unknown' });
  });

  it('keep the cause for the log', () => {
    const cause = new Error('x');
    expect(unavailable('m', { cause }).cause).toBe(cause);
    expect('cause' in unavailable('m')).toBe(false);
  });
});

describe('A18: what to do about an error', () => {
  it.each<[AppError, RegExp]>([
    [unauthenticated('Invalid API key'), /POST \/admin\/tenants\/\{id\}\/keys/],
    [unauthenticated('X-API-Key (with X-User-Id) or a Bearer token is required'), /X-API-Key/],
    [notFound('Chat'), /POST \/api\/v1\/chats\//],
    [notFound('Something else'), /Check the id/],
    [invalid('user_id', 'user_id is required'), /^Send user_id$/],
    [invalid('limit', 'limit must be at most 100'), /^Correct limit/],
    [unavailable('m'), /Idempotency-Key/],
    [new AppError('NOT_FOUND', 'toString'), /Check the id/],
  ])('%s', (error, hint) => {
    expect(errorBody(error, 'r').error.details).toMatchObject({ hint: expect.stringMatching(hint) });
  });

  it('what the error itself says of it counts', () => {
    const error = new AppError('NOT_FOUND', 'Chat not found', { details: { hint: 'own' } });
    expect(errorBody(error, 'r').error.details).toEqual({ hint: 'own' });
  });

  it.each(Object.entries(ERROR_CATALOGUE))('%s has a hint', (_code, { hint }) => {
    expect(hint).not.toBe('');
  });
});
