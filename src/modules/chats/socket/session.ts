import { ERROR_CATALOGUE, notFound } from '../../../common/errors';
import type { AcceptedConnection } from '../../../realtime';
import type { Chat, ChatEvent, ChatStreams, Unwatch } from '../contract';
import { chatEvent, errorEvent, failureEvent, NOTHING_SAID, type ProviderText } from '../events';
import type { TokenPosition } from '../event-id';
import { EventQueue } from './event-queue';

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

/** What one connection is told of its chat. */
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
    private readonly saidOf: ProviderText = NOTHING_SAID,
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
    if (event.type === 'tokens') {
      this.queue.tokens(event);
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
