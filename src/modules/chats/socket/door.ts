import { Injectable } from '@nestjs/common';
import { type AppError, invalid } from '../../../common/errors';
import { encodeId, isUuid } from '../../../common/ids';
import type { Caller } from '../../../platform/auth';
import { Door, type Greeting, type SocketDoor, type SocketRequest } from '../../../realtime';
import { type Chat, Chats } from '../contract';
import { errorEvent } from '../events';
import { type TokenPosition, positionOf } from '../event-id';
import { CHAT_DOCUMENT } from './document';
import { CHAT_SOCKET_PATH } from './path';

/** What a connection was opened for. */
export interface ChatEntrance {
  readonly chat: Chat;
  /** What the client has of an answer. */
  readonly resume: TokenPosition | undefined;
}

/** `/ws/chat`: one chat per connection, found before there is a connection. */
@Injectable()
@Door()
export class ChatDoor implements SocketDoor {
  readonly path = CHAT_SOCKET_PATH;
  readonly tenantLimit = 'chat_connections';
  readonly userLimit = undefined;
  readonly access = 'tenant';
  readonly clientFrames = ['message', 'stop', 'resume', 'ping'];
  readonly defaultFrame = 'message';
  readonly document = CHAT_DOCUMENT;
  /** By the caller that the connection keeps. */
  private readonly entrances = new WeakMap<Caller, ChatEntrance>();

  constructor(private readonly chats: Chats) {}

  /** Throws 400 without a chat, 404 and 403 as `Chats.get`. A key without a user acts as the chat's own. */
  async enter(request: SocketRequest, caller: Caller): Promise<Caller> {
    const resume = positionOf(undefined, request.query.get('last_event_id') ?? undefined);
    const chat = await this.chats.get(caller, chatIdOf(request));
    const acting = caller.optionalUserId === undefined ? caller.actingAs(chat.userId) : caller;
    this.entrances.set(acting, { chat, resume });
    return acting;
  }

  /** Of a connection of this door. */
  entranceOf(caller: Caller): ChatEntrance {
    const entrance = this.entrances.get(caller);
    if (entrance === undefined) throw new Error('this connection did not come in here');
    return entrance;
  }

  hello({ caller }: Greeting): object {
    return event('connection_established', {
      user_id: caller.userId,
      chat_id: this.entranceOf(caller).chat.chatId,
      tenant_id: encodeId('tenant', caller.tenantId),
    });
  }

  error(error: AppError, requestId: string | undefined, retryAfterMs?: number): object {
    return errorEvent(error, requestId, retryAfterMs);
  }

  reply(type: string, requestId: string | undefined, fields: object): object {
    return event(type, { ...fields, ...(requestId === undefined ? {} : { request_id: requestId }) });
  }

  shutdown(reconnectAfterMs: number): object {
    return event('server_shutdown', { reconnect_after_ms: reconnectAfterMs });
  }
}

/** An event of the connection itself; those of the chat are made by `events.ts`. */
export function event(type: string, fields: object): object {
  return { event_type: type, timestamp: new Date().toISOString(), ...fields };
}

/** A header counts before the URL, as with credentials; undefined for what is no id. */
function chatIdOf({ headers, query }: SocketRequest): string | undefined {
  const header = headers['x-chat-id'];
  const given = (Array.isArray(header) ? header[0] : header) ?? query.get('chat_id') ?? '';
  if (given === '') throw invalid('chat_id', 'chat_id (or X-Chat-ID) is required: the id of a chat');
  return isUuid(given) ? given : undefined;
}
