import { keepPreviousData, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { bodyOf, type components, useApi } from '../../../api/client';
import type { RoomType } from '../records/pieces';
import { type CursorList, PAGE_ROWS, useCursorList } from '../work/cursor';

export type RoomDetail = components['schemas']['AdminRoomDetailDto'];
export type Member = components['schemas']['AdminMemberDto'];
export type Message = components['schemas']['MessageDto'];
export type Trace = components['schemas']['TraceDto'];
export type Recipient = components['schemas']['TraceRecipientDto'];

/** How often what moves is asked for again. */
const AGAIN_MS = 5000;
/** Of a page: what stands below them should be near. */
const MEMBERS = 20;

export interface RoomFilter {
  readonly tenantId: string;
  /** Empty: all. */
  readonly prefix: string;
  readonly type: RoomType | undefined;
}

type Rooms = components['schemas']['AdminRoomsDto'];

export function useRooms({ tenantId, prefix, type }: RoomFilter): CursorList<Rooms['items'][number], Rooms> {
  const api = useApi();
  const filter = {
    tenant_id: tenantId,
    limit: PAGE_ROWS,
    ...(prefix !== '' && { prefix }),
    ...(type !== undefined && { type }),
  };
  return useCursorList(['rooms', tenantId, filter], (cursor) => {
    const query = { ...filter, ...(cursor !== undefined && { cursor }) };
    return bodyOf(api.GET('/admin/rooms', { params: { query } }));
  });
}

export interface OneRoom {
  readonly tenantId: string;
  readonly roomId: string;
}

/** @param cursor of its members */
export function useRoom({ tenantId, roomId }: OneRoom, cursor: string | undefined): UseQueryResult<RoomDetail> {
  const api = useApi();
  const query = { tenant_id: tenantId, limit: MEMBERS, ...(cursor !== undefined && { cursor }) };
  return useQuery({
    queryKey: ['room', tenantId, roomId, cursor],
    queryFn: () => bodyOf(api.GET('/admin/rooms/{room_id}', { params: { path: { room_id: roomId }, query } })),
    placeholderData: keepPreviousData,
    refetchInterval: AGAIN_MS,
  });
}

/**
 * The newest messages of a room. Each look is written to the audit log: it is asked for by a press alone, never by
 * itself, and not again when it fails.
 */
export function useContent({ tenantId, roomId }: OneRoom): UseQueryResult<readonly Message[]> {
  const api = useApi();
  const query = { tenant_id: tenantId, content: true, limit: 1 };
  return useQuery({
    queryKey: ['room content', tenantId, roomId],
    queryFn: async () => {
      const room = await bodyOf(api.GET('/admin/rooms/{room_id}', { params: { path: { room_id: roomId }, query } }));
      return (room.messages ?? []).toReversed();
    },
    enabled: false,
    retry: false,
  });
}

/** Says how long a room keeps its messages, or holds it; what is shown of it follows. */
export function useRetain(room: OneRoom): (change: components['schemas']['RetainRoomDto']) => Promise<void> {
  const api = useApi();
  const queries = useQueryClient();
  const { tenantId, roomId } = room;
  const params = { path: { room_id: roomId }, query: { tenant_id: tenantId } };
  return async (change) => {
    await bodyOf(api.PATCH('/admin/rooms/{room_id}', { params, body: change }));
    await Promise.all(
      [
        ['rooms', tenantId],
        ['room', tenantId, roomId],
      ].map((queryKey) => queries.invalidateQueries({ queryKey })),
    );
  };
}

export function useTrace(
  { tenantId, roomId }: OneRoom,
  messageId: string,
  cursor: string | undefined,
): UseQueryResult<Trace> {
  const api = useApi();
  const query = { tenant_id: tenantId, ...(cursor !== undefined && { cursor }) };
  const path = { room_id: roomId, message_id: messageId };
  return useQuery({
    queryKey: ['trace', tenantId, messageId, cursor],
    queryFn: () => bodyOf(api.GET('/rooms/{room_id}/messages/{message_id}/trace', { params: { path, query } })),
    placeholderData: keepPreviousData,
    refetchInterval: AGAIN_MS,
  });
}
