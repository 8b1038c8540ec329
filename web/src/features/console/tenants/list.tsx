import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import { Badge, Button, Empty, FaultNote, Id, Loading, Table, Time } from '../../../ui';
import type { Tenant } from '../tenant';
import { CreateTenant } from './create';
import { useTenantPages } from './data';

const NUMBER = new Intl.NumberFormat();

export function StatusBadge({ status }: Pick<Tenant, 'status'>): ReactNode {
  return <Badge tone={status === 'active' ? 'good' : 'warn'}>{status}</Badge>;
}

/** How many limits and settings are not the defaults. */
function ownValues({ effective }: Tenant): number {
  return Object.values({ ...effective.limits, ...effective.settings }).filter(({ source }) => source === 'tenant')
    .length;
}

function counted(count: number): string {
  return `${NUMBER.format(count)} ${count === 1 ? 'tenant' : 'tenants'}`;
}

export function TenantList(): ReactNode {
  const [isCreating, setCreating] = useState(false);
  const { items, first, error, onMore, isFetching } = useTenantPages();
  return (
    <>
      <div className="page-head">
        <h1>Tenants</h1>
        <Button tone="main" onClick={() => setCreating(true)}>
          Create a tenant
        </Button>
      </div>
      {error !== null && <FaultNote fault={error} />}
      {items === undefined && error === null && <Loading />}
      {items?.length === 0 && (
        <Empty title="No tenant yet">
          <p>A tenant is an application of its own: its users, rooms and keys are apart from all others.</p>
          <Button onClick={() => setCreating(true)}>Create the first one</Button>
        </Empty>
      )}
      {items !== undefined && items.length > 0 && (
        <>
          <p className="muted small" role="status">
            {counted(first?.total ?? items.length)}
          </p>
          <Table
            label="Tenants"
            rows={items}
            keyOf={({ tenant_id: id }) => id}
            onMore={onMore}
            isFetching={isFetching}
            columns={[
              { title: 'Name', cell: ({ name, tenant_id: id }) => <Link href={`/tenants/${id}`}>{name}</Link> },
              { title: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
              { title: 'Id', cell: ({ tenant_id: id }) => <Id id={id} /> },
              { title: 'Own values', isFigure: true, cell: ownValues },
              { title: 'Created', cell: ({ created_at: at }) => <Time at={at} /> },
            ]}
          />
        </>
      )}
      {isCreating && <CreateTenant onClose={() => setCreating(false)} />}
    </>
  );
}
