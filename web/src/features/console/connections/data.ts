import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { bodyOf, type components, useApi } from '../../../api/client';

export type Connection = components['schemas']['ConnectionDto'];

/** How often the list is read anew. */
export const AGAIN_MS = 3000;

export function useConnections(
  tenantId: string,
  userId: string,
  cursor: string | undefined,
): UseQueryResult<components['schemas']['ConnectionsDto']> {
  const api = useApi();
  const query = {
    tenant_id: tenantId,
    ...(userId !== '' && { user_id: userId }),
    ...(cursor !== undefined && { cursor }),
  };
  return useQuery({
    queryKey: ['connections', tenantId, 'list', query],
    queryFn: ({ signal }) => bodyOf(api.GET('/admin/connections', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: AGAIN_MS,
  });
}
