import { type ReactNode, useState } from 'react';
import { useApi } from '../../../api/client';
import { Button, Confirm, FaultNote, Loading, Pager, Table, useUrlOffset, useUrlState } from '../../../ui';
import { type Preset, ROWS, useActing, usePresets } from './data';
import { PresetForm } from './preset-form';
import { TryBox } from './try-box';

type Asked = 'add' | { readonly act: 'change' | 'remove'; readonly preset: Preset };

/** How assistants are asked to behave; `default` always is there. */
export function Presets({ onSaid }: { readonly onSaid: (said: string) => void }): ReactNode {
  const [offset, setOffset] = useUrlOffset();
  const { data, error } = usePresets(offset);
  const [asked, setAsked] = useState<Asked>();
  const close = (): void => setAsked(undefined);
  return (
    <section className="stack">
      <div className="page-head">
        <h2>Presets</h2>
        <Button tone="main" onClick={() => setAsked('add')}>
          Add a preset
        </Button>
      </div>
      {error !== null && <FaultNote fault={error} />}
      {data === undefined && error === null && <Loading />}
      {data !== undefined && (
        <>
          <Rows presets={data.presets} onAsk={setAsked} />
          <Pager {...{ offset, total: data.total, limit: ROWS, shown: data.presets.length }} onOffset={setOffset} />
          <TryBox presets={data.presets} />
        </>
      )}
      {asked === 'add' && <PresetForm now={undefined} onSaid={onSaid} onClose={close} />}
      {typeof asked === 'object' && asked.act === 'change' && (
        <PresetForm now={asked.preset} onSaid={onSaid} onClose={close} />
      )}
      {typeof asked === 'object' && asked.act === 'remove' && <RemovePreset preset={asked.preset} onClose={close} />}
    </section>
  );
}

interface RowsProps {
  readonly presets: readonly Preset[];
  readonly onAsk: (asked: Asked) => void;
}

function Rows({ presets, onAsk }: RowsProps): ReactNode {
  const [, choose] = useUrlState('try');
  return (
    <Table
      label="Presets"
      rows={presets}
      keyOf={({ name }) => name}
      columns={[
        { title: 'Name', cell: ({ name }) => name },
        { title: 'Asked to', cell: ({ systemPrompt }) => <div className="prompt">{systemPrompt}</div> },
        { title: 'Model', cell: ({ model }) => model ?? <span className="muted">the channel’s</span> },
        { title: 'Temperature', isFigure: true, cell: ({ temperature }) => temperature ?? '–' },
        { title: 'Messages read', isFigure: true, cell: ({ contextMessages }) => contextMessages },
        {
          title: 'Actions',
          cell: (preset) => (
            <>
              <Button
                className="small"
                aria-label={`Try ${preset.name}`}
                onClick={() => {
                  choose(preset.name === 'default' ? '' : preset.name);
                  document.getElementById('try')?.scrollIntoView({ block: 'nearest' });
                }}
              >
                Try
              </Button>
              <Button
                className="small"
                aria-label={`Change ${preset.name}`}
                onClick={() => onAsk({ act: 'change', preset })}
              >
                Change
              </Button>
              {preset.createdAt !== null && (
                <Button
                  className="small"
                  aria-label={`Remove ${preset.name}`}
                  onClick={() => onAsk({ act: 'remove', preset })}
                >
                  Remove
                </Button>
              )}
            </>
          ),
        },
      ]}
    />
  );
}

function RemovePreset({ preset, onClose }: { readonly preset: Preset; readonly onClose: () => void }): ReactNode {
  const api = useApi();
  const acting = useActing();
  const params = { path: { preset: preset.name } };
  return (
    <Confirm
      title={`Remove ${preset.name}?`}
      name={preset.name}
      action="Remove"
      onConfirm={() => acting(api.DELETE('/api/presets/{preset}', { params }))}
      onClose={onClose}
    >
      <p>
        {preset.name === 'default'
          ? 'It goes back to what comes with the server.'
          : 'Chats that name it are answered by default from then on.'}
      </p>
    </Confirm>
  );
}
