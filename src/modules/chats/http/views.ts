import { AppError, notFound, unavailable } from '../../../common/errors';
import { decodeId, encodeId, isUuid } from '../../../common/ids';
import type { LastWords } from '../../../platform/http';
import type { Chat, ChatEvent, ChatMessage, MessageStart, RunFailure, TokenUsage } from '../contract';
import {
  chatEvent,
  errorEvent,
  failureDetails,
  failureEvent,
  failureHelp,
  NO_MESSAGE,
  type ProviderText,
  usageView,
} from '../events';
import type { ChatDto, ChatMessageDto } from './dto/chat.dto';
import type { ConversationDto, ConversationMessageDto, TokenUsageDto } from './dto/conversation.dto';

/**
 * The chat object of `004_…`.
 * @param gone presets that were deleted
 */
export function chatView(chat: Chat, gone: ReadonlySet<string> = new Set()): ChatDto {
  return {
    id: chat.chatId,
    user_id: chat.userId,
    tenant_id: encodeId('tenant', chat.tenantId),
    title: chat.title,
    config: {
      metadata: { ...chat.metadata },
      preset: chat.preset,
      ...(gone.has(chat.preset) ? { preset_deleted: true } : {}),
    },
    created_at: chat.createdAt.toISOString(),
    updated_at: chat.updatedAt.toISOString(),
    ...(chat.externalId === null ? {} : { external_id: chat.externalId }),
    last_message_at: chat.lastMessageAt?.toISOString() ?? null,
  };
}

/** The message object of the AI chats API. */
export function chatMessageView(chatId: string, message: ChatMessage): ChatMessageDto {
  return {
    id: encodeId('message', message.messageId),
    chat_id: chatId,
    content: message.content,
    ...(message.reasoning === undefined ? {} : { reasoning: message.reasoning }),
    sender_role: message.role,
    seq: message.seq,
    ...(message.replyToSeq === null ? {} : { reply_to_seq: message.replyToSeq }),
    metadata: message.metadata === null ? null : { ...message.metadata },
    status: message.status,
    ...(message.usage === null ? {} : { usage: usageView(message.usage) }),
    ...(message.finishReason === null ? {} : { finish_reason: message.finishReason }),
    created_at: message.createdAt.toISOString(),
    ...(message.deletedAt === null ? {} : { deleted_at: message.deletedAt.toISOString() }),
  };
}

/**
 * A conversation in the list of `003_…`.
 * @param silent how many of its answers have no word
 */
export function conversationView(chat: Chat, last: MessageStart | undefined, silent = 0): ConversationDto {
  return {
    id: encodeId('conversation', chat.chatId),
    userId: chat.userId,
    groupId: chat.groupId,
    messageCount: chat.messageCount - silent,
    lastMessage: last?.text ?? null,
    lastMessageTruncated: last?.truncated ?? false,
    updatedAt: Math.max(chat.updatedAt.getTime(), chat.lastMessageAt?.getTime() ?? 0),
  };
}

export function conversationMessageView(message: ChatMessage): ConversationMessageDto {
  const { role, content, reasoning, createdAt, finishReason } = message;
  return {
    role,
    content,
    ...(reasoning === undefined ? {} : { reasoning }),
    timestamp: createdAt.getTime(),
    ...(finishReason === null ? {} : { finishReason }),
  };
}

/** `usage` on the Conversations API. */
export function tokenUsageView(usage: TokenUsage): TokenUsageDto {
  const { promptTokens, cachedPromptTokens, completionTokens, totalTokens, estimated } = usage;
  return {
    promptTokens,
    ...(cachedPromptTokens === undefined ? {} : { cachedPromptTokens }),
    completionTokens,
    totalTokens,
    ...(estimated ? { estimated } : {}),
  };
}

/** What is told of one run. */
export type RunEvent = Extract<ChatEvent, { type: 'started' | 'tokens' | 'reasoning' | 'ended' }>;
export type EndedRun = Extract<RunEvent, { type: 'ended' }>;

/** The words of one HTTP format. */
export interface AnswerFormat {
  /** What a run's event is in a stream, in order; nothing where this format says nothing. A bad end is an error, and the last. */
  events(event: RunEvent): readonly object[];
  /** The chat was deleted meanwhile. */
  gone(): AppError;
  /** What ends a stream that cannot go on. */
  refusal(error: AppError): object;
  /** Its events have no ids: its readers would not name them again. */
  readonly withoutIds?: boolean;
  /** Each event is named by its `type`, in an `event:` line. */
  readonly isNamed?: boolean;
  /** How a stream ends, for readers that would take any other end for the end of the answer. */
  readonly lastWords?: LastWords;
  /** Why a stream cannot go on with this event: its reader can drop nothing of what it has. */
  broken?(event: RunEvent): AppError | undefined;
  /** What a run that ended badly is over plain REST; undefined where its answer counts as one. */
  failure(event: EndedRun): AppError | undefined;
}

/** The AI chats API: the socket's events. */
export function chatFormat({ chatId }: Chat, requestId: string, saidOf: ProviderText = NO_MESSAGE): AnswerFormat {
  const failureOf = (event: RunEvent) =>
    event.type === 'ended' ? failureEvent(event, chatId, undefined, saidOf) : undefined;
  return {
    events: (event) => [failureOf(event) ?? chatEvent(event, chatId)],
    gone: () => notFound('Chat'),
    refusal: (error) => errorEvent(error, requestId),
    failure: ({ runId, answer, failure }) =>
      failure !== undefined && answer.status === 'failed'
        ? failed(failure, failureDetails(failure, chatId, runId, saidOf))
        : undefined,
  };
}

/**
 * The Conversations API, `003_…`.
 * @param isStarted `start` was written already
 */
export function conversationFormat(
  { chatId }: Chat,
  isStarted: boolean,
  saidOf: ProviderText = NO_MESSAGE,
): AnswerFormat {
  return {
    events: (event) => conversationEvents(event, chatId, isStarted),
    gone: noConversation,
    refusal: ({ code, message }) => ({ type: 'error', code, message }),
    failure: ({ runId, failure }) =>
      failure === undefined
        ? undefined
        : failed(failure, {
            conversationId: encodeId('conversation', chatId),
            messageId: encodeId('message', runId),
            ...failureHelp(failure, runId, saidOf),
          }),
  };
}

export function startEvent(chatId: string): object {
  return { type: 'start', conversationId: encodeId('conversation', chatId) };
}

function conversationEvents(event: RunEvent, chatId: string, isStarted: boolean): readonly object[] {
  switch (event.type) {
    case 'started':
      return isStarted ? [] : [startEvent(chatId)];
    case 'tokens':
      return [{ type: 'content', text: event.text }];
    case 'reasoning':
      return [{ type: 'reasoning', text: event.text }];
    case 'ended': {
      const { failure, answer } = event;
      if (failure !== undefined) return [{ type: 'error', code: failure.code, message: failure.message }];
      const usage = answer.usage === null ? null : tokenUsageView(answer.usage);
      return [{ type: 'end', usage, finishReason: answer.finishReason }];
    }
  }
}

function failed(failure: RunFailure, details: Readonly<Record<string, unknown>>): AppError {
  const { code, message } = failure;
  const ofCode = {
    QUOTA_EXCEEDED: secondsOfTheDay(),
    CHANNEL_UNAVAILABLE: 1,
    RATE_LIMIT_EXCEEDED: 60,
    MODEL_ERROR: undefined,
    INTERNAL_ERROR: undefined,
  };
  const retryAfterSeconds = failure.retryAfterSeconds ?? ofCode[code];
  return new AppError(code, message, { details, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) });
}

/**
 * What an answer that ended badly is to clients that know whole answers and errors: also one that was cut. One that its user
 * has stopped is whole.
 */
export function failedAnswer({ answer, failure }: EndedRun): AppError | undefined {
  if (failure !== undefined) return failed(failure, {});
  if (answer.status === 'interrupted') return unavailable('The answer was cut: ask for it anew');
  return undefined;
}

/** Until budgets begin anew, at midnight UTC. */
function secondsOfTheDay(now = new Date()): number {
  return Math.max(1, Math.ceil((new Date(now).setUTCHours(24, 0, 0, 0) - now.getTime()) / 1000));
}

/** The Conversations API has a word of its own for a chat that is not there. */
export async function inConversation<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_FOUND') throw noConversation();
    throw error;
  }
}

function noConversation(): AppError {
  return new AppError('CONVERSATION_NOT_FOUND', 'Conversation not found');
}

/** A chat's id on the AI chats API is the bare UUID; undefined: there is no such chat. */
export function chatIdOf(id: string): string | undefined {
  return isUuid(id) ? id : undefined;
}

/** `conv_<hex>` or the bare UUID; undefined: there is no such conversation. */
export function conversationIdOf(id: string): string | undefined {
  return decodeId('conversation', id) ?? chatIdOf(id);
}
