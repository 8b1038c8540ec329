import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { bodyOf, useApi } from '../../../api/client';
import { Badge, Button, Choice, Confirm, Empty, FaultNote, FormDialog, Loading, SecretOnce, Time } from '../../../ui';
import type { Tenant } from '../tenant';
import { type Delivery, useChange, useWebhook, type Webhook } from './data';
import { Deliveries } from './deliveries';
import { OVERLAPS, type Overlap } from './key-dialogs';
import { WebhookForm } from './webhook-form';

type Doing = { readonly what: 'edit' | 'rotate' | 'remove' } | { readonly what: 'show'; readonly secret: string };

/** Where a tenant's events are posted, whether that works, and what was posted. */
export function WebhookTab({ tenant }: { readonly tenant: Tenant }): ReactNode {
  const isSet = tenant.settings['webhook'] !== undefined;
  const { data, error } = useWebhook(tenant.tenant_id, isSet);
  const [doing, setDoing] = useState<Doing>();
  const close = (): void => setDoing(undefined);
  const saved = (secret: string | undefined): void =>
    setDoing(secret === undefined ? undefined : { what: 'show', secret });
  return (
    <>
      {!isSet && (
        <Empty title="No webhook">
          <p>
            What happens can be posted to your back end: messages to people who are offline, new messages, rooms and
            members. Each post is signed as Standard Webhooks say.
          </p>
          <Button tone="main" onClick={() => setDoing({ what: 'edit' })}>
            Set a webhook
          </Button>
        </Empty>
      )}
      {isSet && error !== null && <FaultNote fault={error} />}
      {isSet && data === undefined && error === null && <Loading />}
      {isSet && data !== undefined && <Shown tenant={tenant} webhook={data} onDo={(what) => setDoing({ what })} />}
      {isSet && <Deliveries tenantId={tenant.tenant_id} />}
      {doing?.what === 'edit' && (
        <WebhookForm tenant={tenant} now={isSet ? data : undefined} onSaved={saved} onClose={close} />
      )}
      {doing?.what === 'rotate' && <RotateSecret tenant={tenant} onSaved={saved} onClose={close} />}
      {doing?.what === 'remove' && <Remove tenant={tenant} onClose={close} />}
      {doing?.what === 'show' && (
        <SecretOnce title="The webhook’s secret" what="Secret" secret={doing.secret} onClose={close}>
          <p>Your back end checks with it that a post is from here, with any Standard Webhooks library.</p>
        </SecretOnce>
      )}
    </>
  );
}

interface ShownProps {
  readonly tenant: Tenant;
  readonly webhook: Webhook;
  readonly onDo: (what: 'edit' | 'rotate' | 'remove') => void;
}

function Shown({ tenant, webhook, onDo }: ShownProps): ReactNode {
  const { status, url, events, failing_since: failing, disabled_at: disabled, disabled_reason: why } = webhook;
  return (
    <section className="card webhook stack" aria-label="Webhook">
      <div className="page-head">
        <div className="row">
          <code className="url">{url}</code>
          <Badge tone={status === 'disabled' ? 'bad' : failing === null ? 'good' : 'warn'}>
            {status === 'enabled' && failing !== null ? 'failing' : status}
          </Badge>
        </div>
        <div className="row">
          <Button onClick={() => onDo('edit')}>Change</Button>
          <Button onClick={() => onDo('rotate')}>New secret</Button>
          <Button tone="danger" onClick={() => onDo('remove')}>
            Remove
          </Button>
        </div>
      </div>
      <p className="row">
        {events.map((event) => (
          <Badge key={event}>{event}</Badge>
        ))}
      </p>
      {failing !== null && (
        <p className="warning">
          All attempts fail since <Time at={failing} isExact />.
        </p>
      )}
      {disabled !== null && (
        <p className="warning">
          Nothing is posted since <Time at={disabled} isExact />: {why ?? 'it failed too long'}. “Change” and saving the
          URL again enables it.
        </p>
      )}
      <Test tenantId={tenant.tenant_id} />
    </section>
  );
}

/** Posts a test, and shows what the target says. */
function Test({ tenantId }: { readonly tenantId: string }): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const [answer, setAnswer] = useState<Delivery>();
  const test = (): void => {
    setBusy(true);
    setFault(undefined);
    bodyOf(api.POST('/admin/tenants/{tenant_id}/webhook/test', { params: { path: { tenant_id: tenantId } } }))
      .then((delivery) => {
        setAnswer(delivery);
        return queries.invalidateQueries({ queryKey: ['deliveries', tenantId] });
      }, setFault)
      .finally(() => setBusy(false));
  };
  return (
    <div className="row">
      <Button onClick={test} isBusy={isBusy}>
        {isBusy ? 'Posting …' : 'Post a test'}
      </Button>
      <span role="status">
        {answer !== undefined && (
          <>
            <Badge tone={answer.state === 'delivered' ? 'good' : 'bad'}>{answer.state}</Badge>{' '}
            {answer.status !== null && `HTTP ${answer.status}`} {answer.error ?? ''}{' '}
            {answer.latency_ms !== null && <span className="muted">in {answer.latency_ms} ms</span>}
          </>
        )}
      </span>
      {fault !== undefined && <FaultNote fault={fault} />}
    </div>
  );
}

interface DoesProps {
  readonly tenant: Tenant;
  readonly onClose: () => void;
}

function RotateSecret({ tenant, onSaved, onClose }: DoesProps & { onSaved: (secret: string) => void }): ReactNode {
  const api = useApi();
  const [overlap, setOverlap] = useState<Overlap>('86400');
  const rotate = async (): Promise<void> => {
    const { webhook_secret: secret } = await bodyOf(
      api.POST('/admin/tenants/{tenant_id}/webhook/rotate', {
        params: { path: { tenant_id: tenant.tenant_id } },
        body: { overlap_seconds: Number(overlap) },
      }),
    );
    onSaved(secret);
  };
  return (
    <FormDialog title="A new secret" action="Make a new secret" onSubmit={rotate} onClose={onClose}>
      <p>Posts are signed with the old and the new secret for a while, so that you can change it without losing one.</p>
      <Choice label="The old secret signs on" value={overlap} options={OVERLAPS} onValue={setOverlap} />
    </FormDialog>
  );
}

function Remove({ tenant, onClose }: DoesProps): ReactNode {
  const change = useChange(tenant.tenant_id);
  return (
    <Confirm
      title={`Remove the webhook of ${tenant.name}?`}
      name={tenant.name}
      action="Remove"
      onConfirm={() => change({ settings: { webhook: null } })}
      onClose={onClose}
    >
      <p>
        <strong>Nothing is posted any more</strong>, also not what waits for another attempt. Its secret is gone;
        setting a webhook again makes a new one.
      </p>
    </Confirm>
  );
}
