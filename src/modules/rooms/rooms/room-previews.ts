import type { LastMessageDto } from '../dto/room.dto';

/** What the list of a user's rooms shows of their messages. */
export interface RoomPreview {
  readonly last_acked_seq: number;
  readonly last_read_seq: number;
  readonly unread_count: number;
  readonly last_message: LastMessageDto | null;
}

export interface PreviewRequest {
  readonly roomId: string;
  readonly joinedSeq: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** Previews of rooms for one of their members; the messages module implements it. */
export abstract class RoomPreviews {
  /** By room id (UUID); a room without an entry has no messages. */
  abstract previews(
    tenantId: string,
    userId: string,
    rooms: readonly PreviewRequest[],
  ): Promise<ReadonlyMap<string, RoomPreview>>;
}
