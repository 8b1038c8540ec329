import type { ReactNode } from 'react';
import { Badge, Table, Time } from '../../../ui';
import { useTenants } from '../tenant';

export default function TenantsPage(): ReactNode {
  const tenants = useTenants();
  return (
    <>
      <h1>Tenants</h1>
      <Table
        label="Tenants"
        rows={tenants}
        keyOf={({ tenant_id: id }) => id}
        columns={[
          { title: 'Name', cell: ({ name }) => name },
          {
            title: 'Status',
            cell: ({ status }) => <Badge tone={status === 'active' ? 'good' : 'warn'}>{status}</Badge>,
          },
          { title: 'Made', cell: ({ created_at: at }) => <Time at={at} /> },
        ]}
      />
    </>
  );
}
