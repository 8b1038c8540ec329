import { notAMember, notFound } from '../../common/errors';
import { decodeId, encodeId } from '../../common/ids';
import { isoTime } from '../../common/time';
import type { RoomDto } from './dto/room.dto';
import { type RoomSettings, roomSettings } from './settings';

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

/** A room as room_json gives it; times are text or Date, depending on the way it came. */
export interface RoomJson {
  readonly room_id: string;
  readonly type: string;
  readonly unique_key: string | null;
  readonly name: string | null;
  readonly metadata: Record<string, unknown> | null;
  /** The same as text where it comes by room_json, which is jsonb and sorts keys; since migration 0021. */
  readonly metadata_text?: string | null;
  readonly posting: string;
  /** What was set; missing in what was stored before rooms had settings. */
  readonly settings?: Partial<RoomSettings> | null;
  /** Missing in what was stored before rooms could begin later than with 1. */
  readonly first_seq?: number;
  readonly last_seq: number;
  readonly last_rev: number;
  readonly member_count: number;
  readonly created_at: string | Date;
  readonly updated_at: string | Date;
}

/** A change of a room, as a frame and in its history: `type` says what happened, so the room's own stands beside it. */
export function roomUpdated(rev: number, room: RoomJson): Omit<RoomDto, 'type'> & RoomUpdated {
  return { ...roomView(room), rev, type: 'room.updated', room_type: room.type };
}

interface RoomUpdated {
  readonly rev: number;
  readonly type: 'room.updated';
  readonly room_type: string;
}

/** Metadata with its keys in the order in which they were sent. */
export function metadataOf({
  metadata,
  metadata_text: text,
}: Pick<RoomJson, 'metadata' | 'metadata_text'>): Record<string, unknown> | null {
  return typeof text === 'string' ? (JSON.parse(text) as Record<string, unknown>) : metadata;
}

/** The room object of the contract. */
export function roomView(room: RoomJson): RoomDto {
  return {
    room_id: encodeId('room', room.room_id),
    type: room.type,
    unique_key: room.unique_key,
    name: room.name,
    metadata: metadataOf(room),
    posting: room.posting,
    settings: roomSettings(room.settings),
    first_seq: room.first_seq ?? 1,
    last_seq: room.last_seq,
    last_rev: room.last_rev,
    member_count: room.member_count,
    created_at: isoTime(room.created_at),
    updated_at: isoTime(room.updated_at),
  };
}
