import { type ReactNode, useState } from 'react';
import { useApi } from '../../../api/client';
import { Check, FormDialog, TextArea, TextField } from '../../../ui';
import { numberOf, type Preset, type PresetChange, textOf, useActing } from './data';

const PLAIN = { autoComplete: 'off', spellCheck: false } as const;
const KEEP = 'Keep with an answer what the model thought';
const FIGURE = { type: 'number', step: 'any', autoComplete: 'off' } as const;

/** Only what is not as it was: what another admin has changed meanwhile stays. */
function changed(now: Preset, body: PresetChange): PresetChange {
  const before: Readonly<Record<string, unknown>> = { ...now };
  return Object.fromEntries(Object.entries(body).filter(([name, value]) => value !== before[name]));
}

interface PresetFormProps {
  /** The one that is changed; undefined: a new one is added. */
  readonly now: Preset | undefined;
  readonly onSaid: (said: string) => void;
  readonly onClose: () => void;
}

/** Its name, what the model is told first, and with which values it is asked. */
export function PresetForm({ now, onSaid, onClose }: PresetFormProps): ReactNode {
  const api = useApi();
  const acting = useActing();
  const [name, setName] = useState(now?.name ?? '');
  const [systemPrompt, setSystemPrompt] = useState(now?.systemPrompt ?? '');
  const [model, setModel] = useState(now?.model ?? '');
  const [temperature, setTemperature] = useState(textOf(now?.temperature));
  const [maxTokens, setMaxTokens] = useState(textOf(now?.maxTokens));
  const [keepReasoning, setKeepReasoning] = useState(now?.keepReasoning ?? false);
  const save = async (): Promise<void> => {
    const figures = { temperature: numberOf(temperature) ?? null, maxTokens: numberOf(maxTokens) ?? null };
    const body = { systemPrompt, model: model.trim() || null, ...figures, keepReasoning };
    await acting(
      now === undefined
        ? api.POST('/api/presets', { body: { name: name.trim(), ...body } })
        : api.PATCH('/api/presets/{preset}', { params: { path: { preset: now.name } }, body: changed(now, body) }),
    );
    onSaid(`${name.trim()} is saved, for answers that begin from now on.`);
    onClose();
  };
  return (
    <FormDialog
      {...{
        title: now === undefined ? 'Add a preset' : `Change ${now.name}`,
        action: now === undefined ? 'Add' : 'Save',
        onSubmit: save,
        onClose,
      }}
      isReady={name.trim() !== '' && systemPrompt.trim() !== ''}
    >
      {now === undefined && (
        <TextField label="Name" value={name} onValue={setName} autoFocus {...PLAIN} hint="Chats and calls name it." />
      )}
      <TextArea
        label="What the model is told first"
        value={systemPrompt}
        onValue={setSystemPrompt}
        rows={6}
        autoFocus={now !== undefined}
      />
      <TextField label="Model" value={model} onValue={setModel} {...PLAIN} hint="Empty: that of the channel." />
      <div className="pairs">
        <TextField label="Temperature" value={temperature} onValue={setTemperature} {...FIGURE} />
        <TextField label="Most tokens" value={maxTokens} onValue={setMaxTokens} {...FIGURE} />
      </div>
      <Check label={KEEP} isChecked={keepReasoning} onChecked={setKeepReasoning} />
    </FormDialog>
  );
}
