import type { ReactNode } from 'react';
import { Button, Copyable, Empty, FaultNote, Loading, Table, TextField, Time } from '../../../ui';
import { useFilter, useSettled } from '../records/address';
import { HoldBadge, OnlineBadge, UserLink } from '../records/pieces';
import { useUsers } from './data';

const FIRST_USER = `curl -X POST ${location.origin}/tokens -H "X-API-Key: $KEY" -H 'Content-Type: application/json' -d '{"user_id":"alice"}'`;

export function UserList({ tenantId }: { readonly tenantId: string }): ReactNode {
  const [prefix, setPrefix] = useFilter('prefix');
  const { items, error, onMore, isFetching } = useUsers({ tenantId, prefix: useSettled(prefix) });
  return (
    <>
      <div className="page-head">
        <h1>Users</h1>
      </div>
      <div className="filters" role="search" aria-label="Users">
        <TextField
          label="Id begins with"
          type="search"
          autoComplete="off"
          maxLength={128}
          value={prefix}
          onValue={setPrefix}
        />
      </div>
      {error !== null && <FaultNote fault={error} />}
      {items === undefined && error === null && <Loading />}
      {items?.length === 0 && <NoUsers isFiltered={prefix !== ''} onAll={() => setPrefix('')} />}
      {items !== undefined && items.length > 0 && (
        <Table
          label="Users"
          rows={items}
          keyOf={({ user_id: id }) => id}
          onMore={onMore}
          isFetching={isFetching}
          columns={[
            { title: 'User', cell: ({ user_id: id }) => <UserLink id={id} /> },
            { title: 'Now', cell: ({ status }) => <OnlineBadge status={status} /> },
            { title: 'Last seen', cell: ({ last_seen_at: at }) => <Time at={at} /> },
            { title: 'Legal hold', cell: ({ legal_hold: isHeld }) => <HoldBadge isHeld={isHeld} /> },
            { title: 'Created', cell: ({ created_at: at }) => <Time at={at} /> },
          ]}
        />
      )}
    </>
  );
}

function NoUsers({ isFiltered, onAll }: { readonly isFiltered: boolean; readonly onAll: () => void }): ReactNode {
  if (isFiltered)
    return (
      <Empty title="No user fits">
        <p>It has to be the beginning of the id, in the same capitals.</p>
        <Button onClick={onAll}>Show all users</Button>
      </Empty>
    );
  return (
    <Empty title="No user yet">
      <p>
        A user is there with the first call that names them: in the header <code>X-User-Id</code>, as a member of a
        room, or in a token:
      </p>
      <Copyable text={FIRST_USER} what="Command" />
    </Empty>
  );
}
