import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import { invalid, notFound } from '../../common/errors';
import { decodeId, encodeId, newUuid } from '../../common/ids';
import { canonicalJson } from '../../common/text';
import { isoTime } from '../../common/time';
import type { FunctionAudit } from '../../platform/audit';
import type { Caller } from '../../platform/auth';
import type { SchemaFunction } from '../../platform/database';
import { Effects } from '../../platform/idempotency';
import { asJsonObject } from '../../platform/validation';
import { changing, RoomFeed } from '../../realtime';
import { roomUuid, visible } from '../rooms';
import { Appender } from './appender/appender';
import { type Appended, isStored, type MessageDraft, type NewMessage, type Stored } from './appender/item';
import type { EditMessageDto, MessageAcceptedDto, MessageDto, SendMessageDto } from './dto/message.dto';
import { type AiTurn, AiTurns, MessageFeed } from './message-feed';
import { type MessageChange, messageDelete, messageEdit, refusal } from './messages.functions';
import { MessagesRepository } from './messages.repository';
import { ReactionsRepository } from './states/reactions.repository';
import { markMine, type MessageRow, messageView } from './views';

/** Stores messages of callers, whichever API they come through. */
@Injectable()
export class MessageWriter {
  constructor(
    private readonly effects: Effects,
    private readonly appender: Appender,
    private readonly turns: AiTurns,
  ) {}

  /**
   * Resolves after the durable commit. A repeat gets the first message again and sets `caller.replayed`. A message into a
   * room of type `ai` starts a turn there; `turn` brings one that was begun already.
   * @param isBoundByKey its clientMessageId is the request's Idempotency-Key
   * @throws 403, 404, 409, 422, 429, 503
   */
  async say(caller: Caller, draft: MessageDraft, isBoundByKey: boolean, turn?: AiTurn): Promise<Stored> {
    // The key is bound first: with a client_message_id beside it, each of the two refuses another body.
    const result = await this.effects.bound(caller, async () => {
      const first = await this.append(draft, turn);
      // Rooms of type `ai` are few and the log knows them: all others need not be looked at before.
      const last = first.status === 'ai' ? await this.append(draft, await this.turns.begin(caller, draft)) : first;
      if (isStored(last)) return last;
      throw refusal(last.status, isBoundByKey);
    });
    if (result.status === 'duplicate') caller.replayed = true;
    return result;
  }

  private append(draft: MessageDraft, turn: AiTurn | undefined): Promise<Appended> {
    // Field by field: spread it costs a microsecond, of the twenty that a send takes.
    const message: NewMessage = {
      tenantId: draft.tenantId,
      roomId: draft.roomId,
      messageId: draft.messageId,
      senderId: draft.senderId,
      clientMessageId: draft.clientMessageId,
      bodyHash: bodyHash(draft.content, draft.metaText, draft.alsoEqual),
      content: draft.content,
      metaText: draft.metaText,
    };
    if (turn === undefined) return this.appender.append(message);
    const { jobs, onlyIfFree } = turn;
    return this.appender.append({ ...message, jobs, onlyIfFree, onStored: (stored) => turn.onStored(stored) });
  }
}

/** Messages: sending, reading, editing and deleting them. */
@Injectable()
export class MessagesService {
  constructor(
    private readonly repository: MessagesRepository,
    private readonly writer: MessageWriter,
    private readonly effects: Effects,
    private readonly feed: RoomFeed,
    private readonly published: MessageFeed,
    private readonly reactions: ReactionsRepository,
  ) {}

  /**
   * Stores a message; resolves after its durable commit. A repeat (client_message_id, or Idempotency-Key) gets the
   * first answer again and sets `caller.replayed`; with another body it throws 422.
   * @param messageId UUID of the new message, for the demo data; otherwise a new one
   */
  async sendMessage(
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

  async get(caller: Caller, roomId: string, messageId: string): Promise<MessageDto> {
    const message = decodeId('message', messageId) ?? null;
    const { tenantId, userId } = caller;
    const room = roomUuid(roomId);
    const { row } = visible(await this.repository.find(tenantId, room, userId, message));
    if (!row) throw notFound('Message');
    if (!row.states) return messageView(row);
    const own = await this.reactions.own(tenantId, userId, room, [row.seq]);
    return markMine(messageView(row), own.get(row.seq));
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
    const args = target(caller, roomId, messageId);
    await this.change(caller, messageDelete, args, {
      action: 'message.delete',
      target: args.p_message && encodeId('message', args.p_message),
      details: { room: encodeId('room', args.p_room) },
    } satisfies FunctionAudit<'message.delete'>);
  }

  private async change<A extends { readonly p_room: string }>(
    caller: Caller,
    fn: SchemaFunction<A, MessageChange>,
    args: A,
    audit?: FunctionAudit,
  ): Promise<MessageRow> {
    const { tenantId } = caller;
    const { p_room: roomId } = args;
    const { message, runs = [] } = await changing(this.feed, { tenantId, roomId }, () =>
      this.effects.call(caller, fn, args, { audit }),
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

/** A message's meta as JSON text; null when there is none. */
export function metaText(meta: Record<string, unknown> | string | undefined): string | null {
  return meta === undefined ? null : JSON.stringify(asJsonObject(meta));
}

/** What a repeat with the same client_message_id must be equal to: content and meta, whatever the order of keys. */
export function bodyHash(content: string, meta: string | null, alsoEqual?: string): Buffer {
  const canonical = meta === null ? '' : canonicalJson(JSON.parse(meta));
  // No meta holds a NUL: with something more no body equals one without.
  const more = alsoEqual === undefined ? '' : `\0${alsoEqual}`;
  return hash('sha256', `${content}\0${canonical}${more}`, 'buffer');
}

/** The client_message_id that binds a message: the client's, else its Idempotency-Key as a hash. */
export function bindingId(caller: Caller, clientMessageId: string | undefined): string | null {
  if (clientMessageId !== undefined) return clientMessageId;
  if (caller.idempotency === undefined) return null;
  return `key:${hash('sha256', caller.idempotency.key, 'base64url')}`;
}
