import { keepPreviousData, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { bodyOf, type components, useApi } from '../../../api/client';
import { type CursorList, PAGE_ROWS, useCursorList } from '../work/cursor';

export type UserDetail = components['schemas']['AdminUserDetailDto'];
export type Export = components['schemas']['ExportDto'];
export type Erasure = components['schemas']['ErasureDto'];

/** How often what moves is asked for again. */
const AGAIN_MS = 5000;
/** How often a job is asked how far it is. */
const JOB_MS = 1000;
/** The most that one page has. */
const MOST = 100;

export interface UserFilter {
  readonly tenantId: string;
  /** Empty: all. */
  readonly prefix: string;
}

type Users = components['schemas']['AdminUsersDto'];

export function useUsers({ tenantId, prefix }: UserFilter): CursorList<Users['items'][number], Users> {
  const api = useApi();
  const filter = { tenant_id: tenantId, limit: PAGE_ROWS, ...(prefix !== '' && { prefix }) };
  return useCursorList(['users', tenantId, filter], (cursor) => {
    const query = { ...filter, ...(cursor !== undefined && { cursor }) };
    return bodyOf(api.GET('/admin/users', { params: { query } }));
  });
}

export interface OneUser {
  readonly tenantId: string;
  readonly userId: string;
}

/** @param cursor of their rooms */
export function useUser({ tenantId, userId }: OneUser, cursor: string | undefined): UseQueryResult<UserDetail> {
  const api = useApi();
  const query = { tenant_id: tenantId, limit: MOST, ...(cursor !== undefined && { cursor }) };
  return useQuery({
    queryKey: ['user', tenantId, userId, cursor],
    queryFn: () => bodyOf(api.GET('/admin/users/{user_id}', { params: { path: { user_id: userId }, query } })),
    placeholderData: keepPreviousData,
    refetchInterval: AGAIN_MS,
  });
}

function useSeeAgain({ tenantId, userId }: OneUser): () => Promise<unknown> {
  const queries = useQueryClient();
  return () =>
    Promise.all(
      [
        ['users', tenantId],
        ['user', tenantId, userId],
      ].map((queryKey) => queries.invalidateQueries({ queryKey })),
    );
}

/** Holds what a user has written, or ends that. */
export function useHold(user: OneUser): (isHeld: boolean) => Promise<void> {
  const api = useApi();
  const seeAgain = useSeeAgain(user);
  const params = { path: { user_id: user.userId }, query: { tenant_id: user.tenantId } };
  return async (isHeld) => {
    await bodyOf(api.PATCH('/admin/users/{user_id}', { params, body: { legal_hold: isHeld } }));
    await seeAgain();
  };
}

/** How many connections a user has; `more`: there are more than these. */
export function useConnectionCount({ tenantId, userId }: OneUser): { count: number; more: boolean } | undefined {
  const api = useApi();
  const query = { tenant_id: tenantId, user_id: userId, limit: MOST };
  const { data } = useQuery({
    queryKey: ['connections', tenantId, 'count', userId],
    queryFn: () => bodyOf(api.GET('/admin/connections', { params: { query } })),
    refetchInterval: AGAIN_MS,
  });
  return data === undefined ? undefined : { count: data.items.length, more: data.next !== null };
}

const pathOf = ({ tenantId, userId }: OneUser): { readonly tenant_id: string; readonly user_id: string } => ({
  tenant_id: tenantId,
  user_id: userId,
});

/** Asks for a file of a user's data; resolves with its export's id. */
export function useAskExport(user: OneUser): () => Promise<string> {
  const api = useApi();
  return async () => {
    const made = await bodyOf(
      api.POST('/admin/tenants/{tenant_id}/users/{user_id}/export', { params: { path: pathOf(user) } }),
    );
    return made.export_id;
  };
}

export function useExport(user: OneUser, exportId: string): UseQueryResult<Export> {
  const api = useApi();
  const path = { ...pathOf(user), user_export_id: exportId };
  return useQuery({
    queryKey: ['user export', user.tenantId, user.userId, exportId],
    queryFn: () =>
      bodyOf(api.GET('/admin/tenants/{tenant_id}/users/{user_id}/export/{user_export_id}', { params: { path } })),
    refetchInterval: ({ state: { data } }) =>
      data === undefined || data.state === 'queued' || data.state === 'running' ? JOB_MS : false,
  });
}

/** Makes a link to the file, which is good once, and follows it. */
export function useDownload(user: OneUser, exportId: string): () => Promise<void> {
  const api = useApi();
  const path = { ...pathOf(user), user_export_id: exportId };
  return async () => {
    const { url } = await bodyOf(
      api.POST('/admin/tenants/{tenant_id}/users/{user_id}/export/{user_export_id}/link', { params: { path } }),
    );
    location.assign(new URL(url, location.origin));
  };
}

/** Begins to erase a user; resolves with the erasure's id. */
export function useErase(user: OneUser): () => Promise<string> {
  const api = useApi();
  const seeAgain = useSeeAgain(user);
  return async () => {
    const begun = await bodyOf(
      api.POST('/admin/tenants/{tenant_id}/users/{user_id}/erase', { params: { path: pathOf(user) } }),
    );
    await seeAgain();
    return begun.erasure_id;
  };
}

export function useErasure(tenantId: string, erasureId: string): UseQueryResult<Erasure> {
  const api = useApi();
  const path = { tenant_id: tenantId, erasure_id: erasureId };
  return useQuery({
    queryKey: ['erasure', tenantId, erasureId],
    queryFn: () => bodyOf(api.GET('/admin/tenants/{tenant_id}/erasures/{erasure_id}', { params: { path } })),
    refetchInterval: ({ state: { data } }) =>
      data === undefined || data.state === 'refusing' || data.state === 'erasing' ? JOB_MS : false,
  });
}
