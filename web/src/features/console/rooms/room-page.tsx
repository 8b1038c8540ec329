import { type ReactNode, useState } from 'react';
import { useSession } from '../../../api/session';
import { Badge, Button, type Column, CopyButton, FaultNote, Loading, Table, Time } from '../../../ui';
import { useHref, usePlace } from '../records/address';
import {
  counted,
  CursorPager,
  Facts,
  figure,
  Gone,
  isGone,
  OnlineBadge,
  roomName,
  Trail,
  TYPES,
  UserLink,
} from '../records/pieces';
import { type Member, type OneRoom, type RoomDetail, useRoom } from './data';
import { Kept } from './list';
import { Messages } from './messages';
import { hasAdmins, RemoveMember, RemoveRoomButton } from './remove';
import { Retention } from './retention';

/** One room: who is in it, how far they are, and how long it keeps what was said. */
export function RoomPage({ room }: { readonly room: OneRoom }): ReactNode {
  const place = usePlace();
  const href = useHref();
  const { data, error } = useRoom(room, place.cursor);
  if (isGone(error)) return <Gone what="room" all={['All rooms', href('/rooms')]} />;
  if (data === undefined) return error === null ? <Loading /> : <FaultNote fault={error} />;
  return (
    <>
      <Head room={room} detail={data} />
      {error !== null && <FaultNote fault={error} />}
      <RoomFacts detail={data} />
      <section className="stack">
        <h2>Members</h2>
        <Members room={room} detail={data} />
        <CursorPager place={place} shown={data.members.length} next={data.next} label="Pages of the members" />
      </section>
      <Messages room={room} />
    </>
  );
}

function Head({ room, detail }: { readonly room: OneRoom; readonly detail: RoomDetail }): ReactNode {
  const [isRetaining, setRetaining] = useState(false);
  const href = useHref();
  return (
    <div className="stack record-head">
      <Trail pages={[['Rooms', href('/rooms')]]} />
      <div className="page-head">
        <div className="row">
          <h1>{roomName(detail)}</h1>
          <Badge>{TYPES[detail.type]}</Badge>
          {detail.legal_hold && <Badge tone="warn">legal hold</Badge>}
          {detail.deleted_at !== null && <Badge tone="bad">deleted</Badge>}
        </div>
        <div className="row">
          <Button onClick={() => setRetaining(true)}>Keep messages …</Button>
          <RemoveRoomButton room={room} detail={detail} />
        </div>
      </div>
      <div className="row small muted">
        <code>{detail.room_id}</code> <CopyButton text={detail.room_id} label="Copy id" />
      </div>
      {isRetaining && <Retention room={room} detail={detail} onClose={() => setRetaining(false)} />}
    </div>
  );
}

function RoomFacts({ detail }: { readonly detail: RoomDetail }): ReactNode {
  const { first_seq: first, last_seq: last } = detail;
  const kept = Math.max(0, last - Math.max(first, 1) + 1);
  return (
    <Facts
      facts={[
        ['Members', figure(detail.member_count)],
        ['Listening now', counted(detail.live_connections, 'connection')],
        ['Messages so far', figure(last)],
        ['Places kept', kept === 0 ? 'none' : `${figure(kept)}, from ${figure(Math.max(first, 1))} on`],
        ['Who may post', detail.posting === 'members' ? 'all members' : 'admins alone'],
        ['Messages are kept', <Kept key="kept" room={detail} />],
        ['Last activity', <Time key="activity" at={detail.last_activity_at} />],
        ['Created', <Time key="created" at={detail.created_at} />],
        ...(detail.deleted_at === null ? [] : [['Deleted', <Time key="deleted" at={detail.deleted_at} />] as const]),
      ]}
    />
  );
}

function Members({ room, detail }: { readonly room: OneRoom; readonly detail: RoomDetail }): ReactNode {
  const { credential } = useSession();
  const [removing, setRemoving] = useState<string>();
  const canRemove = credential.kind === 'admin' && hasAdmins(detail);
  if (detail.members.length === 0) return <p className="muted">Nobody is in this room.</p>;
  const ofAll = (seq: number): ReactNode => (
    <>
      {figure(seq)} <span className="muted">of {figure(detail.last_seq)}</span>
    </>
  );
  return (
    <>
      <Table
        label="Members"
        rows={detail.members}
        keyOf={({ user_id: id }) => id}
        columns={[
          { title: 'User', cell: ({ user_id: id }) => <UserLink id={id} /> },
          { title: 'Role', cell: ({ role }) => role },
          { title: 'Now', cell: ({ status }) => <OnlineBadge status={status} /> },
          { title: 'Acknowledged', isFigure: true, cell: ({ last_acked_seq: seq }) => ofAll(seq) },
          { title: 'Read', isFigure: true, cell: ({ last_read_seq: seq }) => ofAll(seq) },
          { title: 'Positions moved', cell: ({ moved_at: at }) => <Time at={at} /> },
          { title: 'Last seen', cell: ({ last_seen_at: at }) => <Time at={at} /> },
          ...(canRemove ? [removal(setRemoving)] : []),
        ]}
      />
      {removing !== undefined && (
        <RemoveMember {...{ room, detail, userId: removing }} onClose={() => setRemoving(undefined)} />
      )}
    </>
  );
}

function removal(onRemove: (userId: string) => void): Column<Member> {
  return {
    title: 'Actions',
    cell: ({ user_id: id }) => (
      <Button className="small" aria-label={`Take out ${id}`} onClick={() => onRemove(id)}>
        Take out
      </Button>
    ),
  };
}
