import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { Throttle } from '@nestjs/throttler';
import { invalid } from '../../../common/errors';
import { pageInfo, pageRequest } from '../../../common/limits';
import { userIdFault } from '../../../common/text';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller, SuccessDto } from '../../../platform/http';
import { AI_REQUESTS } from '../../../platform/rate-limit';
import { type Chat, Chats } from '../contract';
import { ChatDto, ChatPageDto, CreateChatDto, ListChatsQueryDto, UpdateChatDto } from './dto/chat.dto';
import { ChatMessagePageDto, ListChatMessagesQueryDto } from './dto/turn.dto';
import { chatIdOf } from './ids';
import { chatMessageView, chatView } from './views';

@ApiTags('AI chats')
@Throttle(AI_REQUESTS)
@Controller('api/v1/chats')
export class ChatsController {
  constructor(private readonly chats: Chats) {}

  /**
   * Create a chat between a user and the assistant of a preset.
   * @remarks
   * With an API key `user_id` says for whom, and an id that is new makes the user; a user token makes chats of its
   * own only (403). A preset that does not exist is 400.
   */
  @Post()
  @Access('tenant')
  async create(@CurrentCaller() caller: Caller, @Body() body: CreateChatDto): Promise<ChatDto> {
    const { user_id: userId, title, metadata, preset } = body;
    return chatView(await this.chats.create(caller, { userId, title, metadata, preset }));
  }

  /**
   * List a user's chats, by creation, the newest first.
   * @remarks
   * A user token lists its own only, else 403. A user that nobody knows has none. `order=asc` gives the oldest first.
   */
  @Get('user/:user_id')
  @ApiParam({ name: 'user_id', example: 'alice' })
  @Access('tenant')
  async list(
    @CurrentCaller() caller: Caller,
    @Param('user_id') userId: string,
    @Query() query: ListChatsQueryDto,
  ): Promise<ChatPageDto> {
    const fault = userIdFault(userId);
    if (fault !== undefined) throw invalid('user_id', `user_id ${fault}`);
    const page = pageRequest(query);
    const filter = { userId, by: 'created', order: query.order ?? 'desc' } as const;
    const { chats, total } = await this.chats.list(caller, filter, page);
    const gone = await this.chats.goneOf(chats);
    return { chats: chats.map((chat) => chatView(chat, gone)), ...pageInfo(page, chats.length, total) };
  }

  /**
   * Get a chat.
   * @remarks
   * An API key sees all chats of its tenant, a user token its own (403); an unknown id is 404.
   */
  @Get(':chat_id')
  @Access('tenant')
  @ApiErrors('NOT_FOUND')
  async get(@CurrentCaller() caller: Caller, @Param('chat_id') chatId: string): Promise<ChatDto> {
    return this.shown(await this.chats.get(caller, chatIdOf(chatId)));
  }

  /**
   * Change the title or the metadata (merged).
   * @remarks
   * What is not sent stays; the metadata may have 8 KB after merging (400). Another user's chat is 403, an unknown
   * one 404.
   */
  @Patch(':chat_id')
  @Access('tenant')
  @ApiErrors('NOT_FOUND')
  async update(
    @CurrentCaller() caller: Caller,
    @Param('chat_id') chatId: string,
    @Body() body: UpdateChatDto,
  ): Promise<ChatDto> {
    const chat = await this.chats.get(caller, chatIdOf(chatId));
    return this.shown(await this.chats.update(caller, chat, body));
  }

  /**
   * Delete a chat, with its messages; an answer that is being written ends.
   * @remarks
   * The same chat is a room and a conversation: it is gone there, too. Another user's chat is 403, an unknown one
   * 404.
   */
  @Delete(':chat_id')
  @HttpCode(200)
  @Access('tenant')
  @ApiErrors('NOT_FOUND')
  async delete(@CurrentCaller() caller: Caller, @Param('chat_id') chatId: string): Promise<SuccessDto> {
    await this.chats.delete(caller, await this.chats.get(caller, chatIdOf(chatId)));
    return { success: true };
  }

  /**
   * List the messages of a chat, in order of seq. An answer is listed once it has ended.
   * @remarks
   * `status` says how an answer ended; `superseded` ones are no part of the chat any more. Pages by `limit` and
   * `offset`. Another user's chat is 403, an unknown one 404.
   */
  @Get(':chat_id/messages')
  @Access('tenant')
  @ApiErrors('NOT_FOUND')
  async messages(
    @CurrentCaller() caller: Caller,
    @Param('chat_id') chatId: string,
    @Query() query: ListChatMessagesQueryDto,
  ): Promise<ChatMessagePageDto> {
    const chat = await this.chats.get(caller, chatIdOf(chatId));
    const page = pageRequest(query);
    const { messages, total } = await this.chats.messages(chat, query.order ?? 'asc', page);
    const views = messages.map((message) => chatMessageView(chat.chatId, message));
    return { messages: views, ...pageInfo(page, views.length, total) };
  }

  private async shown(chat: Chat): Promise<ChatDto> {
    return chatView(chat, await this.chats.goneOf([chat]));
  }
}
