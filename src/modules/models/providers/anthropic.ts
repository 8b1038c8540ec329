import { type Fields, isObject } from '../../../common/text';
import type { FinishReason, ModelImage, ReasoningEffort, ResponseFormat } from '../contract';
import { ChannelFault, type ChatRequest, type Endpoint, type Finished, type RawPart } from './chat-model';
import { dialogueOf } from './dialogue';
import {
  type AnswerReader,
  defined,
  documentOf,
  isCount,
  NO_PARTS,
  StreamedModel,
  type StreamEvent,
  urlBelow,
  type WireRequest,
} from './streamed-model';
import { faultOf, toldErrorIn } from './told-errors';

/** The only version of the Messages API; a request without one is refused. */
const VERSION = '2023-06-01';

/** Anthropic's Messages API, and what others have in common with it. */
export class Anthropic extends StreamedModel {
  readonly provider = 'anthropic';
  readonly defaultBaseUrl = 'https://api.anthropic.com/v1';
  readonly defaultModel = 'claude-haiku-4-5';
  readonly defaultAuthHeader = 'x-api-key';
  readonly variants = [];

  protected asked({ baseUrl }: Endpoint, request: ChatRequest): WireRequest {
    const { model, messages, wire } = request;
    const { system, turns } = dialogueOf(messages, wire.systemRole === 'user');
    const traits = traitsOf(model);
    const maxTokens = request.maxTokens ?? traits.maxTokens;
    const thought = thinkingOf(request.reasoningEffort, traits, maxTokens);
    const body = {
      ...wire.extra,
      model,
      max_tokens: maxTokens,
      messages: turns.map(({ role, text, images }) => ({ role, content: contentOf(text, images) })),
      ...defined({
        system,
        ...samplingOf(request, traits, thought.isThinking),
        stop_sequences: request.stop,
        thinking: thought.thinking,
        output_config: outputOf(request.responseFormat, thought.effort),
      }),
      stream: true,
    };
    return { url: urlBelow(baseUrl, '/messages'), headers: { 'anthropic-version': VERSION }, body };
  }

  protected reader(secrets: readonly string[]): AnswerReader {
    return new MessageReader(secrets);
  }
}

/** Images go before the text that names them, as it asks for. */
function contentOf(text: string, images: readonly ModelImage[]): unknown {
  if (images.length === 0) return text;
  const shown = images.map(({ mediaType: media_type, base64: data }) => ({
    type: 'image',
    source: { type: 'base64', media_type, data },
  }));
  return [...shown, { type: 'text', text }];
}

/** What a family of models takes. */
interface Traits {
  /**
   * Sent where nobody says how long an answer may be, since the protocol demands a figure: what every model of the family
   * may say, and 32,000 at most. More would be taken from what it can read: prompt and limit together must fit into that.
   */
  readonly maxTokens: number;
  /** Whether it takes `temperature` and `top_p`. */
  readonly isSampled: boolean;
  /**
   * How it is asked to think: not at all; by a budget; by an effort, if at all; by an effort, and always; see thinkingOf.
   */
  readonly thinking: 'never' | 'budget' | 'effort' | 'always';
  /** Its name for the most effort. */
  readonly most: 'max' | 'xhigh';
}

/**
 * By the model's name, the first that fits; as @ai-sdk/anthropic 3.0.140 has it (`getModelCapabilities`). What is not
 * Anthropic's takes what is oldest.
 */
const TRAITS: readonly (readonly [name: RegExp, traits: Traits])[] = [
  [/claude-(fable-5|(sonnet|opus)-5-5)/, { maxTokens: 32_000, isSampled: false, thinking: 'always', most: 'xhigh' }],
  [/claude-(opus|sonnet)-4-6/, { maxTokens: 32_000, isSampled: true, thinking: 'effort', most: 'max' }],
  [/claude-opus-4-[78]/, { maxTokens: 32_000, isSampled: false, thinking: 'effort', most: 'xhigh' }],
  [/claude-(sonnet|opus|haiku)-4/, { maxTokens: 32_000, isSampled: true, thinking: 'budget', most: 'max' }],
  [/claude-(instant|v?2|3)/, { maxTokens: 4096, isSampled: true, thinking: 'never', most: 'max' }],
  [/claude-/, { maxTokens: 32_000, isSampled: false, thinking: 'effort', most: 'xhigh' }],
  [/^/, { maxTokens: 4096, isSampled: true, thinking: 'budget', most: 'max' }],
];

function traitsOf(model: string): Traits {
  const name = model.toLowerCase();
  const found = TRAITS.find(([pattern]) => pattern.test(name));
  if (found === undefined) throw new Error('the last of TRAITS fits every name');
  return found[1];
}

/**
 * Its temperatures end at 1. Beside a temperature it takes no `top_p`, and beside thinking none of both: a preset that is
 * meant for several providers must not fail on one of them for that.
 */
function samplingOf({ temperature, topP }: ChatRequest, { isSampled }: Traits, isThinking: boolean): Fields {
  if (!isSampled || isThinking) return {};
  if (temperature === undefined) return { top_p: topP };
  return { temperature: Math.min(1, temperature) };
}

/** Which part of an answer's tokens may go into thinking; as OpenRouter has it. */
const SHARES: Readonly<Record<Exclude<ReasoningEffort, 'none'>, number>> = {
  minimal: 0.1,
  low: 0.2,
  medium: 0.5,
  high: 0.8,
  xhigh: 0.95,
};
const LEAST_BUDGET = 1024;

interface Thinking {
  readonly isThinking: boolean;
  readonly thinking?: Fields | undefined;
  readonly effort?: string | undefined;
}

/**
 * How much it is to think. A budget is a part of the answer's tokens, as everywhere, and at least 1,024: where there is no
 * room for that, it does not think.
 */
function thinkingOf(wanted: ReasoningEffort | undefined, { thinking, most }: Traits, maxTokens: number): Thinking {
  if (wanted === undefined) return { isThinking: false };
  switch (thinking) {
    case 'never':
      return { isThinking: false };
    case 'budget': {
      if (wanted === 'none' || maxTokens <= LEAST_BUDGET) return { isThinking: false };
      const budget = Math.max(LEAST_BUDGET, Math.floor(maxTokens * SHARES[wanted]));
      return { isThinking: true, thinking: { type: 'enabled', budget_tokens: Math.min(budget, maxTokens - 1) } };
    }
    case 'effort':
      if (wanted === 'none') return { isThinking: false, thinking: { type: 'disabled' } };
      return { isThinking: true, thinking: { type: 'adaptive' }, effort: effortOf(wanted, most) };
    case 'always':
      return { isThinking: true, effort: effortOf(wanted, most) };
  }
}

function effortOf(wanted: ReasoningEffort, most: Traits['most']): string {
  if (wanted === 'none' || wanted === 'minimal') return 'low';
  return wanted === 'xhigh' ? most : wanted;
}

function outputOf(format: ResponseFormat | undefined, effort: string | undefined): Fields | undefined {
  if (format?.type === 'json_object')
    throw new ChannelFault('knows no response_format json_object, only json_schema', { reason: 'request' });
  const schema = format?.type === 'json_schema' ? format.json_schema.schema : undefined;
  if (schema === undefined && effort === undefined) return undefined;
  return defined({
    effort,
    format: schema === undefined ? undefined : { type: 'json_schema', schema: closed(schema) },
  });
}

/** Where a schema has values, and no schemas. */
const OF_VALUES: ReadonlySet<string> = new Set(['enum', 'const', 'default', 'examples', 'required']);

/** It takes only objects that say that they have no other properties. What says that it has some is left to its refusal. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!isObject(schema)) return schema;
  const inner = Object.entries(schema).map(([name, value]) => [name, OF_VALUES.has(name) ? value : closed(value)]);
  const { type } = schema;
  const isOpen = type === 'object' || (Array.isArray(type) && type.includes('object'));
  return { ...(isOpen ? { additionalProperties: false } : {}), ...(Object.fromEntries(inner) as Fields) };
}

/** What it refuses is refused by a classifier, and mostly without a word; a turn that it pauses was long enough for it. */
const STOP_REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  pause_turn: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

/** Events that belong to an answer; there may be more of them one day, to be ignored. */
const EVENTS: ReadonlySet<unknown> = new Set([
  ...['message', 'message_start', 'message_delta', 'message_stop', 'ping'],
  ...['content_block_start', 'content_block_delta', 'content_block_stop'],
]);

function isEvent({ type }: Fields): boolean {
  return EVENTS.has(type);
}

/** Reads the events of one message, or the message as one document. */
class MessageReader implements AnswerReader {
  hasFinished = false;
  isOver = false;
  private finishReason: FinishReason = 'other';
  private input: number | undefined;
  private cacheRead: number | undefined;
  private cacheWritten: number | undefined;
  private output: number | undefined;

  /** @param secrets see faultOf */
  constructor(private readonly secrets: readonly string[]) {}

  read({ event, data }: StreamEvent): readonly RawPart[] {
    if (data === '[DONE]') return this.over();
    if (event === 'error') throw faultOf('sent an error in its answer', toldErrorIn(data), this.secrets);
    const document = documentOf(data, this.secrets, isEvent);
    switch (document['type']) {
      case 'content_block_delta':
        return partsOf(document['delta']);
      case 'content_block_start':
        return partsOf(document['content_block']);
      case 'message_start':
        return this.started(document['message']);
      case 'message_delta':
        return this.changed(document);
      case 'message_stop':
        return this.over();
      case 'message':
        return this.whole(document);
      default:
        return NO_PARTS;
    }
  }

  /** Its `input_tokens` are those that no cache had to do with. */
  get finished(): Finished {
    const { finishReason, input, cacheRead, cacheWritten } = this;
    const prompt = [input, cacheRead, cacheWritten].filter((count) => count !== undefined);
    return {
      type: 'finished',
      finishReason,
      promptTokens: prompt.length === 0 ? undefined : prompt.reduce((sum, count) => sum + count, 0),
      cachedPromptTokens: cacheRead,
      completionTokens: this.output,
    };
  }

  private started(message: unknown): readonly RawPart[] {
    // What it says of the output is a beginning, and no count.
    if (isObject(message)) this.notePrompt(message['usage']);
    return NO_PARTS;
  }

  private changed({ delta, usage }: Fields): readonly RawPart[] {
    this.notePrompt(usage);
    this.noteOutput(usage);
    if (isObject(delta)) this.noteStop(delta['stop_reason']);
    return NO_PARTS;
  }

  private over(): readonly RawPart[] {
    this.hasFinished = this.isOver = true;
    return NO_PARTS;
  }

  private whole(message: Fields): readonly RawPart[] {
    this.changed({ delta: message, usage: message['usage'] });
    const { content } = message;
    return Array.isArray(content) ? content.flatMap(partsOf) : NO_PARTS;
  }

  private noteStop(reason: unknown): void {
    if (typeof reason !== 'string' || reason === '') return;
    this.hasFinished = true;
    this.finishReason = STOP_REASONS[reason] ?? 'other';
  }

  private notePrompt(usage: unknown): void {
    if (!isObject(usage)) return;
    this.input = later(this.input, usage['input_tokens']);
    this.cacheRead = later(this.cacheRead, usage['cache_read_input_tokens']);
    this.cacheWritten = later(this.cacheWritten, usage['cache_creation_input_tokens']);
  }

  private noteOutput(usage: unknown): void {
    if (isObject(usage)) this.output = later(this.output, usage['output_tokens']);
  }
}

/** The counts are sums, so that a later one holds; but a 0 of who counts at the other end only takes none back. */
function later(before: number | undefined, count: unknown): number | undefined {
  return isCount(count) && (count > 0 || before === undefined) ? count : before;
}

/** Of a block of content, or of what is added to one. */
function partsOf(block: unknown): readonly RawPart[] {
  if (!isObject(block)) return NO_PARTS;
  const { text, thinking } = block;
  switch (block['type']) {
    case 'text':
    case 'text_delta':
      return typeof text === 'string' && text !== '' ? [{ type: 'text', text }] : NO_PARTS;
    case 'thinking':
    case 'thinking_delta':
      return typeof thinking === 'string' && thinking !== '' ? [{ type: 'reasoning', text: thinking }] : NO_PARTS;
    default:
      return NO_PARTS;
  }
}
