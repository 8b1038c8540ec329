import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { bodyOf, useApi } from '../../../api/client';
import { Button, Confirm } from '../../../ui';
import type { Tenant } from '../tenant';
import { useChange } from './data';

/** Suspends a tenant, or resumes it. */
export function StatusButton({ tenant }: { readonly tenant: Tenant }): ReactNode {
  // What was asked stays what it was while the answer of the server changes the tenant behind it.
  const [asked, setAsked] = useState<'suspend' | 'resume'>();
  const change = useChange(tenant.tenant_id);
  const isActive = tenant.status === 'active';
  const close = (): void => setAsked(undefined);
  return (
    <>
      <Button tone={isActive ? 'danger' : 'main'} onClick={() => setAsked(isActive ? 'suspend' : 'resume')}>
        {isActive ? 'Suspend' : 'Resume'}
      </Button>
      {asked === 'suspend' && (
        <Confirm
          title={`Suspend ${tenant.name}?`}
          name={tenant.name}
          action="Suspend"
          onConfirm={() => change({ status: 'suspended' })}
          onClose={close}
        >
          <WhatEnds tenantId={tenant.tenant_id} />
          <p>All its calls are refused with 403 until it is resumed. Nothing is deleted.</p>
        </Confirm>
      )}
      {asked === 'resume' && (
        <Confirm
          title={`Resume ${tenant.name}?`}
          action="Resume"
          onConfirm={() => change({ status: 'active' })}
          onClose={close}
        >
          <p>Its keys work again within 2 seconds, and its clients may connect.</p>
        </Confirm>
      )}
    </>
  );
}

function WhatEnds({ tenantId }: { readonly tenantId: string }): ReactNode {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ['stats', 'now', tenantId],
    queryFn: () => bodyOf(api.GET('/admin/stats', { params: { query: { tenant_id: tenantId } } })),
    refetchInterval: 2000,
  });
  if (data === undefined) return <p>Its connections are closed.</p>;
  const { connections, online } = data.figures;
  const open = connections.ws + connections.ws_chat + connections.sse;
  return (
    <p>
      <strong>
        {open === 1 ? '1 connection is' : `${open} connections are`} closed, of {online}{' '}
        {online === 1 ? 'user' : 'users'} online.
      </strong>
    </p>
  );
}
