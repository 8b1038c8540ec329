import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import { Badge, Button, Empty, FaultNote, Id, Loading, Pager, Table, Time, useUrlOffset } from '../../../ui';
import type { Tenant } from '../tenant';
import { CreateTenant } from './create';
import { ROWS, useTenantPage } from './data';

export function StatusBadge({ status }: Pick<Tenant, 'status'>): ReactNode {
  return <Badge tone={status === 'active' ? 'good' : 'warn'}>{status}</Badge>;
}

/** How many limits and settings are not the defaults. */
function ownValues({ effective }: Tenant): number {
  return Object.values({ ...effective.limits, ...effective.settings }).filter(({ source }) => source === 'tenant')
    .length;
}

export function TenantList(): ReactNode {
  const [offset, setOffset] = useUrlOffset();
  const [isCreating, setCreating] = useState(false);
  const { data, error } = useTenantPage(offset);
  return (
    <>
      <div className="page-head">
        <h1>Tenants</h1>
        <Button tone="main" onClick={() => setCreating(true)}>
          Create a tenant
        </Button>
      </div>
      {error !== null && <FaultNote fault={error} />}
      {data === undefined && error === null && <Loading />}
      {data?.total === 0 && (
        <Empty title="No tenant yet">
          <p>A tenant is an application of its own: its users, rooms and keys are apart from all others.</p>
          <Button onClick={() => setCreating(true)}>Create the first one</Button>
        </Empty>
      )}
      {data !== undefined && data.total > 0 && (
        <>
          <Table
            label="Tenants"
            rows={data.tenants}
            keyOf={({ tenant_id: id }) => id}
            columns={[
              { title: 'Name', cell: ({ name, tenant_id: id }) => <Link href={`/tenants/${id}`}>{name}</Link> },
              { title: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
              { title: 'Id', cell: ({ tenant_id: id }) => <Id id={id} /> },
              { title: 'Own values', isFigure: true, cell: ownValues },
              { title: 'Created', cell: ({ created_at: at }) => <Time at={at} /> },
            ]}
          />
          <Pager {...{ offset, total: data.total, limit: ROWS, shown: data.tenants.length }} onOffset={setOffset} />
        </>
      )}
      {isCreating && <CreateTenant onClose={() => setCreating(false)} />}
    </>
  );
}
