interface Signal {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** A door in an answer that the test opens by hand: nothing has to sleep. */
export class AnswerGate {
  private readonly wasReached = signal();
  private readonly wasOpened = signal();

  /** The provider has come here, and waits. */
  get reached(): Promise<void> {
    return this.wasReached.promise;
  }

  /** Lets the provider, and all that come later, pass. */
  open(): void {
    this.wasOpened.resolve();
  }

  /** For the provider. */
  pass(): Promise<void> {
    this.wasReached.resolve();
    return this.wasOpened.promise;
  }
}

/** One step of a streamed answer. */
export type AnswerStep =
  /** A token. */
  | string
  /** A token whose UTF-8 bytes come one by one. */
  | { readonly bytewise: string }
  /** Waits until the test opens the gate; a gate that is never opened hangs. */
  | { readonly hold: AnswerGate }
  | { readonly reasoning: string }
  | { readonly toolCall: string }
  /** Bytes between two events, as they are; `slowly`: one by one. */
  | { readonly raw: string; readonly slowly?: true }
  /** The provider's own error event; the answer ends with it. */
  | { readonly error: string }
  /** The connection is destroyed. */
  | { readonly cut: true };

/** What a fake provider does with one request. Everything has a default; `{}` is a good answer. */
export interface ProviderScript {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Answered instead of a stream; as JSON unless `headers` say otherwise. */
  readonly body?: string;
  /** The same: what a refusal says, in the provider's own shape. */
  readonly told?: string;
  /** Waits before the status line. */
  readonly holdHeaders?: AnswerGate;
  /** Nothing is written but the steps: no first and no last events of the protocol. */
  readonly bare?: true;
  /** Default: Hello from the fake model. */
  readonly steps?: readonly AnswerStep[];
  /** Reported; `cached` is a part of the prompt; null: nothing is reported. Default: prompt 11, completion the number of tokens. */
  readonly usage?: { readonly prompt: number; readonly cached?: number; readonly completion: number } | null;
  /** Default stop; null: the stream ends without a word. */
  readonly finish?: 'stop' | 'length' | 'content_filter' | 'tool_calls' | null;
}

export const DEFAULT_STEPS: readonly string[] = ['Hello', ' from', ' the', ' fake', ' model', '.'];

/** Events with these data, and nothing else; a text stands as it is. */
export function bare(...events: readonly (object | string)[]): ProviderScript {
  const raw = events.map((data) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`).join('');
  return { bare: true, steps: [{ raw }] };
}

/** Scripts of what goes wrong, by what it is called. */
export const faults = {
  status: (status: number, headers: Readonly<Record<string, string>> = {}): ProviderScript => ({
    status,
    headers,
    told: `fault ${status}`,
  }),
  html: (status = 200): ProviderScript => ({
    status,
    headers: { 'content-type': 'text/html' },
    body: '<!doctype html><title>Bad gateway</title>',
  }),
  /** An event in the middle that is no JSON. */
  garbage: (...before: string[]): ProviderScript => ({ steps: [...before, { raw: 'data: {not json\n\n' }, ' after'] }),
  errorEvent: (...before: string[]): ProviderScript => ({ steps: [...before, { error: 'the model fell over' }] }),
  cut: (...before: string[]): ProviderScript => ({ steps: [...before, { cut: true }] }),
  /** The stream ends properly, but says neither why nor that it is done. */
  endless: (...before: string[]): ProviderScript => ({ steps: before, finish: null, usage: null }),
  /** No status line, until the gate opens. */
  silentBeforeHeaders: (gate = new AnswerGate()): ProviderScript => ({ holdHeaders: gate }),
  /** Headers, some tokens, and then nothing until the gate opens. */
  silentAfter: (gate: AnswerGate, ...before: string[]): ProviderScript => ({
    steps: [...before, { hold: gate }, ' late'],
  }),
};

function signal(): Signal {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
