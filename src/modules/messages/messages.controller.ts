import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Audited } from '../../platform/audit';
import { Access, type Caller } from '../../platform/auth';
import { ApiErrors, CurrentCaller, type JsonText, tagged, WithTag, WithTotal } from '../../platform/http';
import {
  ChangesDto,
  EditMessageDto,
  ListChangesQueryDto,
  ListMessagesQueryDto,
  MessageAcceptedDto,
  MessageDto,
  SendMessageDto,
} from './dto/message.dto';
import { MessagePages } from './message-pages';
import { MessagesService } from './messages.service';

@ApiTags('Messages')
@Controller('rooms/:room_id')
export class MessagesController {
  constructor(
    private readonly messages: MessagesService,
    private readonly pages: MessagePages,
  ) {}

  /**
   * Send a message. Answered after its durable commit; a retry with the same id or key gets the first answer.
   * @remarks
   * The answer comes after the commit: what was answered is never lost, and `seq` has no gaps. Give each message a
   * `client_message_id`: a retry stores nothing again and gets the first answer; with another body it is
   * IDEMPOTENCY_MISMATCH. Who is no member, or may not post here, gets 403. 503 with `details.outcome: "unknown"` may
   * be repeated with the same id.
   */
  @Post('messages')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  send(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Body() body: SendMessageDto,
  ): Promise<MessageAcceptedDto> {
    return this.messages.sendMessage(caller, roomId, body);
  }

  /**
   * List messages, ascending by seq, deleted ones as tombstones. `order=desc` gives the newest page. The header
   * `X-First-Seq` names the oldest message that the room keeps; an empty page means that there is nothing further.
   * @remarks
   * Who comes back asks with `after_seq`, the last one that it has, until a page is empty. A tombstone keeps its seq,
   * with an empty content and `deleted_at`. `X-Total-Count` counts what the cursors leave. A room that I am not in is
   * 403; channels can be read by everybody in the tenant. `around` is for a jump into the room, from a link or a hit of a search: a
   * message that the room has not, or keeps no more, is 404 with `details` `{first_seq, last_seq}`. `X-Has-Older` and `X-Has-Newer`
   * say whether there is more on either side of the page. Who has a page already asks with its `ETag` in
   * `If-None-Match`, and gets 304 while nothing of the answer has changed.
   */
  @Get('messages')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  @ApiOkResponse({ type: MessageDto, isArray: true })
  @WithTotal('X-First-Seq', 'X-Has-Older', 'X-Has-Newer')
  @WithTag()
  async list(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Query() query: ListMessagesQueryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JsonText | undefined> {
    const { total, firstSeq, hasOlder, hasNewer, facts, text } = await this.pages.messages(caller, roomId, query);
    reply.header('X-Total-Count', total);
    reply.header('X-First-Seq', firstSeq);
    reply.header('X-Has-Older', hasOlder);
    reply.header('X-Has-Newer', hasNewer);
    return tagged(reply, facts, text);
  }

  /**
   * Get one message.
   * @remarks
   * A deleted one is answered as a tombstone. A message of another room is 404, a room that I am not in 403.
   */
  @Get('messages/:message_id')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  get(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('message_id') messageId: string,
  ): Promise<MessageDto> {
    return this.messages.get(caller, roomId, messageId);
  }

  /**
   * Edit a message: its sender, while a member.
   * @remarks
   * What is not sent stays; the message keeps its seq and gets a new `rev` and `edited_at`. Another member's message
   * is 403, a deleted one 404.
   */
  @Patch('messages/:message_id')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  edit(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('message_id') messageId: string,
    @Body() body: EditMessageDto,
  ): Promise<MessageDto> {
    return this.messages.edit(caller, roomId, messageId, body);
  }

  /**
   * Delete a message: its sender or a room admin. The seq stays, the content is erased.
   * @remarks
   * A tombstone remains. A second delete changes nothing. Another member's message is 403 unless I am an admin.
   */
  @Delete('messages/:message_id')
  @HttpCode(204)
  @Access('user')
  @Audited('message.delete')
  @ApiErrors('NOT_FOUND')
  delete(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('message_id') messageId: string,
  ): Promise<void> {
    return this.messages.delete(caller, roomId, messageId);
  }

  /**
   * List what changed in the room since a revision: messages, edits, deletes, membership and settings.
   * @remarks
   * The feed from which a copy of the room can be kept: ask with the last `rev` that you have, again while
   * `has_more`. Changes come in order of `rev`, none twice. A room that I am not in is 403. The `ETag` in
   * `If-None-Match` gets 304 while nothing has changed.
   */
  @Get('changes')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  @ApiOkResponse({ type: ChangesDto })
  @WithTag()
  async changes(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Query() query: ListChangesQueryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JsonText | undefined> {
    const { facts, text } = await this.pages.changes(caller, roomId, query);
    return tagged(reply, facts, text);
  }
}
