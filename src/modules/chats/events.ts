import { AppError, ERROR_CATALOGUE, type ErrorCode, hintOf, invalid } from '../../common/errors';
import { decodeId, encodeId } from '../../common/ids';
import type { Caller } from '../../platform/auth';
import { hintOfReason, type ModelsService } from '../models';
import { type ChatEvent, type ChatMessage, END_INDEX, type RunFailure, type TokenUsage } from './contract';

/**
 * What happens in a chat as clients are told, in the words of contract §5; the socket and SSE both serialise from here.
 * Ids are encoded, times are ISO 8601.
 */
interface EventBase<T extends string> {
  readonly event_type: T;
  readonly timestamp: string;
}

interface OfMessage {
  readonly message_id: string;
  readonly chat_id: string;
}

export interface UsageView {
  readonly prompt_tokens: number;
  /** Of these, the ones that the provider had in its cache; only where it says. */
  readonly cached_prompt_tokens?: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  /** Only where it is true: the tokens were counted here. */
  readonly estimated?: boolean;
}

export interface MessageReceived extends EventBase<'message_received'>, OfMessage {
  readonly seq: number;
  readonly content: string;
  readonly client_message_id?: string;
  readonly request_id?: string;
}

export interface StreamStarted extends EventBase<'message_stream_started'>, OfMessage {
  /** Tokens that follow are those after this index; −1: from the beginning. */
  readonly after_index: number;
}

export interface StreamToken extends EventBase<'message_stream_token'>, OfMessage {
  readonly token: string;
  /** Of the last token in `token`. */
  readonly index: number;
}

export interface StreamReasoning extends EventBase<'message_stream_reasoning'>, OfMessage {
  /** A piece of what the model thinks: no part of the answer. */
  readonly reasoning: string;
}

export interface StreamEnded extends EventBase<'message_stream_ended'>, OfMessage {
  readonly seq: number;
  readonly content: string;
  readonly status: ChatMessage['status'];
  readonly usage: UsageView | null;
  readonly finish_reason: ChatMessage['finishReason'];
}

export interface ErrorEvent extends EventBase<'error'> {
  readonly error_code: ErrorCode;
  readonly error_message: string;
  /** Context, and `hint`: what to do about it. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly request_id?: string;
}

export type ServerChatEvent =
  MessageReceived | StreamStarted | StreamToken | StreamReasoning | StreamEnded | ErrorEvent;

type RunEvent = Exclude<ChatEvent, { type: 'deleted' }>;
type Ended = Extract<ChatEvent, { type: 'ended' }>;

/**
 * One thing that happened as one event; of an answer that ended badly it is its `message_stream_ended` (its `error` is
 * `failureEvent`).
 * @param requestId what the sender's own connection called the message; goes with `message_received`
 */
export function chatEvent(
  event: RunEvent,
  chatId: string,
  requestId?: string,
  now = new Date(),
): Exclude<ServerChatEvent, ErrorEvent> {
  const timestamp = now.toISOString();
  switch (event.type) {
    case 'message': {
      const { message, clientMessageId } = event;
      return {
        event_type: 'message_received',
        timestamp,
        ...of(message.messageId, chatId),
        seq: message.seq,
        content: message.content,
        ...(clientMessageId === null ? {} : { client_message_id: clientMessageId }),
        ...(requestId === undefined ? {} : { request_id: requestId }),
      };
    }
    case 'started':
      return {
        event_type: 'message_stream_started',
        timestamp,
        ...of(event.runId, chatId),
        after_index: event.afterIndex,
      };
    case 'tokens':
      return {
        event_type: 'message_stream_token',
        timestamp,
        ...of(event.runId, chatId),
        token: event.text,
        index: event.index,
      };
    case 'reasoning':
      return {
        event_type: 'message_stream_reasoning',
        timestamp,
        ...of(event.runId, chatId),
        reasoning: event.text,
      };
    case 'ended':
      return endedEvent(event, chatId, timestamp);
  }
}

function endedEvent({ runId, answer }: Ended, chatId: string, timestamp: string): StreamEnded {
  return {
    event_type: 'message_stream_ended',
    timestamp,
    ...of(runId, chatId),
    seq: answer.seq,
    content: answer.content,
    status: answer.status,
    usage: answer.usage === null ? null : usageView(answer.usage),
    finish_reason: answer.finishReason,
  };
}

/** Why an answer ended badly; undefined where it did not. On the socket it precedes `message_stream_ended`. */
export function failureEvent(
  event: Ended,
  chatId: string,
  now = new Date(),
  saidOf: ProviderText = NO_MESSAGE,
): ErrorEvent | undefined {
  const { failure, runId, answer } = event;
  if (failure === undefined) return undefined;
  return {
    event_type: 'error',
    timestamp: now.toISOString(),
    error_code: failure.code,
    error_message: failure.message,
    details: {
      ...failureDetails(failure, chatId, runId, saidOf),
      status: answer.status,
      finish_reason: answer.finishReason,
    },
  };
}

/** What a model's provider said when an answer failed, as far as the reader may see it. */
export type ProviderText = (runId: string) => string | undefined;

export const NO_MESSAGE: ProviderText = () => undefined;

/** For admin keys only: it may quote what users wrote. */
export function providerText(models: Pick<ModelsService, 'providerMessage'>, caller: Caller): ProviderText {
  if (caller.kind !== 'key' || !caller.scopes.includes('admin')) return NO_MESSAGE;
  return (runId) => models.providerMessage(caller.tenantId, runId);
}

/** Which answer failed and what to do; the same on REST and in events. */
export function failureDetails(
  failure: RunFailure,
  chatId: string,
  runId: string,
  saidOf: ProviderText,
): Record<string, unknown> {
  return { ...of(runId, chatId), ...failureHelp(failure, runId, saidOf) };
}

/** What to do about a failed answer. */
export function failureHelp(
  { code, reason, retryAfterSeconds }: RunFailure,
  runId: string,
  saidOf: ProviderText,
): Record<string, unknown> {
  const said = saidOf(runId);
  return {
    hint: reason === undefined ? ERROR_CATALOGUE[code].hint : hintOfReason(reason),
    ...(reason === undefined ? {} : { reason }),
    ...(retryAfterSeconds === undefined ? {} : { retry_after_ms: retryAfterSeconds * 1000 }),
    ...(said === undefined ? {} : { provider_message: said }),
  };
}

/**
 * A refusal as an event.
 * @param requestId what the client called the frame that is refused, or the id of the HTTP request
 */
export function errorEvent(error: AppError, requestId?: string, retryAfterMs?: number, now = new Date()): ErrorEvent {
  const retryMs = retryAfterMs ?? (error.retryAfterSeconds === undefined ? undefined : error.retryAfterSeconds * 1000);
  return {
    event_type: 'error',
    timestamp: now.toISOString(),
    error_code: error.code,
    error_message: error.message,
    details: {
      hint: hintOf(error),
      ...(error.field === undefined ? {} : { field: error.field }),
      retryable: ERROR_CATALOGUE[error.code].retryable || (error.code === 'CONFLICT' && retryMs !== undefined),
      ...(retryMs === undefined ? {} : { retry_after_ms: retryMs }),
      ...error.details,
    },
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
}

/** 404 for an answer that the chat does not have; the hint of its code is about chats. */
export function noSuchAnswer(): AppError {
  return new AppError('NOT_FOUND', 'Answer not found', {
    details: { hint: 'Name an answer of this chat: message_id of message_stream_started' },
  });
}

/** `usage` on the AI chats API and its events. */
export function usageView(usage: TokenUsage): UsageView {
  return {
    prompt_tokens: usage.promptTokens,
    ...(usage.cachedPromptTokens === undefined ? {} : { cached_prompt_tokens: usage.cachedPromptTokens }),
    completion_tokens: usage.completionTokens,
    total_tokens: usage.totalTokens,
    ...(usage.estimated ? { estimated: true } : {}),
  };
}

function of(messageId: string, chatId: string): OfMessage {
  return { message_id: encodeId('message', messageId), chat_id: chatId };
}

/** How much of an answer a reader has: everything up to this token; −1: nothing; END_INDEX: its end as well. */
export interface TokenPosition {
  readonly runId: string;
  readonly afterIndex: number;
}

const FORM = /^(msg_[0-9a-f]{32}):(-1|0|[1-9]\d{0,9})$/;

/** The id of an SSE event: `<message_id>:<index>`. */
export function eventId({ runId, afterIndex }: TokenPosition): string {
  return `${encodeId('message', runId)}:${afterIndex}`;
}

/**
 * Reads `Last-Event-ID`, or `?last_event_id=` where the header is missing or empty, for every API; undefined: neither is
 * there.
 * @throws 400 for what is no id of ours: to begin at the start instead would give the reader the same text twice
 */
export function positionOf(header: string | undefined, query: string | undefined): TokenPosition | undefined {
  const isHeader = header !== undefined && header !== '';
  const text = isHeader ? header : query;
  if (text === undefined || text === '') return undefined;
  const [, messageId, index] = FORM.exec(text) ?? [];
  const runId = decodeId('message', messageId);
  if (runId === undefined || Number(index) > END_INDEX) throw noEventId(isHeader ? 'Last-Event-ID' : 'last_event_id');
  return { runId, afterIndex: Number(index) };
}

function noEventId(field: string): AppError {
  return invalid(field, `${field} must be the id of an event: <message_id>:<index>`);
}
