import type { ReactNode } from 'react';
import { useSearchParams } from 'wouter';
import { useTenantId } from '../records/address';
import { UserList } from './list';
import { UserPage } from './user-page';

/** The users of a tenant, or one of them. */
export default function UsersPage(): ReactNode {
  const tenantId = useTenantId();
  const [search] = useSearchParams();
  const userId = search.get('id');
  return userId === null ? (
    <UserList key={tenantId} tenantId={tenantId} />
  ) : (
    <UserPage key={`${tenantId} ${userId}`} user={{ tenantId, userId }} />
  );
}
