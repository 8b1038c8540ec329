export interface ModelMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ModelUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
  /** True where the provider reported nothing and the tokens were counted here (see `estimateTokens`). */
  readonly estimated: boolean;
}

/** Why a model stopped: done, `maxTokens` reached, filtered, it wanted a tool, anything else. */
export type FinishReason = 'stop' | 'length' | 'content_filter' | 'tool_calls' | 'other';

/**
 * A piece of an answer. `start` comes once, right before the first delta (or the end, of an empty answer): from then on
 * no other channel is tried. `end` comes once, last. Concatenating the deltas gives the answer; their text has no
 * U+0000 and no lone surrogate, so it can be stored.
 */
export type ModelPart =
  | {
      readonly type: 'start';
      /** Name of the channel that answers; `environment` for the one of the environment, `echo` for the echo. */
      readonly channel: string;
      /** The model that it was asked for. */
      readonly model: string;
    }
  | { readonly type: 'delta'; readonly text: string }
  | { readonly type: 'end'; readonly usage: ModelUsage; readonly finishReason: FinishReason };

export interface ModelRequest {
  readonly tenantId: string;
  /** In order of time; the system prompt, if any, first. */
  readonly messages: readonly ModelMessage[];
  /** Unset: the channel's own. */
  readonly model?: string;
  /** 0–2. Unset: the channel's own, else the provider's. */
  readonly temperature?: number;
  /** Most tokens of the answer. Unset: the channel's own, else the provider's. */
  readonly maxTokens?: number;
  /** Ends the answer, and the connection to the provider, at once. */
  readonly signal: AbortSignal;
}

/** Ways to a model: picks a channel of the tenant or of the environment, and falls back to the next. */
export abstract class Models {
  /** Throws CHANNEL_UNAVAILABLE (503, with Retry-After) when no channel can answer now. One cheap (cached) look. */
  abstract available(tenantId: string): Promise<void>;

  /**
   * Streams an answer. Throws MODEL_ERROR (502) when all channels that were tried failed, CHANNEL_UNAVAILABLE (503)
   * when none may be tried; after the first delta an error means that the answer is cut. When the signal is aborted it
   * throws the signal's reason, and the provider sees its connection close. Leaving the loop closes it too.
   */
  abstract stream(request: ModelRequest): AsyncIterable<ModelPart>;
}

/** How an assistant is asked to behave. */
export interface Preset {
  readonly name: string;
  /** At most 32 KB; empty for none. */
  readonly systemPrompt: string;
  /** Null in this and the next two: the channel's own. */
  readonly model: string | null;
  /** 0–2. */
  readonly temperature: number | null;
  readonly maxTokens: number | null;
  /** How many of the latest messages the model sees, 0–200 (default 20); 0 sends only the one that it answers. */
  readonly contextMessages: number;
}

/** The presets of the tenants. */
export abstract class Presets {
  /** Undefined: the tenant has no such preset. `default` always exists. */
  abstract find(tenantId: string, name: string): Promise<Preset | undefined>;
  /** Those of these names that the tenant has. */
  abstract known(tenantId: string, names: readonly string[]): Promise<ReadonlySet<string>>;
}
