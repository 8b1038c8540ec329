import { AppError, notFound, openAiErrorBody, unavailable } from '../../../common/errors';
import { eventBytes, type LastWords } from '../../../platform/http';
import type { ChatMessage, TokenUsage } from '../contract';
import { type AnswerFormat, failedAnswer, type RunEvent } from '../http/views';
import type { CompletionDto, CompletionUsageDto } from './dto/completion.dto';

/**
 * Chat completions, whole and in chunks. Invariants: the deltas of a stream together are the answer's text, else it ends with
 * an `error`, which clients throw; `[DONE]` follows the answer's own end and nothing else.
 */

const DONE = 'data: [DONE]\n\n';

/** What an answer is called. */
export interface CompletionHead {
  /** `chatcmpl-…` */
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  readonly model: string;
}

/** @param uuid of the run or the call */
export function completionHead(uuid: string, model: string, now = new Date()): CompletionHead {
  return { id: `chatcmpl-${uuid.replaceAll('-', '')}`, created: Math.floor(now.getTime() / 1000), model };
}

const FINISH_REASONS: Readonly<Record<string, string>> = {
  length: 'length',
  budget: 'length',
  content_filter: 'content_filter',
  refusal: 'content_filter',
};

function usageOf(usage: TokenUsage | null): CompletionUsageDto | null {
  if (usage === null) return null;
  const { promptTokens, cachedPromptTokens: cached_tokens, completionTokens, totalTokens } = usage;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: totalTokens,
    ...(cached_tokens === undefined ? {} : { prompt_tokens_details: { cached_tokens } }),
  };
}

/** How an answer ended. */
export interface CompletionEnd {
  /** As models and the log say it. */
  readonly finishReason: string | null;
  readonly usage: TokenUsage | null;
  /** How many images the model was not shown. */
  readonly imagesLeftOut: number;
}

/** The same as an answer of a chat says it. */
export function leftOutOf({ metadata }: Pick<ChatMessage, 'metadata'>): number {
  return Number(metadata?.['images_left_out'] ?? 0);
}

/** `metadata` of an answer; OpenAI's holds texts. */
export function leftOutView(count = 0): Record<string, string> {
  return count === 0 ? {} : { images_left_out: String(count) };
}

export function completionEnd(answer: ChatMessage): CompletionEnd {
  const { finishReason, usage } = answer;
  return { finishReason, usage, imagesLeftOut: leftOutOf(answer) };
}

function metadataOf({ imagesLeftOut }: CompletionEnd): object {
  return imagesLeftOut === 0 ? {} : { metadata: leftOutView(imagesLeftOut) };
}

/** The answer as one object. */
export function completion(head: CompletionHead, content: string, end: CompletionEnd): CompletionDto {
  const message = { role: 'assistant', content, refusal: null };
  return {
    ...head,
    object: 'chat.completion',
    choices: [{ index: 0, message, finish_reason: finishOf(end), logprobs: null }],
    usage: usageOf(end.usage),
    ...metadataOf(end),
  };
}

function finishOf({ finishReason }: CompletionEnd): string {
  return FINISH_REASONS[finishReason ?? ''] ?? 'stop';
}

/** The chunks of one stream. */
export class CompletionChunks {
  constructor(
    private readonly head: CompletionHead,
    private readonly includeUsage: boolean,
  ) {}

  begin(): object {
    return this.chunk({ role: 'assistant', content: '', refusal: null });
  }

  text(content: string): object {
    return this.chunk({ content });
  }

  end(end: CompletionEnd): object[] {
    const finished = { ...this.chunk({}, finishOf(end)), ...metadataOf(end) };
    if (!this.includeUsage) return [finished];
    return [finished, { ...this.of(), choices: [], usage: usageOf(end.usage) }];
  }

  private chunk(delta: object, finish_reason: string | null = null): object {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason }];
    return { ...this.of(), choices, ...(this.includeUsage ? { usage: null } : {}) };
  }

  private of(): object {
    const { id, created, model } = this.head;
    return { id, object: 'chat.completion.chunk', created, model };
  }
}

/** What ends a stream of completions. @param isWhole whether the answer's own end was told */
export function completionsLastWords(isWhole: () => boolean): LastWords {
  return (why) => {
    if (why === 'done') return isWhole() ? Buffer.from(DONE) : undefined;
    if (why === 'stopping') return eventBytes(openAiErrorBody(unavailable('The server is stopping')));
    if (why !== 'expired') return undefined;
    return eventBytes(openAiErrorBody(new AppError('AUTHENTICATION_ERROR', 'The credential has ended')));
  };
}

/** An answer of a chat, in chunks; of one stream, which it counts along with. */
export function completionFormat(head: CompletionHead, includeUsage: boolean): AnswerFormat {
  const chunks = new CompletionChunks(head, includeUsage);
  let isBegun = false;
  let isWhole = false;
  let length = 0;
  const begun = (): object[] => {
    if (isBegun) return [];
    isBegun = true;
    return [chunks.begin()];
  };
  const eventsOf = (event: RunEvent): readonly object[] => {
    if (event.type === 'started') return begun();
    if (event.type === 'reasoning') return [];
    if (event.type === 'tokens') {
      length += event.text.length;
      return [...begun(), chunks.text(event.text)];
    }
    const failure = failedAnswer(event);
    if (failure !== undefined) return [openAiErrorBody(failure)];
    if (event.answer.content.length !== length)
      return [openAiErrorBody(unavailable('Some of the answer’s text was lost: read it from the chat'))];
    isWhole = true;
    return [...begun(), ...chunks.end(completionEnd(event.answer))];
  };
  return {
    withoutIds: true,
    lastWords: completionsLastWords(() => isWhole),
    events: eventsOf,
    broken: (event) =>
      event.type === 'started' && length > 0
        ? unavailable('Some of the answer’s text was lost: read it from the chat')
        : undefined,
    gone: () => notFound('Chat'),
    refusal: openAiErrorBody,
    failure: failedAnswer,
  };
}
