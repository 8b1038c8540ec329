import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { ApiFault } from '../../../api/client';
import { useSession } from '../../../api/session';
import { CopyButton, Empty, FaultNote, Loading } from '../../../ui';
import type { Tenant } from '../tenant';
import { useOneTenant } from './data';
import { DeleteButton, Deletion } from './delete';
import { ExportsTab } from './exports';
import { ImportsTab } from './imports/imports-tab';
import { KeysTab } from './keys';
import { StatusBadge } from './list';
import { StatusButton } from './status';
import { TenantForm } from './form';
import { WebhookTab } from './webhook';

const NOT_FOUND = 404;
const TABS = [
  ['limits', 'Limits'],
  ['settings', 'Settings'],
  ['keys', 'Keys'],
  ['webhook', 'Webhook'],
  ['exports', 'Exports'],
  ['imports', 'Imports'],
] as const;
type Tab = (typeof TABS)[number][0];

interface TenantPageProps {
  readonly tenantId: string;
  readonly tab: string | undefined;
}

/** One tenant: what it may, how it behaves, its keys, and where its events are posted. */
export function TenantPage({ tenantId, tab: asked }: TenantPageProps): ReactNode {
  const { data: tenant, error } = useOneTenant(tenantId);
  const { credential } = useSession();
  // Imports are for whoever runs the server.
  const tabs = TABS.filter(([one]) => one !== 'imports' || credential.kind === 'master');
  const tab = tabs.find(([one]) => one === asked)?.[0] ?? 'limits';
  if (error instanceof ApiFault && error.status === NOT_FOUND) return <Gone tenantId={tenantId} />;
  if (tenant === undefined) return error === null ? <Loading /> : <FaultNote fault={error} />;
  return (
    <>
      <Head tenant={tenant} />
      {tenant.status === 'deleting' ? (
        <Deletion tenantId={tenantId} />
      ) : (
        <>
          <nav className="tabs" aria-label="About this tenant">
            {tabs.map(([one, title]) => (
              <Link key={one} href={`/tenants/${tenantId}/${one}`} aria-current={one === tab ? 'page' : undefined}>
                {title}
              </Link>
            ))}
          </nav>
          <TabPage tenant={tenant} tab={tab} />
        </>
      )}
    </>
  );
}

/** No tenant has the id: it was deleted, or never was. */
function Gone({ tenantId }: { readonly tenantId: string }): ReactNode {
  const { credential } = useSession();
  const never = (
    <Empty title="No tenant has this id">
      <p>
        It may have been deleted. <Link href="/tenants">All tenants</Link>
      </p>
    </Empty>
  );
  if (credential.kind === 'admin') return never;
  return (
    <>
      <p className="small">
        <Link href="/tenants">Tenants</Link>
      </p>
      <h1>
        <code>{tenantId}</code>
      </h1>
      <Deletion tenantId={tenantId}>{never}</Deletion>
    </>
  );
}

/** What it is called, how it is, and what can be done to it as a whole. */
function Head({ tenant }: { readonly tenant: Tenant }): ReactNode {
  const { credential } = useSession();
  const { tenant_id: tenantId } = tenant;
  const isOperator = credential.kind === 'master' && tenant.status !== 'deleting';
  return (
    <div className="stack tenant-head">
      {credential.kind === 'master' && (
        <p className="small">
          <Link href="/tenants">Tenants</Link>
        </p>
      )}
      <div className="page-head">
        <div className="row">
          <h1>{tenant.name}</h1>
          <StatusBadge status={tenant.status} />
        </div>
        <div className="row">
          <Link className="button" href={credential.kind === 'master' ? `/?tenant=${tenantId}` : '/'}>
            Live
          </Link>
          {isOperator && <StatusButton tenant={tenant} />}
          {isOperator && <DeleteButton tenant={tenant} />}
        </div>
      </div>
      <div className="row small muted">
        <code>{tenantId}</code> <CopyButton text={tenantId} label="Copy id" />
      </div>
    </div>
  );
}

function TabPage({ tenant, tab }: { readonly tenant: Tenant; readonly tab: Tab }): ReactNode {
  switch (tab) {
    case 'limits':
    case 'settings':
      return <TenantForm key={tab} area={tab} tenant={tenant} />;
    case 'keys':
      return <KeysTab tenant={tenant} />;
    case 'webhook':
      return <WebhookTab tenant={tenant} />;
    case 'exports':
      return <ExportsTab tenantId={tenant.tenant_id} />;
    case 'imports':
      return <ImportsTab tenant={tenant} />;
  }
}
