import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import { Badge, Button, Confirm, CopyButton, FaultNote, Loading, Table, Time, useUrlState } from '../../../ui';
import { useHref, usePlace } from '../records/address';
import {
  CursorPager,
  Facts,
  figure,
  Gone,
  HoldBadge,
  isGone,
  OnlineBadge,
  RoomLink,
  Trail,
  TYPES,
} from '../records/pieces';
import { type OneUser, useHold, type UserDetail, useUser } from './data';
import { EraseUser, ErasurePanel } from './erase';
import { ExportPanel } from './export';

/** One user: their rooms, and how far they are; their data as a file; and the end of all of it. */
export function UserPage({ user }: { readonly user: OneUser }): ReactNode {
  const place = usePlace();
  const href = useHref();
  const [erasureId] = useUrlState('erasure');
  const { data, error } = useUser(user, place.cursor);
  const isMissing = isGone(error);
  if (erasureId !== '' && (isMissing || data === undefined))
    return (
      <>
        <Trail pages={[['Users', href('/users')]]} />
        <h1>{user.userId}</h1>
        <ErasurePanel user={user} erasureId={erasureId} />
      </>
    );
  if (isMissing) return <Gone what="user" all={['All users', href('/users')]} />;
  if (data === undefined) return error === null ? <Loading /> : <FaultNote fault={error} />;
  return (
    <>
      <Head user={user} detail={data} />
      {error !== null && <FaultNote fault={error} />}
      {erasureId !== '' && <ErasurePanel user={user} erasureId={erasureId} />}
      <Facts
        facts={[
          ['Now', <OnlineBadge key="now" status={data.status} />],
          ['Last seen', <Time key="seen" at={data.last_seen_at} />],
          ['Legal hold', <HoldBadge key="hold" isHeld={data.legal_hold} />],
          ['Created', <Time key="created" at={data.created_at} />],
        ]}
      />
      <ExportPanel user={user} />
      <section className="stack">
        <h2>Rooms</h2>
        <Memberships detail={data} />
        <CursorPager place={place} shown={data.memberships.length} next={data.next} label="Pages of the rooms" />
      </section>
    </>
  );
}

interface HeadProps {
  readonly user: OneUser;
  readonly detail: UserDetail;
}

function Head({ user, detail }: HeadProps): ReactNode {
  const href = useHref();
  const [doing, setDoing] = useState<'hold' | 'erase'>();
  const close = (): void => setDoing(undefined);
  return (
    <div className="stack record-head">
      <Trail pages={[['Users', href('/users')]]} />
      <div className="page-head">
        <div className="row">
          <h1>{user.userId}</h1>
          {detail.legal_hold && <Badge tone="warn">legal hold</Badge>}
          <CopyButton text={user.userId} label="Copy id" />
        </div>
        <div className="row">
          <Link className="button" href={href('/connections', { user: user.userId })}>
            Connections
          </Link>
          <Button onClick={() => setDoing('hold')}>{detail.legal_hold ? 'End the legal hold' : 'Legal hold'}</Button>
          <Button tone="danger" onClick={() => setDoing('erase')}>
            Erase
          </Button>
        </div>
      </div>
      {doing === 'hold' && <Hold user={user} isHeld={detail.legal_hold} onClose={close} />}
      {doing === 'erase' && <EraseUser user={user} detail={detail} onClose={close} />}
    </div>
  );
}

interface HoldProps {
  readonly user: OneUser;
  readonly isHeld: boolean;
  readonly onClose: () => void;
}

function Hold({ user, isHeld, onClose }: HoldProps): ReactNode {
  const hold = useHold(user);
  if (!isHeld)
    return (
      <Confirm
        title={`Hold what ${user.userId} has written?`}
        action="Hold"
        onConfirm={() => hold(true)}
        onClose={onClose}
      >
        <p>
          Nothing of theirs expires, and what is edited or deleted is kept as it was, shown to nobody. They cannot be
          erased as long as it lasts.
        </p>
      </Confirm>
    );
  return (
    <Confirm
      title={`End the legal hold on ${user.userId}?`}
      name={user.userId}
      action="End the hold"
      onConfirm={() => hold(false)}
      onClose={onClose}
    >
      <p>
        <strong>What was edited or deleted under it goes</strong>, where no other hold covers it, and messages that are
        older than their rooms keep any expire within about an hour.
      </p>
    </Confirm>
  );
}

function Memberships({ detail }: { readonly detail: UserDetail }): ReactNode {
  if (detail.memberships.length === 0)
    return <p className="muted">In no room. Room admins add members with POST /rooms/…/members.</p>;
  const ofAll = (seq: number, last: number): ReactNode => (
    <>
      {figure(seq)} <span className="muted">of {figure(last)}</span>
    </>
  );
  return (
    <Table
      label="Rooms"
      rows={detail.memberships}
      keyOf={({ room }) => room.room_id}
      columns={[
        {
          title: 'Room',
          cell: ({ room }) => (
            <span className="wide-cell">
              <RoomLink room={room} /> {room.deleted_at !== null && <Badge tone="bad">deleted</Badge>}
            </span>
          ),
        },
        { title: 'Type', cell: ({ room }) => <span className="unbroken">{TYPES[room.type]}</span> },
        { title: 'Role', cell: ({ role }) => role },
        {
          title: 'Acknowledged',
          isFigure: true,
          cell: ({ last_acked_seq: seq, room }) => ofAll(seq, room.last_seq),
        },
        { title: 'Read', isFigure: true, cell: ({ last_read_seq: seq, room }) => ofAll(seq, room.last_seq) },
        { title: 'Last activity', cell: ({ room }) => <Time at={room.last_activity_at} /> },
        { title: 'Joined', cell: ({ joined_at: at }) => <Time at={at} /> },
      ]}
    />
  );
}
