import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { bodyOf, useApi } from '../../../api/client';
import { FaultNote, Loading } from '../../../ui';
import { useTenant } from '../tenant';

/** What the server does now. */
export default function LivePage(): ReactNode {
  const api = useApi();
  const [tenant] = useTenant();
  const { data, error } = useQuery({
    queryKey: ['stats', tenant],
    queryFn: () =>
      bodyOf(api.GET('/admin/stats', { params: { query: tenant === undefined ? {} : { tenant_id: tenant } } })),
    refetchInterval: 1000,
  });
  if (error !== null) return <FaultNote fault={error} />;
  if (data === undefined) return <Loading />;
  return (
    <>
      <h1>Live</h1>
      <pre>{JSON.stringify(data, undefined, 2)}</pre>
    </>
  );
}
