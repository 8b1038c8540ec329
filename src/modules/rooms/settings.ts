/**
 * What a room's members may do there beside sending. Stored is only what an admin has set: a room without settings has no
 * word of them in its row, and a default that changes is every such room's.
 *
 * One line is a setting: what it may be, its default first. The functions of the schema that ask for it have the same
 * default.
 */
export const ROOM_SETTINGS = {
  reactions: ['distinct', 'unique', 'off'],
  pin: ['members', 'admins'],
} as const;

export type RoomSettings = { readonly [K in keyof typeof ROOM_SETTINGS]: (typeof ROOM_SETTINGS)[K][number] };

/** All of them, with the defaults where nothing is set. */
export function roomSettings(stored: Partial<RoomSettings> | null | undefined): RoomSettings {
  const defaults = Object.entries(ROOM_SETTINGS).map(([name, [first]]) => [name, first]);
  return { ...(Object.fromEntries(defaults) as RoomSettings), ...stored };
}
