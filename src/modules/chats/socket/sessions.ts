import { Injectable } from '@nestjs/common';
import { ERROR_CATALOGUE, notFound } from '../../../common/errors';
import { type AcceptedConnection, type Connection, OnConnection, Presence, toWire } from '../../../realtime';
import { ModelsService } from '../../models';
import { UsersService } from '../../tenants';
import { type Chat, type ChatEvent, ChatStreams, type Unwatch } from '../contract';
import { ChatsService } from '../chats/chats.service';
import {
  chatEvent,
  errorEvent,
  failureEvent,
  NO_MESSAGE,
  providerText,
  type ProviderText,
  type TokenPosition,
} from '../events';
import { CHAT_SOCKET_PATH, ChatEndpoint, event } from './endpoint';

/**
 * Tells which connection is the first that its user ever opens. A connection of /ws leaves its mark by presence: a lease
 * while it is open, `last_seen_at` afterwards; one of /ws/chat leaves `first_socket_at`.
 */
@Injectable()
export class Arrivals {
  constructor(
    private readonly users: UsersService,
    private readonly presence: Presence,
  ) {}

  /** True once per user. */
  async isFirst({ tenantId, userId }: Connection): Promise<boolean> {
    if (!(await this.users.isFirstSocket(tenantId, userId))) return false;
    return !(await this.presence.online(tenantId, [userId])).has(userId);
  }
}

/** Pieces of an answer, or of what its model thinks. */
type Piece = Extract<ChatEvent, { type: 'tokens' | 'reasoning' }>;

/** While more than this waits for the client, pieces are put together instead of queued. */
const SLOW_BYTES = 64 * 1024;
/** So many characters of them are held back at most; what is beyond counts as any queued frame (4009). */
const MOST_HELD = 256 * 1024;

/** The events of one chat on their way to one client: in order, none lost, pieces that wait as few events. */
class EventQueue {
  private held: Piece[] = [];
  private characters = 0;
  private isWaiting = false;

  constructor(
    private readonly connection: AcceptedConnection,
    private readonly chatId: string,
  ) {}

  /** Behind all tokens that came before. */
  tell(event: object): void {
    this.release();
    this.connection.sendFrame(toWire(event));
  }

  piece(piece: Piece): void {
    if (this.held.length === 0 && this.connection.waiting <= SLOW_BYTES) {
      this.send(piece);
      return;
    }
    const last = this.held.at(-1);
    if (last?.runId === piece.runId && last.type === piece.type)
      this.held[this.held.length - 1] = { ...piece, text: last.text + piece.text };
    else this.held.push(piece);
    this.characters += piece.text.length;
    if (this.characters > MOST_HELD) this.release();
    else this.wait();
  }

  private wait(): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    this.connection.onceBelow(SLOW_BYTES, () => {
      this.isWaiting = false;
      this.release();
    });
  }

  private release(): void {
    const { held } = this;
    this.held = [];
    this.characters = 0;
    for (const piece of held) this.send(piece);
  }

  private send(piece: Piece): void {
    this.connection.sendFrame(toWire(chatEvent(piece, this.chatId)));
  }
}

/** Ends of runs that a follow has told and the watch has still to tell; a run that had ended before never leaves. */
const MOST_SETTLED = 16;

/** A run that the client asked to have from some index on: told instead of by the watch, until its end. */
interface Follow {
  unwatch: Unwatch;
  isOver: boolean;
  /** What the watch told of the run until the follow has begun; for the case that it never does. */
  missed: ChatEvent[] | undefined;
  /** The watch has told the run's end. */
  isEnded: boolean;
}

/** The events of its chat that one connection gets. */
export class ChatSession {
  private readonly queue: EventQueue;
  private readonly follows = new Map<string, Follow>();
  private readonly settled = new Set<string>();
  private unwatch: Unwatch = () => undefined;
  private isOver = false;

  constructor(
    private readonly connection: AcceptedConnection,
    readonly chat: Chat,
    private readonly streams: ChatStreams,
    private readonly saidOf: ProviderText = NO_MESSAGE,
  ) {
    this.queue = new EventQueue(connection, chat.chatId);
  }

  /** Everything in the chat from here on. */
  async open(resume: TokenPosition | undefined): Promise<void> {
    const unwatch = await this.streams.watch(this.chat, (event) => this.hear(event), resume);
    if (this.isOver) unwatch();
    else this.unwatch = unwatch;
  }

  /** A run once more, after this index. Rejects with 404 for one that the chat does not have. */
  async resume({ runId, afterIndex }: TokenPosition): Promise<void> {
    const before = this.follows.get(runId);
    const follow: Follow = { unwatch: () => undefined, isOver: false, missed: before?.missed ?? [], isEnded: false };
    if (before !== undefined) end(before);
    this.follows.set(runId, follow);
    try {
      const unwatch = await this.streams.follow(this.chat, runId, afterIndex, (event) =>
        this.hearFollowed(runId, follow, event),
      );
      if (follow.isOver) unwatch();
      else follow.unwatch = unwatch;
    } catch (error) {
      this.giveUp(runId, follow);
      throw error;
    }
  }

  /** Tells this connection alone that a message is stored: it was before. */
  repeat(event: Extract<ChatEvent, { type: 'message' }>): void {
    this.tell(event);
  }

  close(): void {
    this.isOver = true;
    this.unwatch();
    for (const follow of this.follows.values()) end(follow);
    this.follows.clear();
  }

  private hear(event: ChatEvent): void {
    if ('runId' in event && this.isToldElsewhere(event)) return;
    this.tell(event);
  }

  private isToldElsewhere(event: Extract<ChatEvent, { runId: string }>): boolean {
    const { runId, type } = event;
    const follow = this.follows.get(runId);
    follow?.missed?.push(event);
    if (follow !== undefined && type === 'ended') follow.isEnded = true;
    if (follow !== undefined) return true;
    return type === 'ended' ? this.settled.delete(runId) : this.settled.has(runId);
  }

  private hearFollowed(runId: string, follow: Follow, event: ChatEvent): void {
    if (follow.isOver) return;
    follow.missed = undefined;
    this.tell(event);
    if (event.type !== 'ended') return;
    follow.isOver = true;
    this.follows.delete(runId);
    if (!follow.isEnded) this.settle(runId);
  }

  private settle(runId: string): void {
    this.settled.add(runId);
    if (this.settled.size <= MOST_SETTLED) return;
    const [oldest] = this.settled;
    if (oldest !== undefined) this.settled.delete(oldest);
  }

  /** The follow has not begun: the watch goes on as if it had not been asked for. */
  private giveUp(runId: string, follow: Follow): void {
    if (follow.isOver) return;
    end(follow);
    this.follows.delete(runId);
    for (const event of follow.missed ?? []) this.tell(event);
  }

  private tell(event: ChatEvent): void {
    const { chatId } = this.chat;
    if (event.type === 'tokens' || event.type === 'reasoning') {
      this.queue.piece(event);
      return;
    }
    if (event.type === 'deleted') {
      this.leave();
      return;
    }
    const failure = event.type === 'ended' ? failureEvent(event, chatId, undefined, this.saidOf) : undefined;
    if (failure !== undefined) this.queue.tell(failure);
    this.queue.tell(chatEvent(event, chatId, this.requestIdOf(event)));
  }

  private leave(): void {
    const error = notFound('Chat');
    this.queue.tell(errorEvent(error));
    this.connection.close(ERROR_CATALOGUE[error.code].closeCode, 'The chat was deleted');
  }

  private requestIdOf(event: ChatEvent): string | undefined {
    if (event.type !== 'message' || event.origin?.connectionId !== this.connection.id) return undefined;
    return event.origin.requestId;
  }
}

function end(follow: Follow): void {
  follow.isOver = true;
  follow.unwatch();
}

/** The connections of `/ws/chat`, each with its chat. */
@Injectable()
export class ChatSessions {
  private readonly sessions = new WeakMap<Connection, ChatSession>();

  constructor(
    private readonly endpoint: ChatEndpoint,
    private readonly arrivals: Arrivals,
    private readonly chats: ChatsService,
    private readonly streams: ChatStreams,
    private readonly models: ModelsService,
  ) {}

  of(connection: Connection): ChatSession {
    const session = this.sessions.get(connection);
    if (session === undefined) throw new Error('this connection has no chat');
    return session;
  }

  @OnConnection(CHAT_SOCKET_PATH, 'chat')
  async opened(connection: AcceptedConnection): Promise<void> {
    const { caller } = connection;
    const { chat, resume } = this.endpoint.entranceOf(caller);
    const session = new ChatSession(connection, chat, this.streams, providerText(this.models, caller));
    this.sessions.set(connection, session);
    connection.onClose(() => session.close());
    if (await this.arrivals.isFirst(connection))
      connection.sendFrame(toWire(event('user_created', { user_id: caller.userId })));
    await session.open(resume);
    // It may have been deleted before it was watched.
    await this.chats.getChat(caller, chat.chatId);
  }
}
