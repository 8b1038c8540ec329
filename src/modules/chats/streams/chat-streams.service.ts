import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { ChatLog } from '../../messages';
import { ChatsRepository, failureOf, givenUp } from '../chats/chats.repository';
import { type Chat, ChatStreams, type ChatWatcher, END_INDEX, type Unwatch } from '../contract';
import { noSuchAnswer, type TokenPosition } from '../events';
import { LiveRuns } from '../runs/live-runs';
import { type RunRow, RunsRepository, type StoredTokens } from '../runs/runs.repository';
import { ChatBackstop } from './backstop';
import { ChatHub, type ChatRef } from './chat-hub';
import { type ChatReads, ChatWatch, type LogPiece, type RunSnapshot, type WatchScope } from './chat-watch';
import { FollowedRepository } from './followed.repository';

/** Messages of a chat that are read at a time. */
const PIECE = 100;
/** Tokens are stored so long after they are published, on a node that is not busy; and ten times as long on one that is. */
const STORED_SOON_MS = 50;
const LOOKS = 10;

/** Looks at runs: in the memory of the node that writes them, else in the database. */
@Injectable()
export class RunSnapshots {
  constructor(
    private readonly live: LiveRuns,
    private readonly runs: RunsRepository,
    private readonly messages: ChatLog,
    private readonly chats: ChatsRepository,
  ) {}

  /**
   * Undefined: the chat has no such run.
   *
   * The node that writes a run publishes tokens before it stores them: who has one that is not stored yet, and comes to another
   * node with it, is waited for. Only when it does not come its node is gone, and what was published is not the run's any more.
   */
  async read(chat: ChatRef, runId: string, afterIndex: number): Promise<RunSnapshot | undefined> {
    for (let looks = 1; ; looks++) {
      const live = this.live.find(runId);
      // What is not published yet comes as news.
      if (live?.isOver === false && live.ref.chatId === chat.chatId && live.ref.tenantId === chat.tenantId)
        return { ...tail(live.from(0), afterIndex, live.published), isBegun: live.begun, ended: undefined };
      const stored = await this.readStored(chat, runId, afterIndex);
      const isAhead =
        stored?.ended === undefined && afterIndex !== END_INDEX && afterIndex > (stored?.index ?? afterIndex);
      if (!isAhead || looks === LOOKS) return stored;
      await pause(STORED_SOON_MS);
    }
  }

  private async readStored(chat: ChatRef, runId: string, afterIndex: number): Promise<RunSnapshot | undefined> {
    const { tenantId, chatId } = chat;
    const run = await this.runs.find(tenantId, chatId, runId);
    if (run === undefined) return undefined;
    const tokens = await this.runs.tokens(tenantId, runId);
    if (run.answer_seq === null) {
      const count = tokens.ends.length;
      if (run.ended_at !== null) return endedWithout(run, run.ended_at);
      return { ...tail(tokens, afterIndex, count), isBegun: count > 0, ended: undefined };
    }
    const row = await this.messages.findMessage(tenantId, chatId, runId);
    if (row === undefined) return undefined;
    const [answer] = await this.chats.messagesOf(tenantId, [row]);
    if (answer === undefined) return undefined;
    const whole = completed(tokens, answer.content);
    const count = whole.ends.length;
    const isBegun = count > 0;
    // A reader that has the end has all tokens: it gets the end again, and nothing else.
    const asked = afterIndex === END_INDEX ? count - 1 : afterIndex;
    return { ...tail(whole, asked, count), isBegun, ended: { answer, failure: failureOf(row) } };
  }
}

/** A run that has no answer and will have none: it was given up, or its chat was deleted, and nobody may ask for it. */
function endedWithout(run: RunRow, at: Date): RunSnapshot | undefined {
  if (run.state !== 'failed') return undefined;
  return { afterIndex: -1, text: '', index: -1, isBegun: false, ended: givenUp(run.run_id, run.reply_to_seq, at) };
}

/** The stored tokens may end before the answer does, or be gone: the rest is one more token. */
function completed({ text, ends }: StoredTokens, content: string): StoredTokens {
  if (!content.startsWith(text)) return { text: content, ends: [content.length] };
  return text.length === content.length ? { text, ends } : { text: content, ends: [...ends, content.length] };
}

function tail({ text, ends }: StoredTokens, asked: number, count: number): Omit<RunSnapshot, 'isBegun' | 'ended'> {
  const afterIndex = asked >= 0 && asked < count ? asked : -1;
  const start = afterIndex < 0 ? 0 : (ends[afterIndex] ?? 0);
  return { afterIndex, text: text.slice(start, count === 0 ? 0 : ends[count - 1]), index: count - 1 };
}

/** Following chats and runs on this node, wherever they are answered. */
@Injectable()
export class ChatStreamsService extends ChatStreams {
  constructor(
    private readonly hub: ChatHub,
    private readonly snapshots: RunSnapshots,
    private readonly runs: RunsRepository,
    private readonly messages: ChatLog,
    private readonly followed: FollowedRepository,
    private readonly backstop: ChatBackstop,
  ) {
    super();
  }

  async watch(chat: ChatRef & Pick<Chat, 'lastSeq'>, watcher: ChatWatcher, resume?: TokenPosition): Promise<Unwatch> {
    const watch = this.open({ chat, afterSeq: chat.lastSeq }, watcher);
    return this.begun(watch, async () => {
      if (resume !== undefined && !(await this.hasEnd(chat, resume))) await watch.join(resume.runId, resume.afterIndex);
      await watch.joinChat(await this.followed.chat(chat));
    });
  }

  async follow(chat: ChatRef, runId: string, afterIndex: number, watcher: ChatWatcher): Promise<Unwatch> {
    const watch = this.open({ chat, only: runId }, watcher);
    return this.begun(watch, async () => {
      if (!(await watch.join(runId, afterIndex))) throw noSuchAnswer();
    });
  }

  async running({ tenantId, chatId }: ChatRef): Promise<string | undefined> {
    return (await this.runs.unfinished(tenantId, chatId))[0];
  }

  async hasAfter({ tenantId, chatId }: ChatRef, runId: string, afterIndex: number): Promise<boolean> {
    const run = await this.runs.find(tenantId, chatId, runId);
    if (run === undefined) return false;
    return run.ended_at === null || afterIndex < END_INDEX;
  }

  /** Whether a reader says, rightly, that they have the run's end: nothing of it is missing. */
  private async hasEnd(chat: ChatRef, { runId, afterIndex }: TokenPosition): Promise<boolean> {
    return afterIndex === END_INDEX && !(await this.hasAfter(chat, runId, afterIndex));
  }

  /** Hints drive it, the backstop makes good what they did not bring. */
  private open(scope: WatchScope, watcher: ChatWatcher): ChatWatch {
    const ends: Unwatch[] = [];
    const watch = new ChatWatch(this.readsOf(scope.chat), watcher, scope, () => {
      for (const end of ends) end();
    });
    watch.hold();
    ends.push(
      this.hub.listen(scope.chat, (hint) => watch.hear(hint)),
      this.backstop.follow(watch),
    );
    return watch;
  }

  private readsOf(chat: ChatRef): ChatReads {
    return {
      run: (runId, afterIndex) => this.snapshots.read(chat, runId, afterIndex),
      messages: (afterSeq) => this.piece(chat, afterSeq),
    };
  }

  private async piece({ tenantId, chatId }: ChatRef, afterSeq: number): Promise<LogPiece> {
    const [messages, runIds] = await Promise.all([
      this.messages.messagesAfter(tenantId, chatId, afterSeq, PIECE),
      this.runs.answering(tenantId, chatId, afterSeq, PIECE),
    ]);
    return { messages, runIds, more: messages.length === PIECE };
  }

  /** The first look; news wait until it is done. */
  private async begun(watch: ChatWatch, look: () => Promise<void>): Promise<Unwatch> {
    try {
      await look();
    } catch (error) {
      watch.close();
      throw error;
    }
    watch.release();
    return () => watch.close();
  }
}
