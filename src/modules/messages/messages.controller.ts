import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access, type Caller } from '../../platform/auth';
import { ApiErrors, CurrentCaller, WithTotal } from '../../platform/http';
import {
  ChangesDto,
  EditMessageDto,
  ListChangesQueryDto,
  ListMessagesQueryDto,
  MessageAcceptedDto,
  MessageDto,
  SendMessageDto,
} from './dto/message.dto';
import { MessagesService } from './messages.service';

@ApiTags('Messages')
@Controller('rooms/:room_id')
export class MessagesController {
  constructor(private readonly messages: MessagesService) {}

  /** Send a message. Answered after its durable commit; a retry with the same id or key gets the first answer. */
  @Post('messages')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  send(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Body() body: SendMessageDto,
  ): Promise<MessageAcceptedDto> {
    return this.messages.send(caller, roomId, body);
  }

  /**
   * List messages, ascending by seq, deleted ones as tombstones. `order=desc` gives the newest page. The header
   * `X-First-Seq` names the oldest message that the room keeps; an empty page means that there is nothing further.
   */
  @Get('messages')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  @WithTotal('X-First-Seq')
  async list(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Query() query: ListMessagesQueryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MessageDto[]> {
    const { items, total, firstSeq } = await this.messages.list(caller, roomId, query);
    reply.header('X-Total-Count', total);
    reply.header('X-First-Seq', firstSeq);
    return items;
  }

  /** Get one message. */
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

  /** Edit a message: its sender, while a member. */
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

  /** Delete a message: its sender or a room admin. The seq stays, the content is erased. */
  @Delete('messages/:message_id')
  @HttpCode(204)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  delete(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('message_id') messageId: string,
  ): Promise<void> {
    return this.messages.delete(caller, roomId, messageId);
  }

  /** List what changed in the room since a revision: messages, edits, deletes, membership and settings. */
  @Get('changes')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  changes(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Query() query: ListChangesQueryDto,
  ): Promise<ChangesDto> {
    return this.messages.changes(caller, roomId, query);
  }
}
