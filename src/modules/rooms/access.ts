import { notAMember, notFound } from '../../common/errors';
import { decodeId } from '../../common/ids';

/** The UUID behind a room id. @throws 404 for a malformed id: a room that does not exist */
export function roomUuid(roomId: string): string {
  const uuid = decodeId('room', roomId);
  if (uuid === undefined) throw notFound('Room');
  return uuid;
}

/** What was found of a room that a user asked for. @throws 404 where there is no such room, 403 where it is closed to them */
export function visible<F extends { readonly allowed: boolean }>(found: F | undefined): F {
  if (!found) throw notFound('Room');
  if (!found.allowed) throw notAMember();
  return found;
}
