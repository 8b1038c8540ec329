import { Injectable } from '@nestjs/common';
import { type AppError, invalid } from '../../../common/errors';
import { encodeId, isUuid } from '../../../common/ids';
import type { Caller } from '../../../platform/auth';
import {
  ServesEndpoint,
  type EndpointDocument,
  type Greeting,
  type SocketEndpoint,
  type SocketRequest,
} from '../../../realtime';
import type { Chat } from '../contract';
import { ChatsService } from '../chats/chats.service';
import { errorEvent, positionOf, type TokenPosition } from '../events';

/** Where the sockets of chats are opened. */
export const CHAT_SOCKET_PATH = '/ws/chat';

const INTRODUCTION = `One connection is about one chat: \`?chat_id=\` or the header \`X-Chat-ID\`. A chat that does not exist is refused with 404, another user's with 403. With a key the user is optional: without one the connection acts as the chat's own user.

Every event of the server has an \`event_type\` and a \`timestamp\`. Your frames: \`{"content":"…"}\` is a message; the others have a \`type\`. \`request_id\` and the nested form with \`data\` are as on /ws. What is refused is answered by an \`error\` event, whose \`details.hint\` says what to do.

**A message** is told to all connections of its chat by \`message_received\`, after its durable commit, whichever door it came through; your \`request_id\` comes back on your own connection alone. A retry with the same \`client_message_id\` stores nothing and is answered by \`message_received\` again, to you.

**An answer** is \`message_stream_started\`, \`message_stream_token\`…, \`message_stream_ended\`; between them \`message_stream_reasoning\` where the model thinks aloud, which is no part of it. It belongs to the server: it goes on when you leave. Tokens are numbered from 0; one event may hold several, and \`index\` is that of its last one. \`content\` of the end is the truth: replace what you have put together. An answer that fails has an \`error\` before its end, and no start where no token came.

**Coming back.** A connection is first told of the answer that is being written: \`message_stream_started\` with \`after_index\` −1, one token event with the text so far, then the live tokens. Who keeps what it has connects with \`?last_event_id=<message_id>:<index>\`, or sends \`resume {message_id, after_index}\`: then \`message_stream_started\` says by \`after_index\` after which token it goes on. If that is not the index you gave (the tokens of an answer are kept for an hour after its end), drop what you have of it. Every \`message_stream_started\` begins anew: of its message keep the tokens up to \`after_index\`, and append what follows. What you missed beside that is in \`GET /api/v1/chats/{chat_id}/messages\`.

**Limits.** 10 messages a second (a tenant's setting) and 100 other frames; 50 connections per tenant (\`chat_connections\`).`;

/** How AsyncAPI describes the socket of a chat. */
const CHAT_DOCUMENT: EndpointDocument = {
  channel: 'chat',
  introduction: INTRODUCTION,
  typeField: 'event_type',
  everyFrame: { timestamp: { type: 'string', format: 'date-time', examples: ['2026-01-31T12:00:00.000Z'] } },
  query: {
    chat_id: { type: 'string', format: 'uuid', description: 'The chat.' },
    last_event_id: {
      type: 'string',
      description:
        '`<message_id>:<index>`, also the `id` of a server-sent event: the last token that you have of an answer; it goes on after it. After the last event of an answer nothing is missing.',
    },
  },
  headers: { 'X-Chat-ID': { type: 'string', format: 'uuid', description: 'The chat, instead of `chat_id`.' } },
};

/** What a connection was opened for. */
export interface ChatEntrance {
  readonly chat: Chat;
  /** What the client has of an answer. */
  readonly resume: TokenPosition | undefined;
}

/** `/ws/chat`: one chat per connection, found before there is a connection. */
@Injectable()
@ServesEndpoint()
export class ChatEndpoint implements SocketEndpoint {
  readonly path = CHAT_SOCKET_PATH;
  readonly tenantLimit = 'chat_connections';
  readonly userLimit = undefined;
  readonly access = 'tenant';
  readonly clientFrames = ['message', 'stop', 'resume', 'ping'];
  readonly defaultFrame = 'message';
  readonly document = CHAT_DOCUMENT;
  /** By the caller that the connection keeps. */
  private readonly entrances = new WeakMap<Caller, ChatEntrance>();

  constructor(private readonly chats: ChatsService) {}

  /** Throws 400 without a chat, 404 and 403 as `ChatsService.get`. A key without a user acts as the chat's own. */
  async enter(request: SocketRequest, caller: Caller): Promise<Caller> {
    const resume = positionOf(undefined, request.query.get('last_event_id') ?? undefined);
    const chat = await this.chats.getChat(caller, chatIdOf(request));
    const acting = caller.optionalUserId === undefined ? caller.actingAs(chat.userId) : caller;
    this.entrances.set(acting, { chat, resume });
    return acting;
  }

  /** Of a connection of this endpoint. */
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
