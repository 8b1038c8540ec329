import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useId } from 'react';
import { useSearchParams } from 'wouter';
import { bodyOf, type components, useApi } from '../../api/client';
import { useSession } from '../../api/session';

type Tenant = components['schemas']['TenantDto'];

/** As many as one page of the API has; more are found by their id in the address. */
const MOST_SHOWN = 100;

/**
 * Which tenant is looked at: that of an admin key, else the one that stands in the address. Undefined: all of them.
 * The second sets it; what else stands in the address belongs to the tenant before, and goes.
 */
export function useTenant(): readonly [string | undefined, (tenantId: string | undefined) => void] {
  const { tenantId } = useSession();
  const [search, setSearch] = useSearchParams();
  const chosen = tenantId ?? search.get('tenant') ?? undefined;
  const choose = (next: string | undefined): void => setSearch(next === undefined ? {} : { tenant: next });
  return [chosen, choose];
}

export function useTenants(): readonly Tenant[] {
  const api = useApi();
  const { credential } = useSession();
  const { data } = useQuery({
    queryKey: ['tenants'],
    queryFn: () => bodyOf(api.GET('/admin/tenants', { params: { query: { limit: MOST_SHOWN } } })),
    enabled: credential.kind === 'master',
    placeholderData: keepPreviousData,
  });
  return data?.tenants ?? [];
}

/** Chooses the tenant that the pages are about; with an admin key there is nothing to choose. */
export function TenantSwitch(): ReactNode {
  const { credential, name } = useSession();
  const [tenant, choose] = useTenant();
  const tenants = useTenants();
  const id = useId();
  if (credential.kind === 'admin') return <span className="tenant-name">{name}</span>;
  return (
    <>
      <label className="hidden-text" htmlFor={id}>
        Tenant
      </label>
      <select id={id} value={tenant ?? ''} onChange={(event) => choose(event.target.value || undefined)}>
        <option value="">All tenants</option>
        {tenant !== undefined && !tenants.some((one) => one.tenant_id === tenant) && (
          <option value={tenant}>{tenant}</option>
        )}
        {tenants.map((one) => (
          <option key={one.tenant_id} value={one.tenant_id}>
            {one.name}
          </option>
        ))}
      </select>
    </>
  );
}
