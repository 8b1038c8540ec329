import { AppError } from '../../common/errors';
import type { RoomFeed } from './ports';

/** A room and whoever may become a member of it by the change. */
export interface ChangedRoom {
  readonly tenantId: string;
  /** UUID. */
  readonly roomId: string;
  readonly joined?: readonly string[];
}

/** Makes a change of a room; where nobody knows whether it was committed, whoever listens to the room looks. */
export async function changing<T>(feed: RoomFeed, room: ChangedRoom, change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (isUnknown(error)) feed.touch(room.tenantId, room.roomId, room.joined);
    throw error;
  }
}

/** Whether an error leaves open what became of a write. */
export function isUnknown(error: unknown): boolean {
  return error instanceof AppError && error.details?.['outcome'] === 'unknown';
}
