import { retryAfterMs } from '../../../common/time';
import { OutboundError, type StreamAnswer } from '../../../platform/outbound';
import type { FinishReason, ModelMessage } from '../contract';
import { ChannelFault, ChatModel, type ChatRequest, type Endpoint, type Finished, type RawPart } from './chat-model';
import { eventsOf, type StreamEvent } from './events';
import { faultOf, toldError, toldErrorIn } from './told-errors';

/** What a refusal says is waited for so long; the status is said already. */
const BODY_MS = 2000;
const MAX_BODY_BYTES = 64 * 1024;

/** Throws for what is no success. @param secrets see faultOf */
async function refuseOtherStatus(answer: StreamAnswer, secrets: readonly string[]): Promise<void> {
  const { status, headers } = answer;
  if (status >= 200 && status < 300) return;
  const told = { ...toldErrorIn(await beginningOf(answer.body)), status };
  throw faultOf(`answered HTTP ${status}`, told, secrets, waitOf(headers));
}

/** What answers 200 with a page is a proxy, or a wrong base URL. */
function refusePages({ headers }: StreamAnswer): void {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '';
  if (/^text\/html$/i.test(type))
    throw new ChannelFault(`answered with ${type.toLowerCase()} and not with a stream: check its base URL`);
}

/** Milliseconds until the provider wants to be asked again; undefined where it does not say. */
function waitOf(headers: StreamAnswer['headers']): number | undefined {
  const exact = Number(headers['retry-after-ms']);
  return Number.isFinite(exact) && exact > 0 ? exact : retryAfterMs(headers['retry-after']);
}

async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const iterator = body[Symbol.asyncIterator]();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), BODY_MS)));
  try {
    while (bytes < MAX_BODY_BYTES) {
      const next = await Promise.race([iterator.next(), late]);
      if (next === undefined || next.done === true) break;
      chunks.push(next.value);
      bytes += next.value.length;
    }
  } catch {
    // The status is enough.
  } finally {
    clearTimeout(timer);
    // Not waited for: it may hang as the body does.
    iterator.return?.().catch(() => undefined);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What OpenAI's chat completions are, and what Ollama, vLLM, Groq, OpenRouter, DeepSeek, Mistral … have in common with it. */
export class OpenAiCompatible extends ChatModel {
  readonly provider = 'openai-compatible';
  readonly defaultBaseUrl = 'https://api.openai.com/v1';
  readonly defaultModel = 'gpt-4o-mini';

  async *stream(endpoint: Endpoint, request: ChatRequest): AsyncGenerator<RawPart> {
    const secrets = secretsOf(endpoint);
    const reader = new ChunkReader(secrets);
    try {
      const answer = await asked(endpoint, request);
      await refuseOtherStatus(answer, secrets);
      refusePages(answer);
      for await (const event of eventsOf(answer.body)) {
        if (event.data === '[DONE]') {
          reader.done();
          yield reader.finished;
          return;
        }
        const part = reader.read(event);
        if (part !== undefined) yield part;
        if (reader.hasFinished) yield reader.finished;
      }
    } catch (error) {
      request.signal.throwIfAborted();
      if (error instanceof ChannelFault) throw error;
      // What was said to be whole is whole, however the connection ends.
      if (reader.hasFinished) return;
      throw new ChannelFault(error instanceof OutboundError ? error.message : 'cut its answer');
    }
  }
}

function asked(endpoint: Endpoint, request: ChatRequest): Promise<StreamAnswer> {
  const { model, messages, signal, wire } = request;
  const body = JSON.stringify({
    ...wire.extra,
    model,
    messages: wire.systemRole === 'system' ? messages : messages.map((message) => spoken(message, wire.systemRole)),
    // What is undefined is left out.
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
  });
  return endpoint.post(chatUrl(endpoint.baseUrl), { headers: headersOf(endpoint), body, signal });
}

/** The path of the chat completions below a base URL; its query, e.g. Azure's `api-version`, stays. */
function chatUrl(baseUrl: string): string {
  const at = baseUrl.indexOf('?');
  const [base, query] = at < 0 ? [baseUrl, ''] : [baseUrl.slice(0, at), baseUrl.slice(at)];
  return `${base.replace(/\/+$/, '')}/chat/completions${query}`;
}

function headersOf({ apiKey, authHeader }: Endpoint): Record<string, string> {
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
  if (apiKey === undefined) return headers;
  return { ...headers, [authHeader]: authHeader === 'authorization' ? `Bearer ${apiKey}` : apiKey };
}

function spoken({ role, content }: ModelMessage, systemRole: ChatRequest['wire']['systemRole']): object {
  return { role: role === 'system' ? systemRole : role, content };
}

function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** What a provider might say back of what it was sent with. */
function secretsOf({ apiKey, baseUrl }: Endpoint): string[] {
  return [...(apiKey === undefined ? [] : [apiKey]), baseUrl];
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

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the chunks of one answer in OpenAI's protocol, as its many speakers write them; all of it is looked at before it
 * is believed.
 */
class ChunkReader {
  /** That it has ended was said: all text has come. */
  hasFinished = false;
  private finishReason: FinishReason = 'other';
  private promptTokens: number | undefined;
  private completionTokens: number | undefined;
  private hasDeltas = false;
  private hasRefused = false;

  /** @param secrets see faultOf */
  constructor(private readonly secrets: readonly string[]) {}

  /** Undefined for an event that adds nothing to the answer. Throws a ChannelFault for one that tells of a fault. */
  read({ event, data }: StreamEvent): RawPart | undefined {
    if (event === 'error') throw faultOf('sent an error in its answer', toldErrorIn(data), this.secrets);
    const chunk = this.parsed(data);
    if (chunk['usage'] !== undefined) this.noteUsage(chunk['usage']);
    const choice = firstOf(chunk['choices']);
    return choice === undefined ? undefined : this.readChoice(choice, data);
  }

  /** `[DONE]`: nothing follows. */
  done(): void {
    this.hasFinished = true;
  }

  /** What is known of its end. */
  get finished(): Finished {
    const { promptTokens, completionTokens } = this;
    const isDecent = this.finishReason === 'stop' || this.finishReason === 'other';
    const finishReason = this.hasRefused && isDecent ? 'refusal' : this.finishReason;
    return { type: 'finished', finishReason, promptTokens, completionTokens };
  }

  private parsed(data: string): Fields {
    let chunk: unknown;
    try {
      chunk = JSON.parse(data);
    } catch {
      throw new ChannelFault('sent what is not understood in its answer');
    }
    // Nearly every chunk is one of these, and has choices.
    const told = toldError(chunk, data);
    if (told !== undefined) throw faultOf('sent an error in its answer', told, this.secrets);
    if (typeof chunk !== 'object' || chunk === null)
      throw new ChannelFault('sent what is not understood in its answer');
    return chunk as Fields;
  }

  private readChoice(choice: Fields, data: string): RawPart | undefined {
    if (isObject(choice['error'])) {
      const told = toldError(choice, data) ?? toldErrorIn(data);
      throw faultOf('sent an error in its answer', told, this.secrets);
    }
    const part = this.readDelta(choice);
    this.noteFinish(choice['finish_reason']);
    return part;
  }

  private readDelta({ delta, message }: Fields): RawPart | undefined {
    if (isObject(delta)) this.hasDeltas = true;
    // A provider that sends deltas may repeat all of it as a message in the end.
    const said = isObject(delta) ? delta : !this.hasDeltas && isObject(message) ? message : undefined;
    if (said === undefined) return undefined;
    const text = textOf(said['content']);
    const refusal = said['refusal'];
    if (typeof refusal === 'string' && refusal !== '') {
      this.hasRefused = true;
      return { type: 'text', text: text + refusal };
    }
    if (text !== '') return { type: 'text', text };
    const thought = reasoningIn(said);
    return thought === '' ? undefined : { type: 'reasoning', text: thought };
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
    const { prompt_tokens: prompt, completion_tokens: completion } = usage;
    if (isCount(prompt)) this.promptTokens = prompt;
    if (isCount(completion)) this.completionTokens = completion;
  }
}

/** The first of the answers that a model may give at once, wherever it stands. */
function firstOf(choices: unknown): Fields | undefined {
  if (!Array.isArray(choices)) return undefined;
  for (let i = 0; i < choices.length; i++) {
    const choice: unknown = choices[i];
    if (isObject(choice) && (choice['index'] ?? i) === 0) return choice;
  }
  return undefined;
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
  return content.map((part: unknown) => (isObject(part) ? JSON.stringify(part['thinking'] ?? '') : '')).join('');
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
