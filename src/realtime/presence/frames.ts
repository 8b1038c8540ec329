import type { Frame } from '../feed/ports';

export type PresenceStatus = 'online' | 'offline';

/** A change of a user's status, sent once per connection that may know of it. */
export function presenceUpdate(userId: string, status: PresenceStatus): Frame {
  return { type: 'presence.update', user_id: userId, status };
}

/** Who is online at the beginning of a connection. */
export function presenceSnapshot(userIds: readonly string[]): Frame {
  return { type: 'presence.snapshot', user_ids: userIds };
}
