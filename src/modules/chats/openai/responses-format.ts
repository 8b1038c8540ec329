import { AppError, notFound, openAiErrorBody, unavailable } from '../../../common/errors';
import { encodeId, timeOf } from '../../../common/ids';
import { eventBytes, type LastWords } from '../../../platform/http';
import { type ChatMessage, END_INDEX, type TokenUsage } from '../contract';
import { type AnswerFormat, type EndedRun, failedAnswer, type RunEvent } from '../http/views';
import { leftOutOf, leftOutView } from './completions-format';
import type { ResponseDto } from './dto/response.dto';

/**
 * Responses, whole and as events. The number of an event says how much of its answer a reader has, on any node and without
 * anything being kept for it: those before the text are 0 to 3, that of a piece of text is the index of its last token and
 * `TEXT_FROM`, those behind the text are from `END_FROM` on. So `starting_after` is a place in the log of tokens.
 *
 * Invariants: numbers only grow; a reader that joins after a number is told what follows it and nothing twice, else an error
 * that says so; the deltas together are the answer's text.
 */
const TEXT_FROM = 4;
const END_FROM = END_INDEX - 8;

/** Of which token a reader that has this event has the last. @param after undefined: it has nothing */
export function indexAfter(after: number | undefined): number {
  if (after === undefined || after < TEXT_FROM) return -1;
  return after >= END_FROM ? END_INDEX : after - TEXT_FROM;
}

/** What is said of a response whatever becomes of it. */
export interface ResponseHead {
  /** UUID of the run or the call. */
  readonly uuid: string;
  readonly model: string;
  readonly previous: string | undefined;
  readonly isBackground: boolean;
  readonly isStored: boolean;
}

type Status = 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'cancelled' | 'failed';
type Failure = Pick<AppError, 'code' | 'message'>;

/** How an answer ended. */
export interface ResponseEnd {
  readonly text: string;
  readonly status?: ChatMessage['status'];
  readonly finishReason: string | null;
  readonly usage: TokenUsage | null;
  readonly failure?: Failure | undefined;
  /** How many images the model was not shown. */
  readonly imagesLeftOut: number;
}

const INCOMPLETE: Readonly<Record<string, string>> = {
  length: 'max_output_tokens',
  budget: 'max_output_tokens',
  content_filter: 'content_filter',
};

/** @param end undefined: it has not ended */
export function responseView(head: ResponseHead, status: Status, end?: ResponseEnd): ResponseDto {
  const { uuid, model, previous, isBackground: background, isStored: store } = head;
  const reason = INCOMPLETE[end?.finishReason ?? ''];
  return {
    id: encodeId('response', uuid),
    object: 'response',
    created_at: Math.floor(timeOf(uuid).getTime() / 1000),
    ...{ status, background, store, model, previous_response_id: previous ?? null },
    error: end?.failure === undefined ? null : { code: end.failure.code, message: end.failure.message },
    incomplete_details: status === 'incomplete' && reason !== undefined ? { reason } : null,
    output: end === undefined || end.text === '' ? [] : [item(uuid, end.text, isWhole(status))],
    usage: usageOf(end?.usage ?? null),
    metadata: leftOutView(end?.imagesLeftOut),
    ...{ instructions: null, parallel_tool_calls: true, temperature: null, top_p: null },
    ...{ tool_choice: 'auto', tools: [], truncation: 'auto' },
  };
}

const isWhole = (status: Status): 'completed' | 'incomplete' => (status === 'completed' ? 'completed' : 'incomplete');

/** How a response has ended. */
export function statusOf({ status, finishReason, failure }: ResponseEnd): Status {
  if (failure !== undefined) return 'failed';
  if (status === 'cancelled') return 'cancelled';
  return INCOMPLETE[finishReason ?? ''] === undefined ? 'completed' : 'incomplete';
}

export function endOf(event: EndedRun): ResponseEnd {
  const { content: text, status, finishReason, usage } = event.answer;
  return { text, status, finishReason, usage, failure: failedAnswer(event), imagesLeftOut: leftOutOf(event.answer) };
}

function usageOf(usage: TokenUsage | null): object | null {
  if (usage === null) return null;
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: { cached_tokens: usage.cachedPromptTokens ?? 0 },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: usage.totalTokens,
  };
}

function part(text: string): object {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function item(uuid: string, text: string | undefined, status: string): object {
  const content = text === undefined ? [] : [part(text)];
  return { id: encodeId('message', uuid), type: 'message', status, role: 'assistant', content };
}

/** The events of one response, each with its number; those that the reader has are left out. */
export class ResponseEvents {
  private readonly at: object;

  constructor(
    private readonly head: ResponseHead,
    private readonly after = -1,
  ) {
    this.at = { item_id: encodeId('message', head.uuid), output_index: 0, content_index: 0 };
  }

  created(): object[] {
    return this.told(0, [{ type: 'response.created', response: responseView(this.head, 'queued') }]);
  }

  begin(): object[] {
    return this.told(1, [
      { type: 'response.in_progress', response: responseView(this.head, 'in_progress') },
      { type: 'response.output_item.added', output_index: 0, item: item(this.head.uuid, undefined, 'in_progress') },
      { type: 'response.content_part.added', ...this.at, part: part('') },
    ]);
  }

  text(delta: string, index: number): object[] {
    const sequence_number = TEXT_FROM + index;
    if (sequence_number <= this.after) return [];
    return [{ type: 'response.output_text.delta', ...this.at, delta, logprobs: [], sequence_number }];
  }

  end(end: ResponseEnd): object[] {
    const status = statusOf(end);
    const last = { response: responseView(this.head, status, end) };
    if (status === 'failed') return this.told(END_FROM + 3, [{ type: 'response.failed', ...last }]);
    const { text } = end;
    const done = item(this.head.uuid, text, isWhole(status));
    return this.told(END_FROM, [
      { type: 'response.output_text.done', ...this.at, text, logprobs: [] },
      { type: 'response.content_part.done', ...this.at, part: part(text) },
      { type: 'response.output_item.done', output_index: 0, item: done },
      { type: status === 'completed' ? 'response.completed' : 'response.incomplete', ...last },
    ]);
  }

  private told(first: number, events: readonly object[]): object[] {
    return events
      .map((event, i) => ({ ...event, sequence_number: first + i }))
      .filter(({ sequence_number }) => sequence_number > this.after);
  }
}

/** Clients throw what has an `error`. */
export function refusalEvent(refused: AppError): object {
  const { error } = openAiErrorBody(refused);
  const { code, message, param } = error;
  return { type: 'error', code, message, param, error };
}

export const responsesLastWords: LastWords = (why) => {
  if (why === 'stopping') return lastEvent(unavailable('The server is stopping: retrieve the response'));
  if (why !== 'expired') return undefined;
  return lastEvent(
    new AppError('AUTHENTICATION_ERROR', 'The credential has ended: retrieve the response with another'),
  );
};

function lastEvent(error: AppError): Buffer {
  return eventBytes(refusalEvent(error), undefined, 'error');
}

/** A run as events. @param after the number of the last event that the reader has */
export function responseFormat(head: ResponseHead, after: number | undefined): AnswerFormat {
  const events = new ResponseEvents(head, after);
  const from = indexAfter(after);
  let isBegun = false;
  const eventsOf = (event: RunEvent): readonly object[] => {
    if (event.type === 'tokens') return events.text(event.text, event.index);
    if (event.type === 'reasoning') return [];
    if (event.type === 'ended') {
      const end = endOf(event);
      return [...(isBegun || end.failure !== undefined ? [] : events.begin()), ...events.end(end)];
    }
    isBegun = true;
    return events.begin();
  };
  return {
    withoutIds: true,
    isNamed: true,
    lastWords: responsesLastWords,
    events: eventsOf,
    // What the reader has is not what is stored: a node that died may have told more than that.
    broken: (event) =>
      event.type === 'started' && from !== END_INDEX && (isBegun || event.afterIndex !== from)
        ? unavailable('Some of the answer’s text was lost: retrieve the response from its beginning')
        : undefined,
    gone: () => notFound('Response'),
    refusal: refusalEvent,
    failure: failedAnswer,
  };
}
