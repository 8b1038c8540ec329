import { type ReactNode, useState } from 'react';
import { useApi } from '../../../api/client';
import { Badge, Button, Confirm, Dialog, Empty, FaultNote, Loading, Pager, Table, useUrlOffset } from '../../../ui';
import { ChannelForm } from './channel-form';
import { type Channel, ROWS, useActing, useChannels } from './data';
import { Faults } from './faults';
import { TestDialog } from './test-dialog';

type Asked = 'add' | { readonly act: RowAct | 'faults'; readonly channel: Channel };

interface SaidProps {
  readonly onSaid: (said: string) => void;
}

/** The tenant's ways to models, in the order in which they are tried. */
export function Channels({ onSaid }: SaidProps): ReactNode {
  const [offset, setOffset] = useUrlOffset();
  const { data, error } = useChannels(offset);
  const [asked, setAsked] = useState<Asked>();
  const close = (): void => setAsked(undefined);
  return (
    <section className="stack">
      <div className="page-head">
        <h2>Channels</h2>
        <Button tone="main" onClick={() => setAsked('add')}>
          Add a channel
        </Button>
      </div>
      {error !== null && <FaultNote fault={error} />}
      {data === undefined && error === null && <Loading />}
      {data?.total === 0 && (
        <Empty title="No channel of your own">
          <p>
            Chats are answered by what the server offers, else by an echo. Add a channel to ask OpenAI, Anthropic,
            Google, or anything that speaks their protocols, with your own key.
          </p>
        </Empty>
      )}
      {data !== undefined && data.total > 0 && (
        <>
          <Rows channels={data.channels} onAsk={setAsked} />
          <Pager {...{ offset, total: data.total, limit: ROWS, shown: data.channels.length }} onOffset={setOffset} />
        </>
      )}
      {asked === 'add' && <ChannelForm now={undefined} onSaid={onSaid} onClose={close} />}
      {typeof asked === 'object' && asked.act === 'change' && (
        <ChannelForm now={asked.channel} onSaid={onSaid} onClose={close} />
      )}
      {typeof asked === 'object' && asked.act === 'remove' && <RemoveChannel channel={asked.channel} onClose={close} />}
      {typeof asked === 'object' && asked.act === 'test' && <TestDialog channel={asked.channel} onClose={close} />}
      {typeof asked === 'object' && asked.act === 'faults' && (
        <Dialog title={`${asked.channel.name}: latest faults`} onClose={close}>
          <Faults faults={asked.channel.lastFaults} />
          <div className="actions">
            <Button onClick={close}>Close</Button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

type RowAct = 'test' | 'change' | 'remove';
const ACTIONS: readonly (readonly [RowAct, string])[] = [
  ['test', 'Test'],
  ['change', 'Change'],
  ['remove', 'Remove'],
];

interface RowsProps {
  readonly channels: readonly Channel[];
  readonly onAsk: (asked: Asked) => void;
}

function Rows({ channels, onAsk }: RowsProps): ReactNode {
  const button = (act: RowAct, channel: Channel, word: string): ReactNode => (
    <Button key={act} className="small" aria-label={`${word} ${channel.name}`} onClick={() => onAsk({ act, channel })}>
      {word}
    </Button>
  );
  return (
    <Table
      label="Channels"
      rows={channels}
      keyOf={({ id }) => id}
      columns={[
        { title: 'Name', cell: ({ name }) => name },
        {
          title: 'State',
          cell: ({ enabled }) => <Badge tone={enabled ? 'good' : 'warn'}>{enabled ? 'enabled' : 'disabled'}</Badge>,
        },
        { title: 'Model', cell: ({ model }) => model },
        { title: 'Address', cell: ({ baseUrl, provider }) => <code>{baseUrl === '' ? provider : baseUrl}</code> },
        { title: 'Key', cell: ({ hasApiKey }) => (hasApiKey ? 'set' : 'none') },
        {
          title: 'Priority',
          isFigure: true,
          cell: ({ priority, weight }) => (weight === 1 ? priority : `${priority}, weight ${weight}`),
        },
        {
          title: 'Faults',
          cell: (channel) =>
            channel.lastFaults.length === 0 ? (
              <span className="muted">none</span>
            ) : (
              <Button
                className="small"
                aria-label={`Faults of ${channel.name}`}
                onClick={() => onAsk({ act: 'faults', channel })}
              >
                {channel.lastFaults.length} lately
              </Button>
            ),
        },
        {
          title: 'Actions',
          cell: (channel) => ACTIONS.map(([act, word]) => button(act, channel, word)),
        },
      ]}
    />
  );
}

function RemoveChannel({ channel, onClose }: { readonly channel: Channel; readonly onClose: () => void }): ReactNode {
  const api = useApi();
  const acting = useActing();
  const params = { path: { channelId: channel.id } };
  return (
    <Confirm
      title={`Remove ${channel.name}?`}
      name={channel.name}
      action="Remove"
      onConfirm={() => acting(api.DELETE('/api/channels/{channelId}', { params }))}
      onClose={onClose}
    >
      <p>The next answers are asked of the channels that are left. Its key is forgotten.</p>
    </Confirm>
  );
}
