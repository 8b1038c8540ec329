import type { ReactNode } from 'react';
import type { components } from '../../../api/client';
import { Badge, Button, Choice, Copyable, Empty, FaultNote, Loading, Table, TextField, Time } from '../../../ui';
import { useFilter, useSettled } from '../records/address';
import { figure, RoomLink, type RoomType, TYPES } from '../records/pieces';
import { useRooms } from './data';

const ALL_TYPES: readonly (readonly [RoomType | '', string])[] = [
  ['', 'All types'],
  ['dm', 'Direct'],
  ['group', 'Groups'],
  ['channel', 'Channels'],
  ['ai', 'Chats with a model'],
];

const FIRST_ROOM = `curl -X POST ${location.origin}/rooms -H "X-API-Key: $KEY" -H 'X-User-Id: alice' -H 'Content-Type: application/json' -d '{"type":"group","name":"Team","members":["bob"]}'`;

export function RoomList({ tenantId }: { readonly tenantId: string }): ReactNode {
  const [prefix, setPrefix] = useFilter('name');
  const [typed, setType] = useFilter('type');
  const type = ALL_TYPES.find(([one]) => one === typed)?.[0] ?? '';
  const list = useRooms({ tenantId, prefix: useSettled(prefix), type: type === '' ? undefined : type });
  const { items, error } = list;
  return (
    <>
      <div className="page-head">
        <h1>Rooms</h1>
      </div>
      <div className="filters" role="search" aria-label="Rooms">
        <TextField
          label="Name begins with"
          type="search"
          autoComplete="off"
          maxLength={200}
          value={prefix}
          onValue={setPrefix}
        />
        <Choice label="Type" value={type} options={ALL_TYPES} onValue={setType} />
      </div>
      {error !== null && <FaultNote fault={error} />}
      {items === undefined && error === null && <Loading />}
      {items?.length === 0 && (
        <NoRooms
          isFiltered={prefix !== '' || type !== ''}
          onAll={() => {
            setPrefix('');
            setType('');
          }}
        />
      )}
      {items !== undefined && items.length > 0 && (
        <RoomTable rooms={items} onMore={list.onMore} isFetching={list.isFetching} />
      )}
    </>
  );
}

interface RoomTableProps {
  readonly rooms: readonly components['schemas']['AdminRoomDto'][];
  readonly onMore: (() => void) | undefined;
  readonly isFetching: boolean;
}

function RoomTable({ rooms, onMore, isFetching }: RoomTableProps): ReactNode {
  return (
    <Table
      label="Rooms"
      rows={rooms}
      onMore={onMore}
      isFetching={isFetching}
      keyOf={({ room_id: id }) => id}
      columns={[
        { title: 'Name', cell: (room) => <NameOf room={room} /> },
        { title: 'Type', cell: ({ type: one }) => <span className="unbroken">{TYPES[one]}</span> },
        { title: 'Members', isFigure: true, cell: ({ member_count: count }) => figure(count) },
        { title: 'Messages', isFigure: true, cell: ({ last_seq: last }) => figure(last) },
        { title: 'Last activity', cell: ({ last_activity_at: at }) => <Time at={at} /> },
        { title: 'Kept', cell: (room) => <Kept room={room} /> },
      ]}
    />
  );
}

function NameOf({ room }: { readonly room: components['schemas']['AdminRoomDto'] }): ReactNode {
  return (
    <span className="wide-cell" title={room.name ?? undefined}>
      <RoomLink room={room} />
    </span>
  );
}

interface KeptProps {
  readonly room: { readonly legal_hold: boolean; readonly retention_days: number | null };
}

/** How long its messages are kept, where the room says so itself. */
export function Kept({ room: { legal_hold: isHeld, retention_days: days } }: KeptProps): ReactNode {
  if (isHeld) return <Badge tone="warn">legal hold</Badge>;
  return days === null ? <span className="muted unbroken">as the tenant says</span> : `${figure(days)} days`;
}

function NoRooms({ isFiltered, onAll }: { readonly isFiltered: boolean; readonly onAll: () => void }): ReactNode {
  if (isFiltered)
    return (
      <Empty title="No room fits">
        <p>Capitals do not matter, but it has to be the beginning of the name. Direct messages have no name.</p>
        <Button onClick={onAll}>Show all rooms</Button>
      </Empty>
    );
  return (
    <Empty title="No room yet">
      <p>The tenant’s back end makes rooms, with a key of the tenant and as one of its users:</p>
      <Copyable text={FIRST_ROOM} what="Command" />
    </Empty>
  );
}
