import { Controller, Delete, Get, HttpCode, Param, Put, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../../platform/http';
import { PinDto, PinsDto } from './dto/pin.dto';
import { ListReactionsQueryDto, ReactionPageDto, ReactionSetDto } from './dto/reaction.dto';
import { StatesService } from './states.service';

@ApiTags('Messages')
@Controller('rooms/:room_id')
export class StatesController {
  constructor(private readonly states: StatesService) {}

  /**
   * Give a message a reaction. 201 the first time, 200 again, which changes nothing.
   * @remarks
   * `key` is an emoji, percent-encoded once, or any word: 1 to 64 characters, none of them a control, compared as NFC by
   * its bytes (400). For members, also those who may not post (403). A message has at most 30 different keys (CONFLICT).
   * In a room whose setting `reactions` is `unique` mine takes the place of those that I gave before; where it is `off`,
   * 403 with `details.feature`. Members are told by a `reaction.updated` frame; it is neither unread nor activity.
   */
  @Put('messages/:message_id/reactions/:key')
  @HttpCode(201)
  @Access('user')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  @ApiCreatedResponse({ type: ReactionSetDto, description: 'I have given it now.' })
  @ApiOkResponse({ type: ReactionSetDto, description: 'I had given it already.' })
  async react(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('message_id') messageId: string,
    @Param('key') key: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReactionSetDto> {
    const { isNew, now } = await this.states.react(caller, { roomId, messageId }, key, true);
    if (!isNew) reply.status(200);
    return now;
  }

  /**
   * Take a reaction back: mine. 204 whether I had given it or not.
   * @remarks
   * Nothing changes where I had not given it, nor where the message is deleted, which has no reactions any more. 403 for
   * others than members, and where the setting `reactions` is `off`.
   */
  @Delete('messages/:message_id/reactions/:key')
  @HttpCode(204)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  async unreact(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('message_id') messageId: string,
    @Param('key') key: string,
  ): Promise<void> {
    await this.states.react(caller, { roomId, messageId }, key, false);
  }

  /**
   * List who has given which reaction to a message: by key, each in the order of giving.
   * @remarks
   * Read on with `next`; `key` asks for one alone. Whoever sees the message sees them.
   */
  @Get('messages/:message_id/reactions')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  listReactions(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('message_id') messageId: string,
    @Query() query: ListReactionsQueryDto,
  ): Promise<ReactionPageDto> {
    return this.states.listReactions(caller, { roomId, messageId }, query);
  }

  /**
   * Pin a message in its room. 201 the first time, 200 again, which changes nothing.
   * @remarks
   * For members, or for admins alone where the room's setting `pin` says so (403). A room has at most 50 pinned messages
   * (CONFLICT); a deleted one is 404, and one that is deleted later is pinned no more. Members are told by
   * `message.pinned`.
   */
  @Put('pins/:message_id')
  @HttpCode(201)
  @Access('user')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  @ApiCreatedResponse({ type: PinDto, description: 'It is pinned now.' })
  @ApiOkResponse({ type: PinDto, description: 'It was pinned already.' })
  async pin(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('message_id') messageId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PinDto> {
    const { isNew, now } = await this.states.pin(caller, { roomId, messageId });
    if (!isNew) reply.status(200);
    return now;
  }

  /**
   * Take a pinned message off. 204 whether it was pinned or not.
   * @remarks
   * For whoever may pin. Members are told by `message.unpinned`, where something changed.
   */
  @Delete('pins/:message_id')
  @HttpCode(204)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  unpin(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('message_id') messageId: string,
  ): Promise<void> {
    return this.states.unpin(caller, { roomId, messageId });
  }

  /**
   * List what is pinned in a room, the newest first, with the messages as they are now.
   * @remarks
   * There are 50 at most, so all of them come at once. A room that I am not in is 403; channels can be seen by everybody
   * in the tenant.
   */
  @Get('pins')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  listPins(@CurrentCaller() caller: Caller, @Param('room_id') roomId: string): Promise<PinsDto> {
    return this.states.listPins(caller, roomId);
  }
}
