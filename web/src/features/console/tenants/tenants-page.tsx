import type { ReactNode } from 'react';
import { Route, Switch } from 'wouter';
import { useSession } from '../../../api/session';
import { TenantList } from './list';
import { TenantPage } from './tenant-page';
import './tenants.css';

/** All tenants, or one of them; with an admin key its own. */
export default function TenantsPage(): ReactNode {
  const { tenantId } = useSession();
  return (
    <Switch>
      <Route path="/tenants/:id/:tab?">
        {({ id, tab }) => <TenantPage key={id} tenantId={tenantId ?? id} tab={tab} />}
      </Route>
      <Route>{tenantId === undefined ? <TenantList /> : <TenantPage tenantId={tenantId} tab={undefined} />}</Route>
    </Switch>
  );
}
