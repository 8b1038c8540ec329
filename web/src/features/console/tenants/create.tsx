import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import { bodyOf, type components, useApi } from '../../../api/client';
import { Copyable, FormDialog, SecretOnce, TextField } from '../../../ui';

/** A call that shows that a key works: it makes a room. */
export function curlWith(apiKey: string): string {
  return [
    `curl -X POST ${location.origin}/rooms \\`,
    `  -H 'X-API-Key: ${apiKey}' \\`,
    `  -H 'X-User-Id: alice' \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '{"type":"channel","name":"general"}'`,
  ].join('\n');
}

/** Asks for a name, makes the tenant, and shows its first key. */
export function CreateTenant({ onClose }: { readonly onClose: () => void }): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [made, setMade] = useState<components['schemas']['TenantCreatedDto']>();
  const create = async (): Promise<void> => {
    const tenant = await bodyOf(api.POST('/admin/tenants', { body: { name: name.trim() } }));
    setMade(tenant);
    await queries.invalidateQueries({ queryKey: ['tenants'] });
  };
  if (made !== undefined)
    return (
      <SecretOnce title={`${made.name} is there`} what="API key" secret={made.api_key} onClose={onClose}>
        <p>With it, this makes a room as the user alice:</p>
        <Copyable text={curlWith(made.api_key)} what="Command" />
        <p>
          <Link href={`/tenants/${made.tenant_id}`}>Its limits, settings and keys</Link>
        </p>
      </SecretOnce>
    );
  return (
    <FormDialog
      {...{ title: 'Create a tenant', action: 'Create', onSubmit: create, onClose }}
      isReady={name.trim() !== ''}
    >
      <TextField
        label="Name"
        value={name}
        onValue={setName}
        maxLength={200}
        autoFocus
        autoComplete="off"
        hint="What people call it. It can be changed, and need not be unique."
      />
      <p className="muted">Its limits and settings begin with the defaults. Its first key is shown next, once.</p>
    </FormDialog>
  );
}
