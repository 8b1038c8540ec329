import type { Chat, ChatEvent, ChatMessage, ChatWatcher, Unwatch } from '../../../src/modules/chats/contract';
import { ChatStreams } from '../../../src/modules/chats/contract';

export const FAKE_CHAT: Chat = {
  tenantId: '019aa1c2-d3e4-7506-8728-394a5b6c7d01',
  chatId: '019aa1c2-d3e4-7506-8728-394a5b6c7d02',
  userId: 'alice',
  groupId: null,
  preset: 'default',
  externalId: null,
  title: 'A chat',
  metadata: {},
  createdAt: new Date('2026-01-31T12:00:00.000Z'),
  updatedAt: new Date('2026-01-31T12:00:01.000Z'),
  lastMessageAt: null,
  messageCount: 0,
  lastSeq: 0,
};
export const FAKE_RUN = '019aa1c2-d3e4-7506-8728-394a5b6c7d8f';
export const FAKE_RUN_ID = 'msg_019aa1c2d3e475068728394a5b6c7d8f';
export const CONVERSATION_ID = 'conv_019aa1c2d3e475068728394a5b6c7d02';

/** An answer that ended well, unless told otherwise. */
export function answerOf(more: Partial<ChatMessage> = {}): ChatMessage {
  return {
    messageId: FAKE_RUN,
    seq: 2,
    role: 'assistant',
    senderId: 'agent_default',
    content: 'Hi there',
    metadata: null,
    status: 'completed',
    replyToSeq: 1,
    usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5, estimated: false },
    finishReason: 'stop',
    createdAt: new Date('2026-01-31T12:00:02.000Z'),
    deletedAt: null,
    ...more,
  };
}

export const MODEL_FAILED: Extract<ChatEvent, { type: 'ended' }> = {
  type: 'ended',
  runId: FAKE_RUN,
  answer: answerOf({ status: 'failed', content: '', usage: null, finishReason: 'error' }),
  failure: { code: 'MODEL_ERROR', message: 'The model answered 500' },
};

/** Runs of which the test says what happens. */
export class FakeRuns extends ChatStreams {
  /** What `follow` was asked for, with the watchers that are not gone. */
  readonly followed: { runId: string; afterIndex: number; watcher: ChatWatcher }[] = [];
  /** Rejects, or holds up, the next `follow`. */
  before: () => Promise<void> = () => Promise.resolve();
  isRunning: string | undefined;
  after: (runId: string, afterIndex: number) => boolean = () => false;

  tell(event: ChatEvent): void {
    for (const { watcher } of [...this.followed]) watcher(event);
  }

  watch(): Promise<Unwatch> {
    return Promise.reject(new Error('not asked for'));
  }

  async follow(_chat: unknown, runId: string, afterIndex: number, watcher: ChatWatcher): Promise<Unwatch> {
    await this.before();
    const entry = { runId, afterIndex, watcher };
    this.followed.push(entry);
    return () => {
      const at = this.followed.indexOf(entry);
      if (at >= 0) this.followed.splice(at, 1);
    };
  }

  running(): Promise<string | undefined> {
    return Promise.resolve(this.isRunning);
  }

  hasAfter(_chat: unknown, runId: string, afterIndex: number): Promise<boolean> {
    return Promise.resolve(this.after(runId, afterIndex));
  }
}
