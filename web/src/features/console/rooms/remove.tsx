import { useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { type Api, bodyOf, useApi } from '../../../api/client';
import { useSession } from '../../../api/session';
import { Button, Confirm, FaultNote, Loading } from '../../../ui';
import { counted, figure, roomName } from '../records/pieces';
import type { OneRoom, RoomDetail } from './data';

/** Members of one page, and most pages that are looked through for an admin. */
const PAGE = 100;
const MOST_PAGES = 50;

/** The server lets nobody delete direct messages. */
export function canRemove({ type, deleted_at: deleted }: RoomDetail): boolean {
  return type !== 'dm' && deleted === null;
}

/** Rooms with admins, who decide who is in them. */
export function hasAdmins({ type, deleted_at: deleted }: RoomDetail): boolean {
  return (type === 'group' || type === 'channel') && deleted === null;
}

/**
 * In whose name a room is changed: the server takes that from an admin of the room, through a key of the tenant. Null:
 * it has none.
 * @param except rather somebody else
 */
function useRoomAdmin({ tenantId, roomId }: OneRoom, except?: string): UseQueryResult<string | null> {
  const api = useApi();
  return useQuery({
    queryKey: ['room', tenantId, roomId, 'admin', except],
    queryFn: async () => {
      let cursor: string | undefined;
      let found: string | null = null;
      for (let page = 0; page < MOST_PAGES; page++) {
        const query = { tenant_id: tenantId, limit: PAGE, ...(cursor !== undefined && { cursor }) };
        const params = { path: { room_id: roomId }, query };
        const { members, next } = await bodyOf(api.GET('/admin/rooms/{room_id}', { params }));
        const admins = members.filter(({ role }) => role === 'admin').map(({ user_id: id }) => id);
        const other = admins.find((id) => id !== except);
        if (other !== undefined) return other;
        found ??= admins[0] ?? null;
        if (next === null) return found;
        cursor = next;
      }
      return found;
    },
  });
}

interface ActingProps {
  readonly room: OneRoom;
  readonly detail: RoomDetail;
  readonly onClose: () => void;
}

/** Reads rooms anew after `act`. */
function useActing({ tenantId, roomId }: OneRoom): (act: (api: Api) => Promise<unknown>) => Promise<void> {
  const api = useApi();
  const queries = useQueryClient();
  return async (act) => {
    await act(api);
    await Promise.all(
      [
        ['rooms', tenantId],
        ['room', tenantId, roomId],
      ].map((queryKey) => queries.invalidateQueries({ queryKey })),
    );
  };
}

/** The chat of a room of that type has the same id, written otherwise. */
function chatIdOf(roomId: string): string {
  return roomId.replace(/^room_/, '').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

interface RemoveRoomProps {
  readonly room: OneRoom;
  readonly detail: RoomDetail;
}

/** Deletes a room. With the master key there is no way to: it acts for no tenant. */
export function RemoveRoomButton({ room, detail }: RemoveRoomProps): ReactNode {
  const { credential } = useSession();
  const [isAsking, setAsking] = useState(false);
  if (credential.kind !== 'admin' || !canRemove(detail)) return null;
  return (
    <>
      <Button tone="danger" onClick={() => setAsking(true)}>
        Remove
      </Button>
      {isAsking && <RemoveRoom room={room} detail={detail} onClose={() => setAsking(false)} />}
    </>
  );
}

function RemoveRoom({ room, detail, onClose }: ActingProps): ReactNode {
  const { data: admin, error } = useRoomAdmin(room);
  const acting = useActing(room);
  const isChat = detail.type === 'ai';
  const remove = (): Promise<void> =>
    acting((api) => {
      if (isChat)
        return api.DELETE('/api/v1/chats/{chat_id}', { params: { path: { chat_id: chatIdOf(room.roomId) } } });
      return api.DELETE('/rooms/{room_id}', { params: { path: { room_id: room.roomId } }, headers: actingAs(admin) });
    });
  const name = roomName(detail);
  return (
    <Confirm
      title={`Remove ${name}?`}
      name={detail.name ?? detail.room_id}
      action="Remove the room"
      onConfirm={remove}
      onClose={onClose}
    >
      <p>
        <strong>
          {counted(detail.last_seq, 'message')} of {counted(detail.member_count, 'member')} can no longer be read,
        </strong>{' '}
        by nobody; {counted(detail.live_connections, 'connection')} that{' '}
        {detail.live_connections === 1 ? 'hears' : 'hear'} of it now {detail.live_connections === 1 ? 'is' : 'are'} told
        that it is gone. It cannot be taken back.
      </p>
      {isChat ? <p>An answer that is being written ends.</p> : <InWhoseName admin={admin} error={error} />}
    </Confirm>
  );
}

interface InWhoseNameProps {
  readonly admin: string | null | undefined;
  readonly error: Error | null;
}

function InWhoseName({ admin, error }: InWhoseNameProps): ReactNode {
  if (error !== null) return <FaultNote fault={error} />;
  if (admin === undefined) return <Loading what="Looking for an admin of the room" />;
  if (admin === null) return <p className="warning">The room has no admin: the server will refuse this.</p>;
  return (
    <p>
      Rooms are changed by their admins: it is done in the name of <strong>{admin}</strong>, and the audit log says that
      it was your key.
    </p>
  );
}

function actingAs(userId: string | null | undefined): Record<string, string> {
  if (userId === null || userId === undefined) throw new Error('The room has no admin in whose name it could be done.');
  return { 'X-User-Id': userId };
}

interface RemoveMemberProps extends ActingProps {
  readonly userId: string;
}

/** Takes somebody out of a room. */
export function RemoveMember({ room, detail, userId, onClose }: RemoveMemberProps): ReactNode {
  const { data: admin, error } = useRoomAdmin(room, userId);
  const acting = useActing(room);
  const path = { room_id: room.roomId, user_id: userId };
  const remove = (): Promise<void> =>
    acting((api) => api.DELETE('/rooms/{room_id}/members/{user_id}', { params: { path }, headers: actingAs(admin) }));
  return (
    <Confirm
      title={`Take ${userId} out of ${roomName(detail)}?`}
      name={userId}
      action="Take them out"
      onConfirm={remove}
      onClose={onClose}
    >
      <p>
        <strong>1 of {figure(detail.member_count)} members</strong> no longer sees the room, nor what was said in it.
        What they have said stays. An admin of the room can add them again
        {detail.type === 'channel' && ', and a channel they can join themselves'}.
      </p>
      <InWhoseName admin={admin} error={error} />
      {admin === userId && <p>They are the only admin: the oldest member becomes one.</p>}
    </Confirm>
  );
}
