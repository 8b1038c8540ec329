import type { ServerFrame, WsClient } from './client';

interface RoomRef {
  readonly room_id: string;
}

/** Frames about a room, in the order in which they came. */
export function about(client: WsClient, { room_id }: RoomRef): ServerFrame[] {
  return client.frames.filter((frame) => frame['room_id'] === room_id);
}

/** Seqs of the new messages of a room, in the order in which they came. */
export function seqsOf(client: WsClient, room: RoomRef): unknown[] {
  return about(client, room).flatMap((frame) => (frame.type === 'message' ? [frame['seq']] : []));
}

/** 1, 2 … as a room numbers its messages. */
export function seqs(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** The end of the room's sync, once it is there. */
export function synced(client: WsClient, { room_id }: RoomRef, request?: string): Promise<ServerFrame> {
  return client.frame(
    (frame) =>
      frame.type === 'sync.complete' &&
      frame['room_id'] === room_id &&
      (request === undefined || frame['request_id'] === request),
  );
}
