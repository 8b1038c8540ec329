import { keepPreviousData, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { useCallback } from 'react';
import { bodyOf, type components, useApi } from '../../../api/client';
import type { Tenant } from '../tenant';
import { type CursorList, type CursorPage, PAGE_ROWS, useCursorList } from '../work/cursor';

export type Key = components['schemas']['KeyDto'];
export type Change = components['schemas']['UpdateTenantDto'];
export type Changed = components['schemas']['TenantUpdatedDto'];
export type Webhook = components['schemas']['WebhookDto'];
export type Delivery = components['schemas']['WebhookDeliveryDto'];

/** Rows of a page of a list. */
export const ROWS = 50;

const pathOf = (tenantId: string): { readonly path: { readonly tenant_id: string } } => ({
  path: { tenant_id: tenantId },
});

interface TenantPage extends CursorPage<Tenant> {
  readonly total: number;
}

/** All tenants, page by page: the API goes by offset here, so the cursor is one. */
export function useTenantPages(): CursorList<Tenant, TenantPage> {
  const api = useApi();
  return useCursorList(['tenants', 'pages'], async (cursor = '0') => {
    const query = { limit: PAGE_ROWS, offset: Number(cursor) };
    const page = await bodyOf(api.GET('/admin/tenants', { params: { query } }));
    return { items: page.tenants, total: page.total, next: page.has_more ? String(query.offset + PAGE_ROWS) : null };
  });
}

export function useOneTenant(tenantId: string): UseQueryResult<Tenant> {
  const api = useApi();
  return useQuery({
    queryKey: ['tenant', tenantId],
    queryFn: () => bodyOf(api.GET('/admin/tenants/{tenant_id}', { params: pathOf(tenantId) })),
  });
}

/** A tenant as it is this moment, past what is remembered; what is shown of it follows. */
export function useFreshTenant(tenantId: string): () => Promise<Tenant> {
  const api = useApi();
  const queries = useQueryClient();
  return useCallback(async () => {
    const tenant = await bodyOf(api.GET('/admin/tenants/{tenant_id}', { params: pathOf(tenantId) }));
    queries.setQueryData(['tenant', tenantId], tenant);
    return tenant;
  }, [api, queries, tenantId]);
}

/** Changes a tenant; what is shown of it anywhere follows. */
export function useChange(tenantId: string): (change: Change) => Promise<Changed> {
  const api = useApi();
  const queries = useQueryClient();
  return async (change) => {
    const changed = await bodyOf(api.PATCH('/admin/tenants/{tenant_id}', { params: pathOf(tenantId), body: change }));
    const { webhook_secret: _, ...tenant } = changed;
    queries.setQueryData(['tenant', tenantId], tenant);
    await Promise.all(
      [['tenants'], ['webhook', tenantId], ['deliveries', tenantId]].map((queryKey) =>
        queries.invalidateQueries({ queryKey }),
      ),
    );
    return changed;
  };
}

export function useKeys(tenantId: string, offset: number): UseQueryResult<components['schemas']['KeyPageDto']> {
  const api = useApi();
  return useQuery({
    queryKey: ['keys', tenantId, offset],
    queryFn: () =>
      bodyOf(
        api.GET('/admin/tenants/{tenant_id}/keys', {
          params: { ...pathOf(tenantId), query: { limit: ROWS, offset } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** @param isSet whether the tenant has one: there is nothing to ask for where it has not */
export function useWebhook(tenantId: string, isSet: boolean): UseQueryResult<Webhook> {
  const api = useApi();
  return useQuery({
    queryKey: ['webhook', tenantId],
    queryFn: () => bodyOf(api.GET('/admin/tenants/{tenant_id}/webhook', { params: pathOf(tenantId) })),
    enabled: isSet,
  });
}

const LOG_MS = 5000;

export function useDeliveries(
  tenantId: string,
  offset: number,
): UseQueryResult<components['schemas']['WebhookDeliveryPageDto']> {
  const api = useApi();
  return useQuery({
    queryKey: ['deliveries', tenantId, offset],
    queryFn: () =>
      bodyOf(
        api.GET('/admin/tenants/{tenant_id}/webhook/deliveries', {
          params: { ...pathOf(tenantId), query: { limit: ROWS, offset } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: LOG_MS,
  });
}
