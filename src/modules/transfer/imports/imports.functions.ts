/** What an import makes in the tables of others: their modules' functions, which nothing else calls. */
import { answer, rows, schemaFunction, systemFunction, value } from '../../../platform/database';

const ROWS = { p_rows: 'json' } as const;
const ROOM = { p_room: 'uuid', p_import: 'uuid' } as const;
const count = value<number>('integer');

/** Adds to the counts of a running import, by kinds of lines; false where it runs no more. */
export const importProgress = schemaFunction(
  'import_progress',
  { p_import: 'uuid', p_counts: 'jsonb' },
  value<boolean>('boolean'),
);

export const usersImport = schemaFunction('users_import', ROWS, count);
export const channelsImport = schemaFunction('channels_import', ROWS, count);
export const presetsImport = schemaFunction('presets_import', ROWS, count);
export const subscriptionsImport = schemaFunction('subscriptions_import', ROWS, count);

/** Whether the tenant has no room at all, deleted ones and those under construction among them. */
export const importIsFirst = schemaFunction('import_is_first', {}, value<boolean>('boolean'));

/** Which of the rooms imports have made and opened. */
export const importedRooms = schemaFunction(
  'imported_rooms',
  { p_rooms: 'uuid[]' },
  rows<{ readonly room_id: string }>(),
);

/** Keys of dms that the tenant has otherwise than by imports of these rooms. */
export const importClashes = schemaFunction(
  'import_clashes',
  { p_keys: 'text[]', p_rooms: 'uuid[]' },
  rows<{ readonly unique_key: string }>(),
);

/** Makes a room under construction, or finds it. `reached`: the seq up to which it has its messages. */
export const importRoomBegin = schemaFunction(
  'import_room_begin',
  { ...ROOM, p_row: 'json' },
  answer<{ readonly reached?: number }>({}, ['ok', 'done', 'taken']),
);

export const importMembersAdd = schemaFunction('import_members_add', { ...ROOM, ...ROWS }, count);
export const importEventsAdd = schemaFunction('import_events_add', { ...ROOM, ...ROWS }, count);
export const runsImport = schemaFunction('runs_import', { ...ROOM, ...ROWS }, count);

/** Adds messages as they were to a room under construction, and to no other. */
export const messagesImport = systemFunction('messages_import', { p_tenant: 'uuid', ...ROOM, ...ROWS }, count);

/** Counts what messages of a room under construction take up, some at a time; 0: all are counted. */
export const usageRoomImported = schemaFunction('usage_room_imported', { ...ROOM, p_limit: 'integer' }, count);

/** Ends the construction. */
export const importRoomOpen = schemaFunction(
  'import_room_open',
  { ...ROOM, p_row: 'json' },
  answer({}, ['ok', 'done', 'dm_exists']),
);

/** Makes the room that was opened in the same transaction a chat. */
export const chatImport = schemaFunction('chat_import', { p_room: 'uuid', p_row: 'json' }, value<unknown>('void'));
