import type { Provider } from '@nestjs/common';
import { Arrivals } from './arrivals';
import { ChatDoor } from './door';
import './dto/server-events.dto';
import { ChatGateway } from './gateway';
import { ChatSessions } from './sessions';

/** For the chats module, which also provides Chats, Turns and ChatStreams. */
export const CHAT_SOCKET_PROVIDERS: Provider[] = [ChatDoor, Arrivals, ChatSessions, ChatGateway];
