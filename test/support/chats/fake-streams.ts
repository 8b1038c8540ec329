import { notFound } from '../../../src/common/errors';
import {
  type Chat,
  type ChatEvent,
  type ChatMessage,
  ChatStreams,
  type ChatWatcher,
  type Unwatch,
} from '../../../src/modules/chats/contract';

export const CHAT: Chat = {
  tenantId: '01900000-0000-7000-8000-0000000000a0',
  chatId: '01900000-0000-7000-8000-0000000000f0',
  userId: 'alice',
  groupId: null,
  preset: 'default',
  externalId: null,
  title: 'Chat',
  metadata: {},
  createdAt: new Date(0),
  updatedAt: new Date(0),
  lastMessageAt: null,
  messageCount: 0,
  lastSeq: 0,
};

export const RUN = '01900000-0000-7000-8000-0000000000e1';
export const RUN_ID = 'msg_019000000000700080000000000000e1';

/** A message of the chat. */
export function message(content: string, more: Partial<ChatMessage> = {}): ChatMessage {
  return {
    messageId: '01900000-0000-7000-8000-0000000000e0',
    seq: 1,
    role: 'user',
    senderId: 'alice',
    content,
    metadata: null,
    status: 'completed',
    replyToSeq: null,
    usage: null,
    finishReason: null,
    createdAt: new Date(0),
    deletedAt: null,
    ...more,
  };
}

export const started = (afterIndex = -1, runId = RUN): ChatEvent => ({ type: 'started', runId, afterIndex });
export const tokens = (text: string, index: number, runId = RUN): ChatEvent => ({ type: 'tokens', runId, text, index });
export function ended(content: string, more: Partial<ChatMessage> = {}, runId = RUN): ChatEvent {
  const answer = message(content, { messageId: runId, seq: 2, role: 'assistant', replyToSeq: 1, ...more });
  return { type: 'ended', runId, answer };
}

/** A follow that the test answers. */
export interface PendingFollow {
  readonly runId: string;
  readonly afterIndex: number;
  readonly watcher: ChatWatcher;
  begin(): void;
  fail(error?: Error): void;
  isOver: boolean;
}

/** Streams of one chat, in the hands of a test. */
export class FakeStreams extends ChatStreams {
  watcher: ChatWatcher | undefined;
  resumed: object | undefined;
  readonly follows: PendingFollow[] = [];
  /** What `watch` waits for. */
  gate: Promise<void> = Promise.resolve();

  tell(...events: readonly ChatEvent[]): void {
    for (const event of events) this.watcher?.(event);
  }

  async watch(_: object, watcher: ChatWatcher, resume?: object): Promise<Unwatch> {
    this.watcher = watcher;
    this.resumed = resume;
    await this.gate;
    return () => (this.watcher = undefined);
  }

  follow(_: object, runId: string, afterIndex: number, watcher: ChatWatcher): Promise<Unwatch> {
    return new Promise((resolve, reject) => {
      const follow: PendingFollow = {
        runId,
        afterIndex,
        watcher,
        begin: () => resolve(() => (follow.isOver = true)),
        fail: (error = notFound('Message')) => reject(error),
        isOver: false,
      };
      this.follows.push(follow);
    });
  }

  running(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  hasAfter(): Promise<boolean> {
    return Promise.resolve(false);
  }
}
