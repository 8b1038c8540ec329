import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { type ReactNode, useId } from 'react';
import { useLocation, useRoute, useSearchParams } from 'wouter';
import { type Api, bodyOf, type components, useApi } from '../../api/client';
import { useSession } from '../../api/session';

export type Tenant = components['schemas']['TenantDto'];
type TenantPage = components['schemas']['TenantPageDto'];

/** As many as one page of the API has. */
const PAGE = 100;
/** So many pages are read to find a tenant by its name: the API cannot search for one. */
const MOST_PAGES = 20;
const FIND = 'find';

/**
 * Which tenant is looked at: that of an admin key, else the one that stands in the address. Undefined: all of them.
 * The second sets it; what else stands in the address belongs to the tenant before, and goes.
 */
export function useTenant(): readonly [string | undefined, (tenantId: string | undefined) => void] {
  const { tenantId } = useSession();
  const [, navigate] = useLocation();
  const [isItsPage, params] = useRoute<{ id: string }>('/tenants/:id/*?');
  const [search, setSearch] = useSearchParams();
  const chosen = tenantId ?? params?.id ?? search.get('tenant') ?? undefined;
  const choose = (next: string | undefined): void => {
    if (isItsPage) navigate(next === undefined ? '/tenants' : `/tenants/${next}`);
    else setSearch(next === undefined ? {} : { tenant: next });
  };
  return [chosen, choose];
}

function useFirstTenants(): UseQueryResult<TenantPage> {
  const api = useApi();
  const { credential } = useSession();
  return useQuery({
    queryKey: ['tenants', 'first'],
    queryFn: () => tenantPage(api, 0),
    enabled: credential.kind === 'master',
    placeholderData: keepPreviousData,
  });
}

/** The first hundred. */
export function useTenants(): readonly Tenant[] {
  return useFirstTenants().data?.tenants ?? [];
}

export interface FoundTenants {
  readonly tenants: readonly Tenant[];
  /** There are more than were read. */
  readonly isCut: boolean;
}

/** As many as can be looked through, read when they are wanted. */
export function useManyTenants(isWanted: boolean): UseQueryResult<FoundTenants> {
  const api = useApi();
  const { credential } = useSession();
  return useQuery({
    queryKey: ['tenants', 'many'],
    queryFn: () => manyTenants(api),
    enabled: isWanted && credential.kind === 'master',
    staleTime: 30_000,
    placeholderData: keepPreviousData,
  });
}

async function manyTenants(api: Api): Promise<FoundTenants> {
  const tenants: Tenant[] = [];
  for (let page = 0; page < MOST_PAGES; page++) {
    const { tenants: read, has_more: hasMore } = await tenantPage(api, page * PAGE);
    tenants.push(...read);
    if (!hasMore) return { tenants, isCut: false };
  }
  return { tenants, isCut: true };
}

function tenantPage(api: Api, offset: number): Promise<TenantPage> {
  return bodyOf(api.GET('/admin/tenants', { params: { query: { limit: PAGE, offset } } }));
}

/**
 * Chooses the tenant that the pages are about; with an admin key there is nothing to choose.
 * @param onFind where there are more than fit into a list
 */
export function TenantSwitch({ onFind }: { readonly onFind: () => void }): ReactNode {
  const { credential, name } = useSession();
  const [tenant, choose] = useTenant();
  const { data } = useFirstTenants();
  const tenants = data?.tenants ?? [];
  const id = useId();
  if (credential.kind === 'admin') return <span className="tenant-name">{name}</span>;
  const pick = (value: string): void => {
    if (value === FIND) onFind();
    else choose(value || undefined);
  };
  return (
    <>
      <label className="hidden-text" htmlFor={id}>
        Tenant
      </label>
      <select id={id} value={tenant ?? ''} onChange={(event) => pick(event.target.value)}>
        <option value="">All tenants</option>
        {tenant !== undefined && !tenants.some((one) => one.tenant_id === tenant) && (
          <option value={tenant}>{tenant}</option>
        )}
        {tenants.map((one) => (
          <option key={one.tenant_id} value={one.tenant_id}>
            {one.name}
          </option>
        ))}
        {data?.has_more === true && <option value={FIND}>Find another one …</option>}
      </select>
    </>
  );
}
