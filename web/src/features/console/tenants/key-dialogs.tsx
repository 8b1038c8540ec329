import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { bodyOf, useApi } from '../../../api/client';
import { useSession } from '../../../api/session';
import { Check, Choice, Confirm, Field, FormDialog, TextField } from '../../../ui';
import type { Tenant } from '../tenant';
import type { Key } from './data';

interface MakesKeyProps {
  readonly tenant: Tenant;
  readonly onMade: (secret: string, key: Key) => void;
  readonly onClose: () => void;
}

const DAY_MS = 86_400_000;
const LIVES = [
  ['', 'Never'],
  ['30', 'In 30 days'],
  ['90', 'In 90 days'],
  ['365', 'In a year'],
  ['at', 'At a time …'],
] as const;
type Life = (typeof LIVES)[number][0];

/** When a key of this life ends; undefined: never. Rejects nothing: the server says whether the time is good. */
function endOf(life: Life, at: string): string | undefined {
  if (life === '') return undefined;
  return life === 'at' ? new Date(at).toISOString() : new Date(Date.now() + Number(life) * DAY_MS).toISOString();
}

export function CreateKey({ tenant, onMade, onClose }: MakesKeyProps): ReactNode {
  const api = useApi();
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<Key['scopes']>(['chat']);
  const [life, setLife] = useState<Life>('');
  const [at, setAt] = useState('');
  const make = async (): Promise<void> => {
    const end = endOf(life, at);
    const { api_key: secret, ...key } = await bodyOf(
      api.POST('/admin/tenants/{tenant_id}/keys', {
        params: { path: { tenant_id: tenant.tenant_id } },
        body: { name: name.trim(), scopes, ...(end === undefined ? {} : { expires_at: end }) },
      }),
    );
    onMade(secret, key);
  };
  return (
    <FormDialog
      {...{ title: `A key for ${tenant.name}`, action: 'Create', onSubmit: make, onClose }}
      isReady={name.trim() !== '' && scopes.length > 0 && (life !== 'at' || at !== '')}
    >
      <TextField
        label="Name"
        value={name}
        onValue={setName}
        {...{ autoFocus: true, maxLength: 200, autoComplete: 'off', hint: 'What uses it, e.g. backend.' }}
      />
      <Scopes scopes={scopes} onScopes={setScopes} />
      <Choice label="Expires" value={life} options={LIVES} onValue={setLife} />
      {life === 'at' && <TimeField at={at} onAt={setAt} />}
    </FormDialog>
  );
}

interface ScopesProps {
  readonly scopes: Key['scopes'];
  readonly onScopes: (scopes: Key['scopes']) => void;
}

const SCOPES: readonly (readonly [Key['scopes'][number], string])[] = [
  ['chat', 'chat: act for the tenant’s users'],
  ['admin', 'admin: manage the tenant’s keys and settings'],
];

function Scopes({ scopes, onScopes }: ScopesProps): ReactNode {
  return (
    <fieldset className="stack">
      <legend>It may</legend>
      {SCOPES.map(([scope, label]) => (
        <Check
          key={scope}
          label={label}
          isChecked={scopes.includes(scope)}
          onChecked={(isOn) => onScopes([...scopes.filter((one) => one !== scope), ...(isOn ? [scope] : [])])}
        />
      ))}
    </fieldset>
  );
}

function TimeField({ at, onAt }: { readonly at: string; readonly onAt: (at: string) => void }): ReactNode {
  return (
    <Field label="Expires at" hint="In your own time zone.">
      {({ id, describedBy }) => (
        <input
          {...{ id, type: 'datetime-local', value: at, required: true, 'aria-describedby': describedBy }}
          onChange={(event) => onAt(event.target.value)}
        />
      )}
    </Field>
  );
}

export const OVERLAPS = [
  ['0', 'Not at all: it ends now'],
  ['3600', 'For an hour'],
  ['86400', 'For a day'],
  ['604800', 'For a week'],
  ['2592000', 'For 30 days'],
] as const;
export type Overlap = (typeof OVERLAPS)[number][0];

interface OldKey {
  readonly old: Key;
}

export function RotateKey({ tenant, old, onMade, onClose }: MakesKeyProps & OldKey): ReactNode {
  const api = useApi();
  const [overlap, setOverlap] = useState<Overlap>('3600');
  const make = async (): Promise<void> => {
    const { api_key: secret, ...key } = await bodyOf(
      api.POST('/admin/tenants/{tenant_id}/keys/{key_id}/rotate', {
        params: { path: { tenant_id: tenant.tenant_id, key_id: old.key_id } },
        body: { overlap_seconds: Number(overlap) },
      }),
    );
    onMade(secret, key);
  };
  return (
    <FormDialog
      {...{ title: `Rotate ${old.name}`, action: 'Rotate', onSubmit: make, onClose }}
      tone={overlap === '0' ? 'danger' : 'main'}
    >
      <p>A new key with the same scopes takes its place. Both work for a while, so that nothing stops.</p>
      <Choice label="The old key works on" value={overlap} options={OVERLAPS} onValue={setOverlap} />
      <IsOwn old={old} />
    </FormDialog>
  );
}

interface RevokeProps extends OldKey {
  readonly tenant: Tenant;
  readonly onDone: () => Promise<void>;
  readonly onClose: () => void;
}

export function RevokeKey({ tenant, old, onDone, onClose }: RevokeProps): ReactNode {
  const api = useApi();
  const revoke = async (): Promise<void> => {
    await api.DELETE('/admin/tenants/{tenant_id}/keys/{key_id}', {
      params: { path: { tenant_id: tenant.tenant_id, key_id: old.key_id } },
    });
    await onDone();
  };
  return (
    <Confirm title={`Revoke ${old.name}?`} name={old.name} action="Revoke" onConfirm={revoke} onClose={onClose}>
      <Opened tenant={tenant} old={old} />
      <p>Calls with it, and with tokens that it made, are refused within 2 seconds. It cannot be taken back.</p>
      <IsOwn old={old} />
    </Confirm>
  );
}

function IsOwn({ old }: OldKey): ReactNode {
  const { credential } = useSession();
  if (!credential.key.startsWith(old.prefix)) return null;
  return <p className="warning">You are signed in with this key: when it ends, so does your session here.</p>;
}

const MOST = 100;

/** How many connections end with a key. */
function Opened({ tenant, old }: OldKey & { readonly tenant: Tenant }): ReactNode {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ['connections', 'of key', old.key_id],
    queryFn: () =>
      bodyOf(api.GET('/admin/connections', { params: { query: { tenant_id: tenant.tenant_id, limit: MOST } } })),
  });
  if (data === undefined) return <p>Connections that were opened with it are closed.</p>;
  const count = data.items.filter(({ credential }) => credential.key_id === old.key_id).length;
  return (
    <p>
      <strong>
        {data.next !== null && 'At least '}
        {count === 1 ? '1 open connection was' : `${count} open connections were`} opened with it, and{' '}
        {count === 1 ? 'is' : 'are'} closed.
      </strong>
    </p>
  );
}
