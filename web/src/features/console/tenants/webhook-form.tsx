import { type ReactNode, useState } from 'react';
import { Check, FormDialog, TextField, Time } from '../../../ui';
import type { Tenant } from '../tenant';
import { Who } from './changed';
import { type Change, useChange, useFreshTenant, type Webhook } from './data';

type WebhookSetting = NonNullable<NonNullable<Change['settings']>['webhook']>;
type Event = NonNullable<NonNullable<NonNullable<Change['settings']>['webhook']>['events']>[number];

const EVENTS: readonly (readonly [Event, string])[] = [
  ['message.offline', 'a message to somebody who is offline'],
  ['notification.offline', 'a notification to somebody who is offline'],
  ['message.created', 'every message'],
  ['reaction.updated', 'a reaction that is given or taken back'],
  ['message.pinned', 'a message that is pinned'],
  ['room.created', 'a new room'],
  ['member.joined', 'somebody joined a room'],
  ['member.left', 'somebody left a room'],
  ['budget.warning', 'a budget of which 80 % are spent'],
];
const STANDARD: readonly string[] = ['message.offline', 'notification.offline'];

interface WebhookFormProps {
  readonly tenant: Tenant;
  readonly now: Webhook | undefined;
  /** @param secret that of a new URL, which is shown once */
  readonly onSaved: (secret: string | undefined) => void;
  readonly onClose: () => void;
}

/** Where to post, and what. */
export function WebhookForm({ tenant, now, onSaved, onClose }: WebhookFormProps): ReactNode {
  const [url, setUrl] = useState(now?.url ?? '');
  const [events, setEvents] = useState<readonly string[]>(now?.events ?? STANDARD);
  const [base, setBase] = useState(tenant);
  const [met, setMet] = useState<Tenant>();
  const change = useChange(tenant.tenant_id);
  const fresh = useFreshTenant(tenant.tenant_id);
  const save = async (): Promise<void> => {
    const then = await fresh();
    // What else was changed stays as it is: only the webhook is sent.
    if (JSON.stringify(webhookOf(then)) !== JSON.stringify(webhookOf(base))) {
      setBase(then);
      setMet(then);
      return;
    }
    const picked = EVENTS.map(([name]) => name).filter((name) => events.includes(name));
    const { webhook_secret: secret } = await change({ settings: { webhook: { url: url.trim(), events: picked } } });
    onSaved(secret);
  };
  return (
    <FormDialog
      {...{
        title: now === undefined ? 'Set a webhook' : 'Change the webhook',
        action: met === undefined ? 'Save' : 'Replace it with mine',
        onSubmit: save,
        onClose,
      }}
      isReady={url.trim() !== '' && events.length > 0}
    >
      <TextField
        label="URL"
        value={url}
        onValue={setUrl}
        {...{ autoFocus: true, autoComplete: 'off', spellCheck: false, maxLength: 2048, inputMode: 'url' }}
        hint="https, and one that everybody can reach. Another URL gets a new secret, which is shown once."
      />
      <Events events={events} onEvents={setEvents} />
      {met !== undefined && <Met now={met} />}
    </FormDialog>
  );
}

function webhookOf({ settings }: Tenant): WebhookSetting | undefined {
  return settings['webhook'] as WebhookSetting | undefined;
}

/** Tells who saves that somebody else did meanwhile, and what. */
function Met({ now }: { readonly now: Tenant }): ReactNode {
  const webhook = webhookOf(now);
  return (
    <div className="warning stack" role="alert">
      <p>
        <Who tenantId={now.tenant_id} /> changed the webhook at <Time at={now.updated_at} />, after you opened this.
      </p>
      {webhook === undefined ? (
        <p>There is none now.</p>
      ) : (
        <p>
          It now posts {webhook.events?.join(', ') ?? STANDARD.join(', ')} to <code>{webhook.url}</code>.
        </p>
      )}
      <p>Cancel to leave it so.</p>
    </div>
  );
}

interface EventsProps {
  readonly events: readonly string[];
  readonly onEvents: (events: readonly string[]) => void;
}

function Events({ events, onEvents }: EventsProps): ReactNode {
  return (
    <fieldset className="stack">
      <legend>Post</legend>
      {EVENTS.map(([name, words]) => (
        <Check
          key={name}
          label={`${name}: ${words}`}
          isChecked={events.includes(name)}
          onChecked={(isOn) => onEvents([...events.filter((one) => one !== name), ...(isOn ? [name] : [])])}
        />
      ))}
    </fieldset>
  );
}
