import { Injectable } from '@nestjs/common';
import { invalid, notFound } from '../../common/errors';
import { decodeId, encodeId, newUuid } from '../../common/ids';
import { DEFAULT_LIMIT } from '../../common/limits';
import { isoTime } from '../../common/time';
import type { Caller } from '../../platform/auth';
import { Epoch, type SchemaFunction } from '../../platform/database';
import { Effects } from '../../platform/idempotency';
import { changing, RoomFeed } from '../../realtime';
import { roomUuid, visible } from '../rooms';
import { bindingId, metaText } from './body';
import type {
  ChangesDto,
  EditMessageDto,
  ListChangesQueryDto,
  ListMessagesQueryDto,
  MessageAcceptedDto,
  MessageDto,
  SendMessageDto,
} from './dto/message.dto';
import { changeView } from './change-view';
import { MessageFeed } from './message-feed';
import { MessageWriter } from './message-writer';
import { type MessageChange, messageDelete, messageEdit } from './messages.functions';
import { MessagesRepository, type RoomView } from './messages.repository';
import { type MessageRow, messageView } from './views';

/** Messages: sending, reading, editing and deleting them. */
@Injectable()
export class MessagesService {
  constructor(
    private readonly repository: MessagesRepository,
    private readonly writer: MessageWriter,
    private readonly effects: Effects,
    private readonly feed: RoomFeed,
    private readonly published: MessageFeed,
    private readonly epoch: Epoch,
  ) {}

  /**
   * Stores a message; resolves after its durable commit. A repeat (client_message_id, or Idempotency-Key) gets the
   * first answer again and sets `caller.replayed`; with another body it throws 422.
   * @param messageId UUID of the new message, for the demo data; otherwise a new one
   */
  async send(
    caller: Caller,
    roomId: string,
    input: SendMessageDto,
    messageId = newUuid(),
  ): Promise<MessageAcceptedDto> {
    const room = roomUuid(roomId);
    const said = {
      tenantId: caller.tenantId,
      roomId: room,
      messageId,
      senderId: caller.userId,
      content: input.content,
      metaText: metaText(input.meta),
      clientMessageId: bindingId(caller, input.client_message_id),
    };
    const result = await this.writer.say(caller, said, input.client_message_id === undefined);
    return {
      message_id: encodeId('message', result.messageId),
      seq: result.seq,
      created_at: isoTime(result.createdAt),
    };
  }

  /**
   * A page of a room's messages in order of seq; `total` counts what the cursors leave, tombstones included; `firstSeq`:
   * the oldest that is kept.
   */
  async list(
    caller: Caller,
    roomId: string,
    query: ListMessagesQueryDto,
  ): Promise<{ items: MessageDto[]; total: number; firstSeq: number }> {
    const isBefore = query.before_seq !== undefined && query.after_seq === undefined;
    const found = await this.repository.list(caller.tenantId, roomUuid(roomId), caller.userId, {
      afterSeq: query.after_seq ?? null,
      beforeSeq: query.before_seq ?? null,
      limit: query.limit ?? DEFAULT_LIMIT,
      offset: query.offset ?? 0,
      newest: query.order === undefined ? isBefore : query.order === 'desc',
    });
    const { rows, ...room } = visible(found);
    return { items: rows.map(messageView), total: countBetween(room, query), firstSeq: room.first_seq };
  }

  async get(caller: Caller, roomId: string, messageId: string): Promise<MessageDto> {
    const message = decodeId('message', messageId) ?? null;
    const { row } = visible(await this.repository.find(caller.tenantId, roomUuid(roomId), caller.userId, message));
    if (!row) throw notFound('Message');
    return messageView(row);
  }

  /** Changes content or meta (as a whole). Only the sender, while a member; a deleted message is not found. */
  async edit(caller: Caller, roomId: string, messageId: string, input: EditMessageDto): Promise<MessageDto> {
    if (input.content === undefined && input.meta === undefined)
      throw invalid('content', 'Send at least one of content, meta');
    const args = { ...target(caller, roomId, messageId), p_content: input.content, p_meta: metaText(input.meta) };
    return messageView(await this.change(caller, messageEdit, args));
  }

  /**
   * Deletes softly: the seq stays, the content is erased. The sender or a room admin; again changes nothing. The answer to
   * a question that is deleted is written no further.
   */
  async delete(caller: Caller, roomId: string, messageId: string): Promise<void> {
    await this.change(caller, messageDelete, target(caller, roomId, messageId));
  }

  /** Everything that changed in the room after a revision, in order of rev; nothing after one that it cannot tell of. */
  async changes(caller: Caller, roomId: string, query: ListChangesQueryDto): Promise<ChangesDto> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const room = roomUuid(roomId);
    const afterRev = query.after_rev ?? 0;
    const found = visible(await this.repository.changes(caller.tenantId, room, caller.userId, afterRev, limit + 1));
    const { firstRev: first_rev, lastRev: last_rev } = found;
    const common = { first_rev, last_rev, epoch: await this.epoch.read() };
    if (afterRev < first_rev || afterRev > last_rev) return { changes: [], ...common, has_more: false, reset: true };
    const rows = found.rows.slice(0, limit);
    return { changes: rows.map((row) => changeView(room, row)), ...common, has_more: found.rows.length > limit };
  }

  private async change<A extends { readonly p_room: string }>(
    caller: Caller,
    fn: SchemaFunction<A, MessageChange>,
    args: A,
  ): Promise<MessageRow> {
    const { tenantId } = caller;
    const { p_room: roomId } = args;
    const { message, runs = [] } = await changing(this.feed, { tenantId, roomId }, () =>
      this.effects.call(caller, fn, args),
    );
    this.published.changed(tenantId, roomId, message, runs);
    return message;
  }
}

function target(
  caller: Caller,
  roomId: string,
  messageId: string,
): { readonly p_room: string; readonly p_message: string | undefined; readonly p_user: string } {
  return { p_room: roomUuid(roomId), p_message: decodeId('message', messageId), p_user: caller.userId };
}

/** How many messages lie between the cursors: every seq that is kept exists, so this is a subtraction. */
function countBetween(room: RoomView, query: ListMessagesQueryDto): number {
  const low = Math.max(query.after_seq ?? 0, room.first_seq - 1);
  const high = Math.min(query.before_seq ?? room.last_seq + 1, room.last_seq + 1);
  return Math.max(0, high - low - 1);
}
