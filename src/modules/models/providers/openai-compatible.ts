import { type Fields, isObject } from '../../../common/text';
import type { FinishReason, ModelImage, ModelMessage } from '../contract';
import {
  ChannelFault,
  type ChatRequest,
  type Endpoint,
  type Finished,
  type RawPart,
  WIRE_VARIANTS,
} from './chat-model';
import {
  type AnswerReader,
  defined,
  documentOf,
  firstOf,
  isCount,
  NO_PARTS,
  StreamedModel,
  type StreamEvent,
  urlBelow,
  type WireRequest,
} from './streamed-model';
import { faultOf, toldError, toldErrorIn } from './told-errors';

/** What OpenAI's chat completions are, and what Ollama, vLLM, Groq, OpenRouter, DeepSeek, Mistral … have in common with it. */
export class OpenAiCompatible extends StreamedModel {
  readonly provider = 'openai-compatible';
  readonly defaultBaseUrl = 'https://api.openai.com/v1';
  readonly defaultModel = 'gpt-4o-mini';
  readonly defaultAuthHeader = 'authorization';
  readonly variants = WIRE_VARIANTS;

  protected asked({ baseUrl }: Endpoint, request: ChatRequest): WireRequest {
    const { model, messages, wire } = request;
    const body = {
      ...wire.extra,
      model,
      messages: messages.map((message) => spoken(message, wire.systemRole)),
      ...defined({
        temperature: request.temperature,
        top_p: request.topP,
        [wire.maxTokensField]: request.maxTokens,
        stop: request.stop,
        reasoning_effort: request.reasoningEffort,
        response_format: request.responseFormat,
        seed: request.seed,
        // Else it is counted here: see usageOf in answer.ts.
        stream_options: wire.streamOptions ? { include_usage: true } : undefined,
      }),
      stream: true,
    };
    return { url: urlBelow(baseUrl, '/chat/completions'), headers: {}, body };
  }

  protected reader(secrets: readonly string[]): AnswerReader {
    return new ChunkReader(secrets);
  }
}

function spoken({ role, content, images = [] }: ModelMessage, systemRole: ChatRequest['wire']['systemRole']): object {
  if (images.length > 0) return { role, content: [...images.map(part), { type: 'text', text: content }] };
  return { role: role === 'system' ? systemRole : role, content };
}

function part({ mediaType, base64 }: ModelImage): object {
  return { type: 'image_url', image_url: { url: `data:${mediaType};base64,${base64}` } };
}

function isChunk({ choices }: Fields): boolean {
  return Array.isArray(choices);
}

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  eos: 'stop',
  eos_token: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop',
  complete: 'stop',
  length: 'length',
  max_tokens: 'length',
  model_length: 'length',
  content_filter: 'content_filter',
  safety: 'content_filter',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  refusal: 'refusal',
};

/** Said in place of a reason by providers that fell over, and by those that say nothing with each chunk. */
const FAILED: ReadonlySet<string> = new Set(['error', 'insufficient_system_resource', 'abort']);
const UNSAID: ReadonlySet<string> = new Set(['', 'null', 'none']);
/** Names under which providers let the model think aloud. */
const REASONING = ['reasoning_content', 'reasoning', 'thinking'] as const;

/**
 * Reads the chunks of one answer in OpenAI's protocol, as its many speakers write them; all of it is looked at before it
 * is believed.
 */
class ChunkReader implements AnswerReader {
  hasFinished = false;
  isOver = false;
  private finishReason: FinishReason = 'other';
  private promptTokens: number | undefined;
  private cachedPromptTokens: number | undefined;
  private completionTokens: number | undefined;
  private hasDeltas = false;
  private hasRefused = false;

  /** @param secrets see faultOf */
  constructor(private readonly secrets: readonly string[]) {}

  read({ event, data }: StreamEvent): readonly RawPart[] {
    if (data === '[DONE]') {
      this.hasFinished = this.isOver = true;
      return NO_PARTS;
    }
    if (event === 'error') throw faultOf('sent an error in its answer', toldErrorIn(data), this.secrets);
    const chunk = documentOf(data, this.secrets, isChunk);
    if (chunk['usage'] !== undefined) this.noteUsage(chunk['usage']);
    const choice = firstOf(chunk['choices']);
    return choice === undefined ? NO_PARTS : this.readChoice(choice, data);
  }

  get finished(): Finished {
    const { promptTokens, cachedPromptTokens, completionTokens } = this;
    const isDecent = this.finishReason === 'stop' || this.finishReason === 'other';
    const finishReason = this.hasRefused && isDecent ? 'refusal' : this.finishReason;
    return { type: 'finished', finishReason, promptTokens, cachedPromptTokens, completionTokens };
  }

  private readChoice(choice: Fields, data: string): readonly RawPart[] {
    if (isObject(choice['error'])) {
      const told = toldError(choice, data, isChunk) ?? toldErrorIn(data);
      throw faultOf('sent an error in its answer', told, this.secrets);
    }
    const parts = this.readDelta(choice);
    this.noteFinish(choice['finish_reason']);
    return parts;
  }

  private readDelta({ delta, message }: Fields): readonly RawPart[] {
    if (isObject(delta)) this.hasDeltas = true;
    // A provider that sends deltas may repeat all of it as a message in the end.
    const said = isObject(delta) ? delta : !this.hasDeltas && isObject(message) ? message : undefined;
    if (said === undefined) return NO_PARTS;
    const refusal = said['refusal'];
    if (typeof refusal === 'string' && refusal !== '') this.hasRefused = true;
    const text = textOf(said['content']) + (typeof refusal === 'string' ? refusal : '');
    const thought = reasoningIn(said);
    if (thought === '') return text === '' ? NO_PARTS : [{ type: 'text', text }];
    const reasoning = { type: 'reasoning', text: thought } as const;
    return text === '' ? [reasoning] : [reasoning, { type: 'text', text }];
  }

  private noteFinish(reason: unknown): void {
    if (typeof reason !== 'string') return;
    const word = reason.trim().toLowerCase();
    if (UNSAID.has(word)) return;
    if (FAILED.has(word)) throw new ChannelFault('ended its answer with an error');
    this.hasFinished = true;
    this.finishReason = FINISH_REASONS[word] ?? 'other';
  }

  private noteUsage(usage: unknown): void {
    if (!isObject(usage)) return;
    const { prompt_tokens: prompt, completion_tokens: completion, prompt_tokens_details: details } = usage;
    // DeepSeek has a name of its own for it.
    const cached = (isObject(details) ? details['cached_tokens'] : undefined) ?? usage['prompt_cache_hit_tokens'];
    if (isCount(prompt)) this.promptTokens = prompt;
    if (isCount(cached)) this.cachedPromptTokens = cached;
    if (isCount(completion)) this.completionTokens = completion;
  }
}

/** Text, or parts of text. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: unknown) => (typeof part === 'string' ? part : partText(part))).join('');
}

function partText(part: unknown): string {
  if (!isObject(part) || part['type'] === 'thinking' || part['type'] === 'reasoning') return '';
  const text = part['text'] ?? part['refusal'];
  return typeof text === 'string' ? text : '';
}

function reasoningIn(said: Fields): string {
  for (const name of REASONING) {
    const text = said[name];
    if (typeof text === 'string' && text !== '') return text;
  }
  const { content } = said;
  if (!Array.isArray(content)) return '';
  return content.map(thoughtIn).join('');
}

/** Some put their thoughts into parts again. */
function thoughtIn(part: unknown): string {
  const thought = isObject(part) ? part['thinking'] : undefined;
  return thought === undefined || thought === null ? '' : typeof thought === 'string' ? thought : textOf(thought);
}
