import { encodeId } from '../../../common/ids';
import type { Chat, ChatMessage, MessageStart, TokenUsage } from '../contract';
import { usageView } from '../events';
import type { ChatDto } from './dto/chat.dto';
import type { ConversationDto, ConversationMessageDto, TokenUsageDto } from './dto/conversation.dto';
import type { ChatMessageDto } from './dto/turn.dto';

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
    last_message_at: chat.lastMessageAt?.toISOString() ?? null,
  };
}

/** The message object of the AI chats API. */
export function chatMessageView(chatId: string, message: ChatMessage): ChatMessageDto {
  return {
    id: encodeId('message', message.messageId),
    chat_id: chatId,
    content: message.content,
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
  const { role, content, createdAt, finishReason } = message;
  return {
    role,
    content,
    timestamp: createdAt.getTime(),
    ...(finishReason === null ? {} : { finishReason }),
  };
}

/** `usage` on the Conversations API. */
export function tokenUsageView(usage: TokenUsage): TokenUsageDto {
  const { promptTokens, completionTokens, totalTokens, estimated } = usage;
  return { promptTokens, completionTokens, totalTokens, ...(estimated ? { estimated } : {}) };
}
