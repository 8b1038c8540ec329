import { type ReactNode, useState } from 'react';
import { Button, Copyable, Empty, FaultNote, Loading, Table, TextField, Time } from '../../../ui';
import { useFilter, usePlace, useSettled, useTenantId } from '../records/address';
import { bytes, CursorPager, figure, UserLink } from '../records/pieces';
import { CloseConnection } from './close';
import { AGAIN_MS, type Connection, useConnections } from './data';

const FIRST_SOCKET = `npx wscat -c "${location.origin.replace(/^http/, 'ws')}/ws" -H "X-API-Key: $KEY" -H "X-User-Id: alice"`;

/** The open sockets of a tenant, anew every few seconds. */
export default function ConnectionsPage(): ReactNode {
  const tenantId = useTenantId();
  return <ConnectionList key={tenantId} tenantId={tenantId} />;
}

function ConnectionList({ tenantId }: { readonly tenantId: string }): ReactNode {
  const [userId, setUserId] = useFilter('user');
  const place = usePlace();
  const { data, error } = useConnections(tenantId, useSettled(userId.trim()), place.cursor);
  const [closing, setClosing] = useState<Connection>();
  return (
    <>
      <div className="page-head">
        <h1>Connections</h1>
        <span className="muted small">read anew every {AGAIN_MS / 1000} seconds</span>
      </div>
      <div className="filters" role="search" aria-label="Connections">
        <TextField
          label="Of the user"
          type="search"
          autoComplete="off"
          maxLength={128}
          value={userId}
          onValue={setUserId}
          hint="The whole id; empty: of all users."
        />
      </div>
      {error !== null && <FaultNote fault={error} />}
      {data === undefined && error === null && <Loading />}
      {data?.items.length === 0 && <NoConnections userId={userId} onAll={() => setUserId('')} />}
      {data !== undefined && data.items.length > 0 && <Rows rows={data.items} onClose={setClosing} />}
      {data !== undefined && <CursorPager place={place} shown={data.items.length} next={data.next} />}
      {closing !== undefined && (
        <CloseConnection tenantId={tenantId} connection={closing} onClose={() => setClosing(undefined)} />
      )}
    </>
  );
}

function NoConnections({ userId, onAll }: { readonly userId: string; readonly onAll: () => void }): ReactNode {
  if (userId !== '')
    return (
      <Empty title={`${userId} has no open connection`}>
        <p>It is shown here as soon as there is one.</p>
        <Button onClick={onAll}>Show those of all users</Button>
      </Empty>
    );
  return (
    <Empty title="No open connection here">
      <p>
        Clients open one at <code>/ws</code>; it is shown here as soon as it is there. From a terminal:
      </p>
      <Copyable text={FIRST_SOCKET} what="Command" />
    </Empty>
  );
}

interface RowsProps {
  readonly rows: readonly Connection[];
  readonly onClose: (connection: Connection) => void;
}

function Rows({ rows, onClose }: RowsProps): ReactNode {
  return (
    <Table
      label="Connections"
      rows={rows}
      keyOf={({ connection_id: id }) => id}
      columns={[
        { title: 'User', cell: ({ user_id: id }) => <UserLink id={id} /> },
        { title: 'Since', cell: ({ since, path }) => <Since since={since} path={path} /> },
        { title: 'Rooms', isFigure: true, cell: ({ rooms }) => figure(rooms) },
        { title: 'Out', isFigure: true, cell: ({ bytes_out: count }) => bytes(count) },
        { title: 'Not taken yet', isFigure: true, cell: ({ queue_bytes: count }) => bytes(count) },
        { title: 'Opened with', cell: ({ credential }) => <Opened credential={credential} /> },
        { title: 'From', cell: ({ address, agent }) => <From address={address} agent={agent} /> },
        {
          title: 'Actions',
          cell: (row) => (
            <Button
              className="small"
              aria-label={`Close ${row.connection_id} of ${row.user_id}`}
              onClick={() => onClose(row)}
            >
              Close
            </Button>
          ),
        },
      ]}
    />
  );
}

function Since({ since, path }: Pick<Connection, 'since' | 'path'>): ReactNode {
  return (
    <>
      <Time at={since} />
      <span className="muted small below">
        on <code>{path}</code>
      </span>
    </>
  );
}

function Opened({ credential }: Pick<Connection, 'credential'>): ReactNode {
  const { kind, key_name: name, key_prefix: prefix } = credential;
  return (
    <>
      {kind === 'key' ? '' : 'token of '}
      {name ?? 'a key that is gone'}
      {prefix !== null && <code className="muted below">{prefix}…</code>}
    </>
  );
}

function From({ address, agent }: Pick<Connection, 'address' | 'agent'>): ReactNode {
  return (
    <>
      {address}
      {agent !== null && <span className="muted small below">{agent}</span>}
    </>
  );
}
