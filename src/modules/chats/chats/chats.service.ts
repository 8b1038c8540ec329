import { Injectable } from '@nestjs/common';
import { forbidden, invalid, notFound } from '../../../common/errors';
import { isUuid, newUuid } from '../../../common/ids';
import { MAX_METADATA_BYTES, type PageRequest } from '../../../common/limits';
import { AGENT_PREFIX } from '../../../common/text';
import { type Caller, userErased, UserRefusals } from '../../../platform/auth';
import { Database } from '../../../platform/database';
import { Effects } from '../../../platform/idempotency';
import { type EraseBatch, eraseFunction, EraseStep, type EraseWork } from '../../../platform/tenant-data';
import { changing, RoomFeed } from '../../../realtime';
import { ChatLog } from '../../messages';
import { DEFAULT_PRESET, PresetsService } from '../../models';
import { chatClear, chatCreate, chatDelete, chatExternal, chatUpdate } from '../chats.functions';
import {
  type Chat,
  type ChatFilter,
  type ChatMessage,
  EXTERNAL_CHAT_ID,
  type MessageStart,
  type NewChat,
} from '../contract';
import { LiveRuns } from '../runs/live-runs';
import { RunsRepository } from '../runs/runs.repository';
import { ChatHub, type ChatRef } from '../streams/chat-hub';
import { chatOf, ChatsRepository } from './chats.repository';
import { NEW_TITLE } from './titles';

/** Tells the watchers of a chat, and the members of its room, of changes that are no messages. */
@Injectable()
export class ChatNews {
  constructor(
    private readonly feed: RoomFeed,
    private readonly hub: ChatHub,
    private readonly live: LiveRuns,
    private readonly runs: RunsRepository,
  ) {}

  /** Makes a chat; where it is unknown whether that was committed, its user's connections look. */
  making<T>({ tenantId, chatId }: ChatRef, userId: string, change: () => Promise<T>): Promise<T> {
    return changing(this.feed, { tenantId, roomId: chatId, joined: [userId] }, change);
  }

  changing<T>({ tenantId, chatId }: ChatRef, change: () => Promise<T>): Promise<T> {
    return changing(this.feed, { tenantId, roomId: chatId }, change);
  }

  made({ tenantId, chatId }: ChatRef, userId: string): void {
    this.feed.touchRoom(tenantId, chatId, [userId], userId);
  }

  changed({ tenantId, chatId }: ChatRef): void {
    this.feed.touchRoom(tenantId, chatId);
  }

  running({ tenantId, chatId }: ChatRef): Promise<string[]> {
    return this.runs.unfinished(tenantId, chatId);
  }

  /** Answers that are to end. */
  ending(running: readonly string[]): void {
    this.live.stop(running);
  }

  deleted({ tenantId, chatId }: ChatRef, running: readonly string[]): void {
    this.live.stop(running);
    this.feed.touchRoom(tenantId, chatId);
    this.hub.publish({ tenantId, chatId }, { kind: 'deleted' });
  }
}

/** What a batch of the erase of chats may say beside others. */
interface ChatBatch extends EraseBatch {
  /** UUID of a chat that was marked as deleted. */
  readonly deleted?: string;
  /** Its answers that were under way. */
  readonly runs?: readonly string[];
}

/** Takes the chats of a user out, whole. */
@Injectable()
@EraseStep('chats')
export class ChatsErase implements EraseWork {
  readonly batch = eraseFunction('chats_erase');

  constructor(private readonly news: ChatNews) {}

  done(tenantId: string, { deleted, runs = [] }: ChatBatch): void {
    if (deleted !== undefined) this.news.deleted({ tenantId, chatId: deleted }, runs);
    else this.news.ending(runs);
  }
}

/** For whom a chat may be, and which presets there are. */
@Injectable()
export class ChatRules {
  constructor(
    private readonly presets: PresetsService,
    private readonly refusals: UserRefusals,
  ) {}

  /** @throws 403 for another user than the caller's, and for one who was erased; 400 (field `preset`) for an unknown preset */
  async check(caller: Caller, userId: string, preset: string): Promise<void> {
    refuseOthers(caller, userId);
    if (this.refusals.isRefused(caller.tenantId, userId)) throw userErased();
    if ((await this.presets.findPreset(caller.tenantId, preset)) === undefined)
      throw invalid('preset', 'There is no such preset; GET /api/presets lists them');
  }

  /** Presets of these chats that were deleted since. */
  async goneOf(chats: readonly Chat[]): Promise<ReadonlySet<string>> {
    const names = new Set(chats.map(({ preset }) => preset));
    names.delete(DEFAULT_PRESET);
    const [first] = chats;
    if (first === undefined || names.size === 0) return names;
    const known = await this.presets.known(first.tenantId, [...names]);
    return new Set([...names].filter((name) => !known.has(name)));
  }
}

/**
 * Chats. A caller with a user (a token, or a key with X-User-Id) sees that user's chats, another's are 403; a key
 * without a user sees all of its tenant. Another tenant's chat, and one that does not exist, is 404 (NOT_FOUND).
 */
@Injectable()
export class ChatsService {
  constructor(
    private readonly repository: ChatsRepository,
    private readonly database: Database,
    private readonly effects: Effects,
    private readonly rules: ChatRules,
    private readonly log: ChatLog,
    private readonly news: ChatNews,
  ) {}

  /**
   * @param chatId UUID of the new chat, for the demo data; otherwise a new one
   * @throws 403 for a chat of another user, 400 (field `preset`) for an unknown preset
   */
  createChat(caller: Caller, input: NewChat, chatId = newUuid()): Promise<Chat> {
    return this.make(caller, input, false, chatId);
  }

  /**
   * The active conversation of (tenant, user, group, preset); undefined: there is none. Throws what `create` throws.
   */
  async current(
    caller: Caller,
    { userId, groupId, preset = DEFAULT_PRESET }: Pick<NewChat, 'userId' | 'groupId' | 'preset'>,
  ): Promise<Chat | undefined> {
    await this.rules.check(caller, userId, preset);
    const row = await this.repository.active(caller.tenantId, userId, groupId ?? null, preset);
    return row && chatOf(caller.tenantId, row);
  }

  /** The same, made when there is none; racing calls get the same one. */
  active(caller: Caller, input: Pick<NewChat, 'userId' | 'groupId' | 'preset'>): Promise<Chat> {
    return this.make(caller, input, true, newUuid());
  }

  /** @param chatId dashed UUID, or undefined for an id that is malformed (404) */
  async getChat(caller: Caller, chatId: string | undefined): Promise<Chat> {
    const row = chatId === undefined ? undefined : await this.repository.find(caller.tenantId, chatId);
    if (row === undefined) throw notFound('Chat');
    refuseOthers(caller, row.user_id);
    return chatOf(caller.tenantId, row);
  }

  /**
   * A chat of the caller's user by its UUID or by what the user's own client calls it; undefined: this user has none, whoever
   * else may, or the id is none.
   */
  async findOwn({ tenantId, userId }: Caller, id: string): Promise<Chat | undefined> {
    if (!EXTERNAL_CHAT_ID.test(id)) return undefined;
    const named = isUuid(id) ? await this.repository.find(tenantId, id) : undefined;
    const row = named?.user_id === userId ? named : await this.repository.findExternal(tenantId, userId, id);
    return row && chatOf(tenantId, row);
  }

  /**
   * The chat that the caller's user calls by an id of their own, made when there is none; racing calls get the same one.
   * @throws 400 (field `preset`) for an unknown preset
   */
  async external(caller: Caller, externalId: string, preset = DEFAULT_PRESET): Promise<Chat> {
    const { tenantId, userId } = caller;
    await this.rules.check(caller, userId, preset);
    const chatId = newUuid();
    const args = {
      p_room: chatId,
      p_user: userId,
      p_external: externalId,
      p_preset: preset,
      p_agent: AGENT_PREFIX + preset,
      p_title: NEW_TITLE,
    };
    const { chat, made } = await this.news.making({ tenantId, chatId }, userId, () =>
      // The call's Idempotency-Key is that of the message which follows.
      chatExternal.call(this.database, tenantId, args),
    );
    if (made) this.news.made({ tenantId, chatId: chat.room_id }, userId);
    return chatOf(tenantId, chat);
  }

  /** Narrowed to the caller's user, if any; @throws 403 when the filter names another one. */
  async listChats(caller: Caller, filter: ChatFilter, page: PageRequest): Promise<{ chats: Chat[]; total: number }> {
    if (filter.userId !== undefined) refuseOthers(caller, filter.userId);
    const { tenantId, optionalUserId } = caller;
    const userId = filter.userId ?? optionalUserId;
    const { rows, total } = await this.repository.list(tenantId, { ...filter, userId }, page);
    return { chats: rows.map((row) => chatOf(tenantId, row)), total };
  }

  /** The beginning of the last message of each of these chats, by chatId; missing where there is none. */
  async lastMessages(chats: readonly Chat[]): Promise<ReadonlyMap<string, MessageStart>> {
    const [first] = chats;
    if (first === undefined) return new Map();
    return this.log.lastSaid(
      first.tenantId,
      chats.map((chat) => chat.chatId),
    );
  }

  /** How many answers without a word each of these chats has, by chatId; missing where there are none. */
  async silent(chats: readonly Chat[]): Promise<ReadonlyMap<string, number>> {
    const [first] = chats;
    if (first === undefined) return new Map();
    const ids = chats.map((chat) => chat.chatId);
    return new Map((await this.repository.silent(first.tenantId, ids)).map(({ room_id, n }) => [room_id, n]));
  }

  /** Presets of these chats that were deleted since: they are answered as `default` is. */
  goneOf(chats: readonly Chat[]): Promise<ReadonlySet<string>> {
    return this.rules.goneOf(chats);
  }

  /** Metadata is merged by top-level key, null removes one. */
  async updateChat(
    caller: Caller,
    chat: Chat,
    {
      title,
      metadata,
    }: { readonly title?: string | undefined; readonly metadata?: Record<string, unknown> | undefined },
  ): Promise<Chat> {
    if (title === undefined && metadata === undefined) throw invalid('title', 'Send at least one of title, metadata');
    const args = {
      p_room: chat.chatId,
      p_title: title,
      p_metadata: metadata,
      p_max_bytes: MAX_METADATA_BYTES,
      p_only_auto: false,
    };
    const { chat: row } = await this.news.changing(chat, () => this.effects.call(caller, chatUpdate, args));
    if (row === undefined) throw notFound('Chat');
    this.news.changed(chat);
    return chatOf(chat.tenantId, row);
  }

  /** Ends running answers and deletes softly; deleting again is 404. */
  async deleteChat(caller: Caller, chat: Chat): Promise<void> {
    const by = caller.optionalUserId ?? chat.userId;
    const running = await this.news.running(chat);
    const args = { p_room: chat.chatId, p_by: by };
    await this.news.changing(chat, () => this.effects.call(caller, chatDelete, args));
    this.news.deleted(chat, running);
  }

  /** The model no longer sees what lies before this moment; history stays readable. */
  async clearChat(caller: Caller, chat: Chat): Promise<void> {
    await this.news.changing(chat, () => this.effects.call(caller, chatClear, { p_room: chat.chatId }));
  }

  /**
   * A page in order of seq ascending; `desc` takes it from the newest end and gives it newest first. `clientIds`: what their
   * senders call the messages, by messageId.
   */
  async messages(
    { tenantId, chatId, messageCount }: Chat,
    order: 'asc' | 'desc',
    { limit, offset }: PageRequest,
  ): Promise<{ messages: ChatMessage[]; clientIds: ReadonlyMap<string, string | null>; total: number }> {
    const rows = await this.log.pageOfChat(tenantId, chatId, order === 'desc', limit, offset);
    // A message that was stored since the chat was read is on the page and must not lie beyond the total.
    return {
      messages: await this.repository.messagesOf(tenantId, rows),
      clientIds: new Map(rows.map((row) => [row.message_id, row.client_message_id])),
      total: Math.max(messageCount, rows.length === 0 ? 0 : offset + rows.length),
    };
  }

  /**
   * The messages, newest first, and how many there are, but no answer without a word: one (it failed, or was stopped
   * before its first token) is no turn of a conversation.
   */
  async turns(chat: Chat, { limit, offset }: PageRequest): Promise<{ messages: ChatMessage[]; total: number }> {
    const { tenantId, chatId, messageCount } = chat;
    const [rows, silent] = await Promise.all([this.log.said(tenantId, chatId, limit, offset), this.silent([chat])]);
    return {
      messages: await this.repository.messagesOf(tenantId, rows),
      total: Math.max(messageCount - (silent.get(chatId) ?? 0), rows.length === 0 ? 0 : offset + rows.length),
    };
  }

  private async make(caller: Caller, input: NewChat, isActive: boolean, chatId: string): Promise<Chat> {
    const { tenantId } = caller;
    const { userId, groupId, title, metadata, preset = DEFAULT_PRESET } = input;
    await this.rules.check(caller, userId, preset);
    const args = {
      p_room: chatId,
      p_user: userId,
      p_group: groupId,
      p_preset: preset,
      p_agent: AGENT_PREFIX + preset,
      p_title: title ?? NEW_TITLE,
      p_metadata: metadata,
      p_auto_title: title === undefined,
      p_active: isActive,
    };
    const { chat, made } = await this.news.making({ tenantId, chatId }, userId, () =>
      isActive
        ? // The call's Idempotency-Key is that of the message which follows.
          chatCreate.call(this.database, tenantId, args)
        : this.effects.call(caller, chatCreate, args),
    );
    if (made) this.news.made({ tenantId, chatId: chat.room_id }, userId);
    return chatOf(tenantId, chat);
  }
}

/** A caller with a user sees that user's chats and no others. */
function refuseOthers({ optionalUserId }: Caller, userId: string): void {
  if (optionalUserId !== undefined && optionalUserId !== userId) throw forbidden('This chat belongs to another user');
}
