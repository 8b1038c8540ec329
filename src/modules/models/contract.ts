import { invalid } from '../../common/errors';
import { isObject } from '../../common/text';

export interface ModelMessage {
  readonly role: 'system' | 'user' | 'assistant';
  /** Names its images in their places, see `imagePlace`. */
  readonly content: string;
  /** Of a user's. */
  readonly images?: readonly ModelImage[] | undefined;
}

/** An image that a model is shown. */
export interface ModelImage {
  readonly mediaType: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';
  readonly base64: string;
  /** By our own count. */
  readonly tokens: number;
}

export interface ModelUsage {
  readonly promptTokens: number;
  /** Of these, the ones that the provider had in its cache and charges less for; unset: it says nothing of a cache. */
  readonly cachedPromptTokens?: number | undefined;
  readonly completionTokens: number;
  readonly totalTokens: number;
  /** True where the provider reported nothing and the tokens were counted here (see `estimateTokens`). */
  readonly estimated: boolean;
  /** By the prices of the channel, in their unit; unset: it has none. */
  readonly cost?: number | undefined;
}

/** What a provider asks for a million tokens, in whichever unit the budgets of money are. */
export interface ModelPrices {
  readonly input: number;
  readonly output: number;
  /** Of a prompt that it has in its cache; unset: as `input`. */
  readonly cached?: number;
}

/**
 * Why a model stopped: done, `maxTokens` or the server's bound of an answer reached, filtered, it wanted a tool, it
 * declined (the answer's text says so), its `bound` was used up, anything else.
 */
export type FinishReason = 'stop' | 'length' | 'content_filter' | 'tool_calls' | 'refusal' | 'budget' | 'other';

/**
 * How many tokens an answer may have, by our own count, what the model thinks included. Where they are used up it asks for
 * more; where there are none it ends there, with `budget`: with what it has, or without a word.
 */
export interface AnswerBound {
  readonly tokens: number;
  /** Whether there are more now. The provider is not read meanwhile. */
  more(): Promise<boolean>;
}

/** What went wrong with a model, as far as it tells what to do; see `hintOfReason`. */
export const FAULT_REASONS = [
  /** The provider does not take the channel's key, or the key may not do this. */
  'auth',
  /** The provider's account has no money, or no quota. */
  'money',
  /** The provider asks for a slower pace. */
  'pace',
  /** The channel does not know the model (or its base URL leads elsewhere). */
  'model',
  /** The prompt is longer than the model can read: half of it may do. */
  'overflow',
  /** The provider refuses what the prompt says. */
  'content',
  /** The provider does not take the request as it is. */
  'request',
  /** The provider sent nothing for too long, or took too long in all. */
  'timeout',
  /** The model used all tokens that it may use for thinking. */
  'reasoning',
  /** The answer ended without any text. */
  'empty',
  /** The provider cannot be reached, has failed, or is not understood. */
  'provider',
] as const;
export type FaultReason = (typeof FAULT_REASONS)[number];

/**
 * A piece of an answer. `start` comes once, right before the first delta (or the end, of an empty answer): from then on
 * no other channel is tried. `end` comes once, last. Concatenating the deltas gives the answer; their text, and that of
 * `reasoning`, has no U+0000 and no lone surrogate, so it can be stored.
 *
 * `reasoning` is what the model thinks aloud: no part of the answer, and never told to a model again. It may come before
 * `start`, of a channel that then does not answer: what another try thinks begins a paragraph of its own.
 */
export type ModelPart =
  | { readonly type: 'reasoning'; readonly text: string }
  | {
      readonly type: 'start';
      /** Name of the channel that answers; `environment` for the one of the environment, `echo` for the echo. */
      readonly channel: string;
      /** The model that it was asked for. */
      readonly model: string;
      /** How many images it was not shown, since its channel is for none; unset: it was shown all. */
      readonly imagesLeftOut?: number;
    }
  | { readonly type: 'delta'; readonly text: string }
  | {
      readonly type: 'end';
      /** Of the answer and of the tries before it that a model had begun. */
      readonly usage: ModelUsage;
      readonly finishReason: FinishReason;
    };

export const REASONING_EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const;
export type ReasoningEffort = (typeof REASONING_EFFORTS)[number];

/** What shape an answer has, as OpenAI's API spells it. */
export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | {
      readonly type: 'json_schema';
      readonly json_schema: {
        /** 1–64 of a-z, A-Z, 0-9, _ and -. */
        readonly name: string;
        readonly description?: string;
        readonly schema: Readonly<Record<string, unknown>>;
        readonly strict?: boolean;
      };
    };

/** How an answer is wanted, by a preset or by one request. What is unset is left to the channel, else to the provider. */
export interface AnswerOptions {
  readonly model?: string | undefined;
  /** 0–2. */
  readonly temperature?: number | undefined;
  /** 0–1. */
  readonly topP?: number | undefined;
  /** Most tokens of the answer. */
  readonly maxTokens?: number | undefined;
  /** 1–4 texts, each of 1–200 characters, before which the answer ends. */
  readonly stop?: readonly string[] | undefined;
  readonly reasoningEffort?: ReasoningEffort | undefined;
  readonly responseFormat?: ResponseFormat | undefined;
  readonly seed?: number | undefined;
}

/** What log lines about a request say, so that it can be followed; ids only. */
export interface ModelTrace {
  readonly requestId?: string | undefined;
  readonly chatId?: string | undefined;
  /** The answer's: what the provider said is kept under it, see `ModelsService.providerMessage`. */
  readonly messageId?: string | undefined;
}

export interface ModelRequest extends AnswerOptions {
  readonly tenantId: string;
  /** In order of time; the system prompt, if any, first. */
  readonly messages: readonly ModelMessage[];
  /** The model was named by the caller, and by no preset: its failures are counted together with other such names. */
  readonly isModelFree?: boolean | undefined;
  readonly trace?: ModelTrace | undefined;
  /** Unset: as long as it likes. */
  readonly bound?: AnswerBound | undefined;
  /** What was used for this answer before, of the same bound: it is part of what this one says that it has used. */
  readonly spentBefore?: ModelUsage | undefined;
  /** Channels without prices are left out: what they cost cannot be kept within a budget of money. */
  readonly pricedOnly?: boolean | undefined;
  /**
   * Called at most once, before `stream` throws or its reader has left: what an answer used that came to no `end`,
   * reasoning and `spentBefore` included. Not called where no model had begun.
   */
  readonly onSpent?: ((usage: ModelUsage) => void) | undefined;
  /** Ends the answer, and the connection to the provider, at once. */
  readonly signal: AbortSignal;
}

/** A call of a model that writes no answer of a chat, such as the test of a channel, before it begins. */
export interface ChargedCall {
  readonly tenantId: string;
  /** Whose budgets count too; null: it is the tenant's alone. */
  readonly userId: string | null;
  /** By our own count. */
  readonly contextTokens: number;
  /** Most tokens of its answer; undefined: nobody has said. */
  readonly maxTokens: number | undefined;
  /** Of the dearest channel that may answer; undefined where none is known. */
  readonly prices: ModelPrices | undefined;
  readonly signal: AbortSignal;
}

/** Keeps calls that write no answer of a chat within the budgets of their tenant. The chats module implements it. */
export abstract class CallCharges {
  /**
   * Does a call: what it may use is taken of the budgets before it begins, and what it did not use is given back with its end,
   * whatever that is.
   * @param work takes half an hour at most, and says what it has used; undefined: no model had begun
   * @throws 429 QUOTA_EXCEEDED where its context and one token more do not fit: then nothing is done
   */
  abstract charged<T extends { readonly usage: ModelUsage | undefined }>(
    call: ChargedCall,
    work: (bound: AnswerBound | undefined) => Promise<T>,
  ): Promise<T>;
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
  /** All that it wants of an answer, the three above included. */
  readonly options: AnswerOptions;
  /** Most tokens of a prompt, the system prompt included; null: as many as the model reads. */
  readonly contextTokens: number | null;
  /** How many of the latest messages the model sees, 0–200 (default 20); 0 sends only the one that it answers. */
  readonly contextMessages: number;
  /** What the model thinks is stored with its answer. */
  readonly keepReasoning: boolean;
}

const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const FIELDS: readonly string[] = ['name', 'description', 'schema', 'strict'];

/** The shape of an answer as a caller asks for it; throws 400 for what no provider would understand. */
export function checkedResponseFormat(value: Readonly<Record<string, unknown>>, field: string): ResponseFormat {
  const { type, json_schema: named, ...rest } = value;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw invalid(field, `${field} must not have "${unknown}"`);
  if (type === 'json_schema') return { type, json_schema: checkedSchema(named, field) };
  if (type !== 'text' && type !== 'json_object')
    throw invalid(field, `${field}.type must be text, json_object or json_schema`);
  if (named !== undefined) throw invalid(field, `${field}.json_schema needs the type json_schema`);
  return { type };
}

function checkedSchema(value: unknown, field: string): Extract<ResponseFormat, { type: 'json_schema' }>['json_schema'] {
  const fault = (what: string) => invalid(field, `${field}.json_schema ${what}`);
  if (!isObject(value)) throw fault('must be an object');
  const unknown = Object.keys(value).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) throw fault(`must not have "${unknown}"`);
  const { name, description, schema, strict } = value;
  if (typeof name !== 'string' || !NAME.test(name)) throw fault('must have a name of 1-64 letters, digits, _ and -');
  if (!isObject(schema)) throw fault('must have a schema, an object');
  if (description !== undefined && typeof description !== 'string') throw fault('has a description that is no text');
  if (strict !== undefined && typeof strict !== 'boolean') throw fault('has a strict that is no boolean');
  return {
    name,
    schema,
    ...(description === undefined ? {} : { description }),
    ...(strict === undefined ? {} : { strict }),
  };
}
