import { Injectable } from '@nestjs/common';
import { AppError, forbidden, invalid, notAMember, notFound } from '../../common/errors';
import { encodeId } from '../../common/ids';
import type { AuditAction } from '../../platform/audit';
import type { Caller } from '../../platform/auth';
import { answer, rows, schemaFunction, type SchemaFunction, value } from '../../platform/database';
import { type EffectResult, Effects } from '../../platform/idempotency';
import { eraseFunction, EraseStep, type EraseWork } from '../../platform/tenant-data';
import { changing, RoomFeed } from '../../realtime';
import { beingDeleted } from '../tenants';
import type { MemberRow } from './rooms/rooms.repository';
import type { RoomJson } from './views';

const ROOM = { p_room: 'uuid' } as const;

const no_room = (): AppError => notFound('Room');
const not_member = (): AppError => notFound('Member');
const not_allowed = (): AppError => forbidden('You may not do this in this room');
const fixed = (): AppError => forbidden('The members of this room are fixed');

interface RoomResult {
  readonly room: RoomJson;
}

interface MemberResult {
  readonly member: MemberRow;
}

/** Makes the room, its users and its members, in the order of joining. `p_by`: whose text its name and metadata are. `exists`: the dm of these two. */
export const roomCreate = schemaFunction(
  'room_create',
  {
    ...ROOM,
    p_type: 'text',
    p_unique_key: 'text?',
    p_name: 'text?',
    p_metadata: 'json?',
    p_posting: 'text',
    p_users: 'text[]',
    p_roles: 'text[]',
    p_by: 'text?',
  },
  answer<RoomResult>({
    exists: ({ room_id }: { readonly room_id: string }) =>
      new AppError('CONFLICT', 'A dm of these two users exists already', {
        details: { room_id: encodeId('room', room_id) },
      }),
  }),
);

/** Changes what is given; metadata and settings are merged by top-level key. */
export const roomUpdate = schemaFunction(
  'room_update',
  {
    ...ROOM,
    p_user: 'text',
    p_name: 'text?',
    p_metadata: 'json?',
    p_posting: 'text?',
    p_settings: 'jsonb?',
    p_max_bytes: 'integer',
  },
  answer<RoomResult>({
    no_room,
    forbidden: not_allowed,
    dm_posting: () => invalid('posting', 'posting cannot be set for a dm'),
    too_large: () => invalid('metadata', 'metadata must be at most 8 KB after merging'),
  }),
);

export const roomDelete = schemaFunction(
  'room_delete',
  { ...ROOM, p_user: 'text' },
  answer({ no_room, forbidden: not_allowed }),
);

/** Joining again changes nothing. */
export const roomJoin = schemaFunction(
  'room_join',
  { ...ROOM, p_user: 'text' },
  answer<MemberResult>({ no_room, forbidden: not_allowed }),
);

/** Users that are members already keep their role; `members`: all that were named, in the order of joining. */
export const membersAdd = schemaFunction(
  'members_add',
  { ...ROOM, p_actor: 'text', p_users: 'text[]', p_role: 'text' },
  answer<{ readonly members: MemberRow[] }>({ no_room, forbidden: not_allowed, fixed }),
);

export const memberSetRole = schemaFunction(
  'member_set_role',
  { ...ROOM, p_actor: 'text', p_user: 'text', p_role: 'text' },
  answer<MemberResult>({
    no_room,
    forbidden: not_allowed,
    fixed,
    not_member,
    last_admin: () => new AppError('CONFLICT', 'A room needs an admin: make somebody else admin first'),
  }),
);

/** By an admin, or by oneself. */
export const memberRemove = schemaFunction(
  'member_remove',
  { ...ROOM, p_actor: 'text', p_user: 'text' },
  answer({ no_room, forbidden: not_allowed, fixed, not_member }),
);

/** Moves where a room begins past what its retention has ended for. `more`: there is more of it. */
export const roomCut = schemaFunction(
  'room_cut',
  ROOM,
  answer<{ readonly first_seq?: number; readonly more?: boolean }>({}, ['ok', 'unchanged', 'held', 'no_room']),
);

/** A room of a tenant, as retention goes through them. */
export interface RoomToCut {
  readonly room_id: string;
  /** roomCut may move something. */
  readonly is_due: boolean;
  /** Rows lie behind where it begins. */
  readonly has_rest: boolean;
}

/** A page of all rooms of a tenant in the order of their ids, deleted ones too. */
export const roomsToCut = schemaFunction('rooms_to_cut', { p_after: 'uuid?', p_limit: 'integer' }, rows<RoomToCut>());

/** Deletes changes behind where a room begins; how many. */
export const roomEventsTrimmed = schemaFunction(
  'room_events_trimmed',
  { ...ROOM, p_limit: 'integer' },
  value<number>('bigint'),
);

/** Marks rooms of a page as deleted, whoever is in them; the id of the page's last room, null where it is empty. */
export const roomsClose = schemaFunction(
  'rooms_close',
  { p_after: 'uuid?', p_limit: 'integer' },
  value<string | null>('uuid'),
);

/** How long a room keeps its messages, and whether it is held; `p_changes` has those of the two that change. */
export const roomRetain = schemaFunction(
  'room_retain',
  { ...ROOM, p_changes: 'jsonb' },
  answer<{ readonly retention_days: number | null; readonly legal_hold: boolean }>({ no_room, deleting: beingDeleted }),
);

/**
 * Makes changes of rooms: one function of the schema each, after which the room's channels read the log; so they do
 * where it is not known whether it was committed. A refusal is thrown, and the feed is left alone.
 */
@Injectable()
export class RoomChanges {
  constructor(
    private readonly effects: Effects,
    private readonly feed: RoomFeed,
  ) {}

  async create(
    caller: Caller,
    args: Parameters<typeof roomCreate.call>[2] & { readonly p_users: readonly string[] },
  ): Promise<RoomJson> {
    const { tenantId } = caller;
    const { p_users: joined } = args;
    const { room } = await changing(this.feed, { tenantId, roomId: args.p_room, joined }, () =>
      this.effects.call(caller, roomCreate, args),
    );
    // The first one where it is a repeat.
    this.feed.touchRoom(tenantId, room.room_id, joined, caller.userId);
    return room;
  }

  /**
   * @param options.joined users that may become members by it
   * @param options.action what is written to the audit log, where the function says so
   */
  async make<A extends { readonly p_room: string }, R extends EffectResult>(
    caller: Caller,
    fn: SchemaFunction<A, R>,
    args: A,
    { joined = [], action }: { readonly joined?: readonly string[]; readonly action?: AuditAction } = {},
  ): Promise<R> {
    const room = { tenantId: caller.tenantId, roomId: args.p_room, joined };
    const audit = action && { action, target: encodeId('room', args.p_room) };
    const result = await changing(this.feed, room, () => this.effects.call(caller, fn, args, { audit }));
    this.feed.touchRoom(room.tenantId, room.roomId, joined);
    return result;
  }
}

/** What a member has set for themselves in a room, as the schema gives it. */
export interface MemberMeJson {
  /** ISO 8601. */
  readonly muted_until: string | null;
  readonly hidden: boolean;
  readonly favourite: boolean;
  readonly notify: 'all' | 'mentions' | 'none';
  readonly unread_seq: number | null;
}

interface MeResult extends EffectResult {
  readonly me: MemberMeJson;
}

/** What is left out stays; `p_unmute`: it is muted no more. */
export const memberSettingsSet = schemaFunction(
  'member_settings_set',
  {
    p_room: 'uuid',
    p_user: 'text',
    p_muted_until: 'timestamptz?',
    p_unmute: 'boolean',
    p_hidden: 'boolean?',
    p_favourite: 'boolean?',
    p_notify: 'text?',
  },
  answer<MeResult>({ no_room: () => notFound('Room'), not_member: notAMember }),
);

export const memberUnread = schemaFunction(
  'member_unread',
  { p_room: 'uuid', p_user: 'text', p_seq: 'bigint' },
  answer<MeResult>({
    no_room: () => notFound('Room'),
    not_member: notAMember,
    beyond: ({ last_seq }: { readonly last_seq: number }) =>
      invalid('seq', `seq is beyond the room's last_seq ${last_seq}`),
    before: ({ first_seq }: { readonly first_seq: number }) =>
      invalid('seq', `What lies before ${first_seq} is kept no more, or from before you joined: it cannot be unread`),
  }),
);

/** Takes a user out of rooms. */
@Injectable()
@EraseStep('rooms')
export class RoomsErase implements EraseWork {
  readonly batch = eraseFunction('rooms_erase');
}

/** Takes a user out of what rooms remember of their changes. */
@Injectable()
@EraseStep('events')
export class RoomEventsErase implements EraseWork {
  readonly batch = eraseFunction('events_erase');
}
