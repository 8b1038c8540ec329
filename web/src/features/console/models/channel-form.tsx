import { type ReactNode, useState } from 'react';
import { useApi } from '../../../api/client';
import { Check, Choice, FormDialog, TextField } from '../../../ui';
import { type Channel, type NewChannel, numberOf, textOf, useActing } from './data';

type Provider = NewChannel['provider'];

const PROVIDERS: readonly (readonly [Provider, string])[] = [
  ['openai-compatible', 'OpenAI, or what speaks its protocol'],
  ['anthropic', 'Anthropic (Messages API)'],
  ['google', 'Google (Gemini API)'],
  ['echo', 'Echo: it says again what was said'],
];

const ADDRESSES: Readonly<Partial<Record<Provider, string>>> = {
  'openai-compatible': 'Empty is OpenAI. For Groq, vLLM or Ollama their base URL, which ends with /v1.',
  anthropic: 'Empty is Anthropic. A base URL of others ends with /v1.',
  google: 'Empty is Google AI Studio. A base URL of others ends with /v1beta.',
};

/** A later server may know more of them. */
function providerOf(channel: Channel | undefined): Provider {
  return PROVIDERS.find(([provider]) => provider === channel?.provider)?.[0] ?? 'openai-compatible';
}

interface ChannelFormProps {
  /** The one that is changed; undefined: a new one is added. */
  readonly now: Channel | undefined;
  readonly onSaid: (said: string) => void;
  readonly onClose: () => void;
}

interface Draft {
  readonly name: string;
  readonly provider: Provider;
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
  readonly priority: string;
  readonly weight: string;
  readonly temperature: string;
  readonly maxTokens: string;
  readonly vision: boolean;
  readonly enabled: boolean;
}

function draftOf(now: Channel | undefined): Draft {
  return {
    name: now?.name ?? '',
    provider: providerOf(now),
    baseUrl: now?.baseUrl ?? '',
    apiKey: '',
    model: now?.model ?? '',
    priority: textOf(now?.priority),
    weight: textOf(now?.weight),
    temperature: textOf(now?.temperature),
    maxTokens: textOf(now?.maxTokens),
    vision: now?.vision ?? false,
    enabled: now?.enabled ?? true,
  };
}

/** What of the draft is sent: nothing of what was left as it is. */
function sentOf(draft: Draft, before: Draft): Omit<NewChannel, 'name' | 'provider'> {
  const isOther = (name: keyof Draft): boolean => draft[name] !== before[name];
  const priority = numberOf(draft.priority);
  const weight = numberOf(draft.weight);
  const temperature = numberOf(draft.temperature);
  const maxTokens = numberOf(draft.maxTokens);
  return {
    ...(isOther('baseUrl') && { baseUrl: draft.baseUrl.trim() }),
    ...(isOther('model') && { model: draft.model.trim() }),
    ...(draft.apiKey !== '' && { apiKey: draft.apiKey }),
    ...(isOther('priority') && typeof priority === 'number' && { priority }),
    ...(isOther('weight') && typeof weight === 'number' && { weight }),
    ...(isOther('temperature') && temperature !== undefined && { temperature }),
    ...(isOther('maxTokens') && maxTokens !== undefined && { maxTokens }),
    ...(isOther('vision') && { vision: draft.vision }),
    ...(isOther('enabled') && { enabled: draft.enabled }),
  };
}

/** Where a model is asked, with which key, and how early it is tried. */
export function ChannelForm({ now, onSaid, onClose }: ChannelFormProps): ReactNode {
  const api = useApi();
  const acting = useActing();
  const [before] = useState(() => draftOf(now));
  const [draft, setDraft] = useState(before);
  const set = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const save = async (): Promise<void> => {
    const { name, provider } = { name: draft.name.trim(), provider: draft.provider };
    const sent = sentOf(draft, before);
    if (now === undefined) await acting(api.POST('/api/channels', { body: { name, provider, ...sent } }));
    else {
      const params = { path: { channelId: now.id } };
      const body = {
        ...sent,
        ...(name !== before.name && { name }),
        ...(provider !== before.provider && { provider }),
      };
      await acting(api.PATCH('/api/channels/{channelId}', { params, body }));
    }
    onSaid(`${name} is saved. Answers that begin from now on may be asked of it.`);
    onClose();
  };
  return (
    <FormDialog
      {...{
        title: now === undefined ? 'Add a channel' : `Change ${now.name}`,
        action: now === undefined ? 'Add' : 'Save',
        onSubmit: save,
        onClose,
      }}
      isReady={draft.name.trim() !== ''}
    >
      <Where {...{ draft, set, now }} />
      <How {...{ draft, set }} />
      <Check
        label="Its models are shown the images of users"
        isChecked={draft.vision}
        onChecked={(vision) => set({ vision })}
      />
      <Check label="Enabled" isChecked={draft.enabled} onChecked={(enabled) => set({ enabled })} />
    </FormDialog>
  );
}

interface PartProps {
  readonly draft: Draft;
  readonly set: (part: Partial<Draft>) => void;
}

function Where({ draft, set, now }: PartProps & { readonly now: Channel | undefined }): ReactNode {
  const plain = { autoComplete: 'off', spellCheck: false } as const;
  return (
    <>
      <TextField label="Name" value={draft.name} onValue={(name) => set({ name })} autoFocus {...plain} />
      <Choice label="Provider" value={draft.provider} options={PROVIDERS} onValue={(provider) => set({ provider })} />
      {draft.provider !== 'echo' && (
        <>
          <TextField
            label="Address"
            value={draft.baseUrl}
            onValue={(baseUrl) => set({ baseUrl })}
            inputMode="url"
            {...plain}
            hint={ADDRESSES[draft.provider]}
          />
          <TextField
            label="Key of the provider"
            type="password"
            value={draft.apiKey}
            onValue={(apiKey) => set({ apiKey })}
            {...plain}
            autoComplete="new-password"
            hint={
              now?.hasApiKey === true
                ? 'There is one. It stays unless you type another.'
                : 'It is kept encrypted, and never shown again.'
            }
          />
          <TextField label="Model" value={draft.model} onValue={(model) => set({ model })} {...plain} />
        </>
      )}
    </>
  );
}

function How({ draft, set }: PartProps): ReactNode {
  const figure = { type: 'number', step: 'any', autoComplete: 'off' } as const;
  return (
    <div className="pairs">
      <TextField label="Priority" value={draft.priority} onValue={(priority) => set({ priority })} {...figure} />
      <TextField label="Weight" value={draft.weight} onValue={(weight) => set({ weight })} {...figure} />
      <TextField
        label="Temperature"
        value={draft.temperature}
        onValue={(temperature) => set({ temperature })}
        {...figure}
      />
      <TextField label="Most tokens" value={draft.maxTokens} onValue={(maxTokens) => set({ maxTokens })} {...figure} />
    </div>
  );
}
