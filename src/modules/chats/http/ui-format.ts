import { AppError, notFound, unavailable } from '../../../common/errors';
import { encodeId } from '../../../common/ids';
import { eventBytes, type LastWords } from '../../../platform/http';
import type { Chat, ChatMessage } from '../contract';
import type { UiMessageDto, UiPartDto } from './dto/ui.dto';
import { type AnswerFormat, type EndedRun, type RunEvent, tokenUsageView } from './views';

/**
 * The UI message stream of the Vercel AI SDK, version 1: an answer is a message of parts, each begun, written and ended.
 *
 * Invariants: `start` names the message at once, however long its run waits; every part that was begun is ended before the end
 * is told; the deltas of a stream together are the answer's text, else its last chunk is an `error`; each stream ends with
 * `[DONE]`, and one that ends before its answer does says so in an `error` before it: this protocol's readers take any other
 * end for the answer's.
 */

/** The header that its clients know the stream by. */
export const UI_STREAM_HEADER = { name: 'x-vercel-ai-ui-message-stream', value: 'v1' } as const;

const DONE = 'data: [DONE]\n\n';

const FINISH_REASONS: Readonly<Record<string, string>> = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content-filter',
  refusal: 'content-filter',
  tool_calls: 'tool-calls',
};

/** The first chunk of a run's stream. */
export function uiStart({ chatId }: Chat, runId: string): object {
  return { type: 'start', messageId: encodeId('message', runId), messageMetadata: { chatId } };
}

/** Opens and ends the parts of one answer: one is open at a time, of text or of what the model thinks. */
class Parts {
  private count = 0;
  private open: { readonly type: 'text' | 'reasoning'; readonly id: string } | undefined;
  private isBegun = false;
  /** Of the text that was given, in UTF-16 units. */
  length = 0;

  begin(): object[] {
    if (this.isBegun) return [];
    this.isBegun = true;
    return [{ type: 'start-step' }];
  }

  text(delta: string): object[] {
    this.length += delta.length;
    return this.added('text', delta);
  }

  reasoning(delta: string): object[] {
    return this.added('reasoning', delta);
  }

  end(): object[] {
    const told = this.close();
    if (this.isBegun) told.push({ type: 'finish-step' });
    return told;
  }

  private added(type: 'text' | 'reasoning', delta: string): object[] {
    const told = this.begin();
    if (this.open?.type !== type) {
      told.push(...this.close());
      this.open = { type, id: `part-${this.count++}` };
      told.push({ type: `${type}-start`, id: this.open.id });
    }
    told.push({ type: `${type}-delta`, id: this.open.id, delta });
    return told;
  }

  private close(): object[] {
    const { open } = this;
    this.open = undefined;
    return open === undefined ? [] : [{ type: `${open.type}-end`, id: open.id }];
  }
}

/** Of one stream, which it counts along with. */
export function uiFormat(): AnswerFormat {
  const parts = new Parts();
  return {
    withoutIds: true,
    lastWords,
    events: (event) => eventsOf(parts, event),
    // Parts are only ever added to. A reader that joins again gets the whole text anew.
    broken: (event) =>
      event.type === 'started' && parts.length > 0
        ? unavailable('Some of the answer’s text was lost: join its stream again')
        : undefined,
    gone: () => notFound('Chat'),
    refusal: errorChunk,
    failure: () => undefined,
  };
}

function eventsOf(parts: Parts, event: RunEvent): readonly object[] {
  switch (event.type) {
    case 'started':
      return parts.begin();
    case 'tokens':
      return parts.text(event.text);
    case 'reasoning':
      return parts.reasoning(event.text);
    case 'ended':
      return [...parts.end(), ...endOf(event, parts.length === event.answer.content.length)];
  }
}

/** @param isWhole the reader has the text that is stored: a node that died may have told more than that */
function endOf({ answer, failure }: EndedRun, isWhole: boolean): readonly object[] {
  const metadata = answerMetadata(answer);
  const inBetween = { type: 'message-metadata', messageMetadata: metadata };
  if (failure !== undefined) return [inBetween, errorChunk(failure)];
  if (!isWhole)
    return [inBetween, errorChunk(unavailable('Some of the answer’s text was lost: read it from the list'))];
  if (answer.status === 'cancelled') return [inBetween, { type: 'abort', reason: 'stopped' }];
  if (answer.status === 'interrupted')
    return [inBetween, errorChunk(unavailable('The answer was cut: ask for it anew'))];
  const finishReason = FINISH_REASONS[answer.finishReason ?? ''] ?? 'other';
  return [{ type: 'finish', finishReason, messageMetadata: metadata }];
}

/** Clients show nothing of an error but this text: the code comes first, for those that look at it. */
function errorChunk({ code, message }: Pick<AppError, 'code' | 'message'>): object {
  return { type: 'error', errorText: `${code}: ${message}` };
}

const lastWords: LastWords = (why) => {
  if (why === 'stopping') return endWith(unavailable('The server is stopping: join the stream again'));
  if (why === 'expired')
    return endWith(
      new AppError('AUTHENTICATION_ERROR', 'The credential has ended: join the stream again with another'),
    );
  return why === 'done' ? Buffer.from(DONE) : undefined;
};

function endWith(error: AppError): Buffer {
  return Buffer.concat([eventBytes(errorChunk(error)), Buffer.from(DONE)]);
}

/**
 * The message as its clients keep it: the parts are those that its stream has made.
 * @param clientId what its sender calls it
 */
export function uiMessage(
  { chatId }: Pick<Chat, 'chatId'>,
  message: ChatMessage,
  clientId: string | null,
): UiMessageDto {
  const { role, content, reasoning } = message;
  const text: UiPartDto = { type: 'text', text: content };
  const thought: UiPartDto[] = reasoning === undefined ? [] : [{ type: 'reasoning', text: reasoning, state: 'done' }];
  const isAnswer = role === 'assistant';
  return {
    id: isAnswer || clientId === null || isKey(clientId) ? encodeId('message', message.messageId) : clientId,
    role,
    parts: isAnswer ? [{ type: 'step-start' }, ...thought, { ...text, state: 'done' }] : [text],
    metadata: { chatId, ...(isAnswer ? answerMetadata(message) : placeOf(message)) },
  };
}

/** A message that is bound by its Idempotency-Key has no id of its client's (`bindingId`). */
function isKey(clientId: string): boolean {
  return clientId.startsWith('key:');
}

/**
 * What a client shows of a page: each answer behind its question, which in the log may be further up, and nothing that was
 * deleted, superseded or never said.
 */
export function shownOf(page: readonly ChatMessage[], order: 'asc' | 'desc'): ChatMessage[] {
  const place = ({ seq, replyToSeq }: ChatMessage): number => replyToSeq ?? seq;
  const shown = page
    .filter(({ content, status, deletedAt }) => content !== '' && status !== 'superseded' && deletedAt === null)
    .sort((a, b) => place(a) - place(b) || a.seq - b.seq);
  return order === 'asc' ? shown : shown.reverse();
}

function answerMetadata(answer: ChatMessage): Record<string, unknown> {
  const { status, finishReason, usage } = answer;
  const leftOut = answer.metadata?.['images_left_out'];
  return {
    // An answer that could not be stored has no place.
    ...(answer.seq === 0 ? {} : placeOf(answer)),
    status,
    finishReason,
    usage: usage === null ? null : tokenUsageView(usage),
    ...(leftOut === undefined ? {} : { imagesLeftOut: leftOut }),
  };
}

function placeOf({ seq, createdAt }: ChatMessage): Record<string, unknown> {
  return { seq, createdAt: createdAt.toISOString() };
}
