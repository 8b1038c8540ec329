import { AppError, forbidden, invalid, notFound } from '../../common/errors';
import { encodeId } from '../../common/ids';

const REFUSALS: Readonly<Record<string, () => AppError>> = {
  no_room: () => notFound('Room'),
  not_member: () => notFound('Member'),
  forbidden: () => forbidden('You may not do this in this room'),
  fixed: () => forbidden('The members of this room are fixed'),
  dm_posting: () => invalid('posting', 'posting cannot be set for a dm'),
  too_large: () => invalid('metadata', 'metadata must be at most 8 KB after merging'),
  last_admin: () => new AppError('CONFLICT', 'A room needs an admin: make somebody else admin first'),
};

/** Hands a successful result of a room function through; throws what every other status means. */
export function accepted<R extends { readonly status: string }>(result: R): R {
  if (result.status === 'ok' || result.status === 'unchanged') return result;
  const refusal = REFUSALS[result.status];
  throw refusal ? refusal() : new Error(`unknown status ${result.status}`);
}

/** 409 that names the dm that there is. */
export function roomExists(roomId: string): AppError {
  return new AppError('CONFLICT', 'A dm of these two users exists already', {
    details: { room_id: encodeId('room', roomId) },
  });
}
