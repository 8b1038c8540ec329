import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { bodyOf, type components, useApi } from '../../../api/client';
import { Button, Dialog, FaultNote, Time } from '../../../ui';
import type { Tenant } from '../tenant';
import { differences } from './fields';

interface ChangedProps {
  /** As it was when typing began. */
  readonly before: Tenant;
  readonly now: Tenant;
  readonly onSave: () => Promise<void>;
  readonly onDrop: () => void;
  readonly onClose: () => void;
}

/** Tells who saves that somebody else saved meanwhile, and what: nobody undoes another's work unknowingly. */
export function Changed({ before, now, onSave, onDrop, onClose }: ChangedProps): ReactNode {
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const others = differences(before, now);
  const save = (): void => {
    setBusy(true);
    onSave().catch((error: unknown) => {
      setFault(error);
      setBusy(false);
    });
  };
  return (
    <Dialog title="Somebody else changed this tenant meanwhile" onClose={onClose}>
      <p>
        <Who tenantId={now.tenant_id} /> saved at <Time at={now.updated_at} isExact />, after you opened this page:
      </p>
      {others.length > 0 ? (
        <ul>
          {others.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      ) : (
        <p className="muted">Nothing that differs from what you saw is left of it.</p>
      )}
      <p>Your changes are sent on top: only what you changed yourself, all else stays as it is now.</p>
      {fault !== undefined && <FaultNote fault={fault} />}
      <div className="actions">
        <Button onClick={onClose}>Back to the form</Button>
        <Button onClick={onDrop}>Discard mine</Button>
        <Button tone="main" isBusy={isBusy} onClick={save}>
          Save mine too
        </Button>
      </div>
    </Dialog>
  );
}

/** Who it was, as the audit log has it. */
function Who({ tenantId }: { readonly tenantId: string }): ReactNode {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ['audit', 'last change', tenantId],
    queryFn: () =>
      bodyOf(
        api.GET('/admin/audit', {
          params: { query: { tenant_id: tenantId, action: 'tenant.update', limit: 1 } },
        }),
      ),
    staleTime: 0,
  });
  return <strong>{nameOf(data?.items[0]?.actor)}</strong>;
}

function nameOf(actor: components['schemas']['AuditActorDto'] | undefined): string {
  if (actor?.kind === 'master') return 'The operator, with the master key,';
  if (actor?.kind === 'key') return `The key “${actor.key_name ?? actor.key_prefix ?? ''}”`;
  return 'Somebody';
}
