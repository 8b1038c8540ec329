import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useSession } from '../../../api/session';
import { Badge, Button, Empty, FaultNote, Loading, Pager, SecretOnce, Table, Time, useUrlOffset } from '../../../ui';
import type { Tenant } from '../tenant';
import { Copyable } from '../../../ui';
import { curlWith } from './create';
import { type Key, ROWS, useKeys } from './data';
import { CreateKey, RevokeKey, RotateKey } from './key-dialogs';

type Doing =
  | { readonly what: 'create' }
  | { readonly what: 'rotate' | 'revoke'; readonly key: Key }
  | { readonly what: 'show'; readonly secret: string; readonly isForChat: boolean };

/** The keys of a tenant: those that work, and those that did. */
export function KeysTab({ tenant }: { readonly tenant: Tenant }): ReactNode {
  const [offset, setOffset] = useUrlOffset();
  const { data, error } = useKeys(tenant.tenant_id, offset);
  const [doing, setDoing] = useState<Doing>();
  return (
    <>
      <div className="page-head">
        <p className="muted">A key is shown once, when it is made. It works until it expires or is revoked.</p>
        <Button tone="main" onClick={() => setDoing({ what: 'create' })}>
          Create a key
        </Button>
      </div>
      {error !== null && <FaultNote fault={error} />}
      {data === undefined && error === null && <Loading />}
      {data?.total === 0 && (
        <Empty title="No key">
          <p>Without a key nobody can use this tenant. Create one above.</p>
        </Empty>
      )}
      {data !== undefined && data.total > 0 && (
        <>
          <KeyTable keys={data.keys} onDo={(what, key) => setDoing({ what, key })} />
          <Pager {...{ offset, total: data.total, limit: ROWS, shown: data.keys.length }} onOffset={setOffset} />
        </>
      )}
      <Dialogs tenant={tenant} doing={doing} onDoing={setDoing} />
    </>
  );
}

interface DialogsProps {
  readonly tenant: Tenant;
  readonly doing: Doing | undefined;
  readonly onDoing: (doing: Doing | undefined) => void;
}

function Dialogs({ tenant, doing, onDoing }: DialogsProps): ReactNode {
  const queries = useQueryClient();
  const close = (): void => onDoing(undefined);
  const reload = (): Promise<void> => queries.invalidateQueries({ queryKey: ['keys', tenant.tenant_id] });
  const show = (secret: string, key: Key): void => {
    onDoing({ what: 'show', secret, isForChat: key.scopes.includes('chat') });
    void reload();
  };
  switch (doing?.what) {
    case undefined:
      return null;
    case 'create':
      return <CreateKey tenant={tenant} onMade={show} onClose={close} />;
    case 'rotate':
      return <RotateKey tenant={tenant} old={doing.key} onMade={show} onClose={close} />;
    case 'revoke':
      return <RevokeKey tenant={tenant} old={doing.key} onDone={reload} onClose={close} />;
    case 'show':
      return (
        <SecretOnce title="The key is there" what="API key" secret={doing.secret} onClose={close}>
          {doing.isForChat && (
            <>
              <p>With it, this makes a room as the user alice:</p>
              <Copyable text={curlWith(doing.secret)} what="Command" />
            </>
          )}
        </SecretOnce>
      );
  }
}

interface KeyTableProps {
  readonly keys: readonly Key[];
  readonly onDo: (what: 'rotate' | 'revoke', key: Key) => void;
}

function KeyTable({ keys, onDo }: KeyTableProps): ReactNode {
  const { credential } = useSession();
  return (
    <Table
      label="Keys"
      rows={keys}
      keyOf={({ key_id: id }) => id}
      columns={[
        {
          title: 'Name',
          cell: ({ name, prefix }) => (
            <>
              {name}
              {credential.key.startsWith(prefix) && <span className="muted small"> (you are signed in with it)</span>}
            </>
          ),
        },
        { title: 'Begins with', cell: ({ prefix }) => <code>{prefix}…</code> },
        {
          title: 'May',
          cell: ({ scopes }) => (
            <span className="row actions-cell">
              {scopes.map((scope) => (
                <Badge key={scope}>{scope}</Badge>
              ))}
            </span>
          ),
        },
        { title: 'State', cell: (key) => <StateOf of={key} /> },
        { title: 'Last used', cell: ({ last_used_at: at }) => (at === null ? 'never' : <Time at={at} />) },
        { title: 'Created', cell: ({ created_at: at }) => <Time at={at} /> },
        { title: 'Actions', cell: (key) => !isOver(key) && <Actions of={key} onDo={onDo} /> },
      ]}
    />
  );
}

function Actions({ of: key, onDo }: { readonly of: Key } & Pick<KeyTableProps, 'onDo'>): ReactNode {
  return (
    <span className="row actions-cell">
      <Button className="small" aria-label={`Rotate ${key.name}`} onClick={() => onDo('rotate', key)}>
        Rotate
      </Button>
      <Button className="small" tone="danger" aria-label={`Revoke ${key.name}`} onClick={() => onDo('revoke', key)}>
        Revoke
      </Button>
    </span>
  );
}

function isOver({ revoked_at: revoked, expires_at: expires }: Key): boolean {
  return revoked !== null || (expires !== null && Date.parse(expires) <= Date.now());
}

function StateOf({ of: key }: { readonly of: Key }): ReactNode {
  const { revoked_at: revoked, expires_at: expires } = key;
  if (revoked !== null)
    return (
      <>
        <Badge tone="bad">revoked</Badge> <Time at={revoked} />
      </>
    );
  if (expires === null) return <Badge tone="good">works</Badge>;
  return (
    <>
      <Badge tone={isOver(key) ? 'bad' : 'warn'}>{isOver(key) ? 'expired' : 'works until'}</Badge>{' '}
      <Time at={expires} isExact />
    </>
  );
}
