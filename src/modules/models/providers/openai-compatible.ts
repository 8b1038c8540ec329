import { OutboundError, type StreamAnswer } from '../../../platform/outbound';
import type { FinishReason } from '../contract';
import { ChannelFault, ChatModel, type ChatRequest, type Endpoint, type RawPart } from './chat-model';
import { eventsOf } from './events';
import { refuseOtherStatus, refuseOtherTypes } from './refusals';

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content_filter',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
};

/** What an event may hold, as far as it is of use; all of it is looked at before it is believed. */
interface Chunk {
  readonly error?: unknown;
  readonly choices?: unknown;
  readonly usage?: unknown;
}

/** What was said of an answer's end so far. */
interface Ending {
  /** Why it ended, or that it has: else it was cut. */
  isSaid: boolean;
  finishReason: FinishReason;
  promptTokens: number | undefined;
  completionTokens: number | undefined;
}

/** What OpenAI's chat completions are, and what Ollama, vLLM, Groq, OpenRouter, DeepSeek, Mistral … have in common with it. */
export class OpenAiCompatible extends ChatModel {
  readonly provider = 'openai-compatible';
  readonly defaultBaseUrl = 'https://api.openai.com/v1';
  readonly defaultModel = 'gpt-4o-mini';

  async *stream(endpoint: Endpoint, request: ChatRequest): AsyncGenerator<RawPart> {
    const ending: Ending = {
      isSaid: false,
      finishReason: 'other',
      promptTokens: undefined,
      completionTokens: undefined,
    };
    try {
      const answer = await asked(endpoint, request);
      refuseOtherStatus(answer);
      refuseOtherTypes(answer);
      for await (const data of eventsOf(answer.body)) {
        if (data === '[DONE]') {
          ending.isSaid = true;
          break;
        }
        const part = partOf(data, ending);
        if (part !== undefined) yield part;
      }
    } catch (error) {
      request.signal.throwIfAborted();
      if (error instanceof ChannelFault) throw error;
      throw new ChannelFault(
        error instanceof OutboundError ? error.message : 'cut its answer, or it is not understood',
      );
    }
    const { isSaid, ...end } = ending;
    if (isSaid) yield { type: 'end', ...end };
  }
}

function asked({ baseUrl, apiKey, post }: Endpoint, request: ChatRequest): Promise<StreamAnswer> {
  const { model, messages, signal } = request;
  const body = JSON.stringify({
    model,
    messages,
    // What is undefined is left out.
    temperature: request.temperature,
    top_p: request.topP,
    max_tokens: request.maxTokens,
    stop: request.stop,
    reasoning_effort: request.reasoningEffort,
    response_format: request.responseFormat,
    seed: request.seed,
    stream: true,
    // Else it is counted here: see token-count.ts.
    stream_options: { include_usage: true },
  });
  const headers = {
    'content-type': 'application/json',
    accept: 'text/event-stream',
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  };
  return post(`${baseUrl.replace(/\/+$/, '')}/chat/completions`, { headers, body, signal });
}

/** Undefined for an event that says nothing new. */
function partOf(data: string, ending: Ending): RawPart | undefined {
  const chunk = JSON.parse(data) as Chunk | null;
  if (typeof chunk !== 'object' || chunk === null || (chunk.error ?? null) !== null)
    throw new ChannelFault('sent an error, or what is not understood, in its answer');
  noteUsage(chunk.usage, ending);
  const choice: unknown = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
  if (typeof choice !== 'object' || choice === null) return undefined;
  const { delta, finish_reason: finish } = choice as { delta?: unknown; finish_reason?: unknown };
  if (typeof finish === 'string')
    Object.assign(ending, { isSaid: true, finishReason: FINISH_REASONS[finish] ?? 'other' });
  if (typeof delta !== 'object' || delta === null) return undefined;
  const { content, ...other } = delta as { content?: unknown; role?: unknown };
  if (typeof content === 'string' && content !== '') return { type: 'text', text: content };
  return Object.keys(other).some((name) => name !== 'role') ? { type: 'alive' } : undefined;
}

function noteUsage(usage: unknown, ending: Ending): void {
  if (typeof usage !== 'object' || usage === null) return;
  const { prompt_tokens: prompt, completion_tokens: completion } = usage as Record<string, unknown>;
  if (isCount(prompt)) ending.promptTokens = prompt;
  if (isCount(completion)) ending.completionTokens = completion;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
