import { Injectable } from '@nestjs/common';
import { type AcceptedConnection, type Connection, OnConnection, toWire } from '../../../realtime';
import { Models } from '../../models';
import { Chats, ChatStreams } from '../contract';
import { providerText } from '../events';
import { Arrivals } from './arrivals';
import { ChatDoor, event } from './door';
import { CHAT_SOCKET_PATH } from './path';
import { ChatSession } from './session';

/** The connections of `/ws/chat`, each with its chat. */
@Injectable()
export class ChatSessions {
  private readonly sessions = new WeakMap<Connection, ChatSession>();

  constructor(
    private readonly door: ChatDoor,
    private readonly arrivals: Arrivals,
    private readonly chats: Chats,
    private readonly streams: ChatStreams,
    private readonly models: Models,
  ) {}

  of(connection: Connection): ChatSession {
    const session = this.sessions.get(connection);
    if (session === undefined) throw new Error('this connection has no chat');
    return session;
  }

  @OnConnection(CHAT_SOCKET_PATH, 'chat')
  async opened(connection: AcceptedConnection): Promise<void> {
    const { caller } = connection;
    const { chat, resume } = this.door.entranceOf(caller);
    const session = new ChatSession(connection, chat, this.streams, providerText(this.models, caller));
    this.sessions.set(connection, session);
    connection.onClose(() => session.close());
    if (await this.arrivals.isFirst(connection))
      connection.send(toWire(event('user_created', { user_id: caller.userId })));
    await session.open(resume);
    // It may have been deleted before it was watched.
    await this.chats.get(caller, chat.chatId);
  }
}
