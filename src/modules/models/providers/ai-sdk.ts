import {
  APICallError,
  type LanguageModelV3,
  type LanguageModelV3Prompt,
  type LanguageModelV3StreamPart,
} from '@ai-sdk/provider';
import { OutboundError } from '../../../platform/outbound';
import type { FinishReason, ModelMessage } from '../contract';
import { ChannelFault, type ChatRequest, type RawPart } from './chat-model';

/** Statuses with which a provider refuses what it was asked, not whom it was asked by. */
const REQUESTS_FAULT: ReadonlySet<number> = new Set([400, 413, 422]);

type Finish = Extract<LanguageModelV3StreamPart, { type: 'finish' }>;

const FINISH_REASONS: Readonly<Record<Finish['finishReason']['unified'], FinishReason>> = {
  stop: 'stop',
  length: 'length',
  'content-filter': 'content_filter',
  'tool-calls': 'tool_calls',
  error: 'other',
  other: 'other',
};

/**
 * One answer of a language model of the AI SDK. Its `doStream` and not `streamText`: that swallows errors, retries, and
 * costs ten times as much per token.
 */
export async function* streamOf(model: LanguageModelV3, request: ChatRequest): AsyncGenerator<RawPart> {
  const { temperature, maxTokens, signal } = request;
  try {
    const { stream, response } = await model.doStream({
      prompt: promptOf(request.messages),
      abortSignal: signal,
      ...(temperature === undefined ? {} : { temperature }),
      ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
    });
    refuseOtherTypes(response?.headers);
    for await (const part of stream as unknown as AsyncIterable<LanguageModelV3StreamPart>) {
      const raw = rawPartOf(part);
      if (raw !== undefined) yield raw;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw faultOf(error);
  }
}

function promptOf(messages: readonly ModelMessage[]): LanguageModelV3Prompt {
  return messages.map(({ role, content }) =>
    role === 'system' ? { role, content } : { role, content: [{ type: 'text', text: content }] },
  );
}

/** What answers 200 with a page is a proxy, or a wrong base URL. */
function refuseOtherTypes(headers: Readonly<Record<string, string>> | undefined): void {
  const type = (headers?.['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '';
  if (/^(text\/html|application\/json)$/i.test(type))
    throw new ChannelFault(`answered with ${type.toLowerCase()} and not with a stream: check its base URL`);
}

function rawPartOf(part: LanguageModelV3StreamPart): RawPart | undefined {
  switch (part.type) {
    case 'text-delta':
      return { type: 'text', text: part.delta };
    case 'error':
      // Later parts may come, and be good: what lies between them is lost.
      throw new ChannelFault('sent an error, or what is not understood, in its answer');
    case 'finish':
      return {
        type: 'end',
        finishReason: FINISH_REASONS[part.finishReason.unified] ?? 'other',
        promptTokens: part.usage.inputTokens.total,
        completionTokens: part.usage.outputTokens.total,
      };
    case 'stream-start':
    case 'response-metadata':
    case 'text-start':
    case 'text-end':
      return undefined;
    default:
      return { type: 'alive' };
  }
}

function faultOf(error: unknown): ChannelFault {
  if (error instanceof ChannelFault) return error;
  if (error instanceof OutboundError) return new ChannelFault(error.message);
  if (error instanceof Error && error.cause instanceof OutboundError) return new ChannelFault(error.cause.message);
  const status = APICallError.isInstance(error) ? error.statusCode : undefined;
  if (status !== undefined && (status < 200 || status > 299))
    return new ChannelFault(`answered HTTP ${status}`, REQUESTS_FAULT.has(status) ? 'request' : 'channel');
  return new ChannelFault('cut its answer, or it is not understood');
}
