import { Injectable } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { ChatLog } from '../../messages';
import { failureOf, givenUp, messageOf, type RunEnd } from '../chats/chats.repository';
import { ChatStreams, type ChatWatcher, END_INDEX, type Unwatch } from '../contract';
import { noSuchAnswer, type TokenPosition } from '../events';
import { LiveRuns } from '../runs/live-runs';
import { type RunRow, RunsRepository, type StoredTokens } from '../runs/runs.repository';
import { type ChatHint, ChatHub, type ChatListener, type ChatRef } from './chat-hub';

/** A run as it stands: what it has after an index, and its end. */
export interface RunSnapshot {
  /** Where `text` begins: the index asked for, or −1 where that is none of the run's. */
  readonly afterIndex: number;
  readonly text: string;
  /** Index of the last token; equals `afterIndex` when there are no more. */
  readonly index: number;
  readonly isBegun: boolean;
  readonly ended: RunEnd | undefined;
}

/** Looks at runs: in the memory of the node that writes them, else in the database. */
@Injectable()
export class RunSnapshots {
  constructor(
    private readonly live: LiveRuns,
    private readonly runs: RunsRepository,
    private readonly messages: ChatLog,
  ) {}

  /** Undefined: the chat has no such run. */
  async read(chat: ChatRef, runId: string, afterIndex: number): Promise<RunSnapshot | undefined> {
    const live = this.live.find(runId);
    // What is not published yet comes as news.
    if (live?.isOver === false && live.ref.chatId === chat.chatId && live.ref.tenantId === chat.tenantId)
      return { ...tail(live.from(0), afterIndex, live.published), isBegun: live.begun, ended: undefined };
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
    const answer = messageOf(row);
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

/** Reads a run as it stands after an index; undefined: there is none. */
type ReadRun = (runId: string, afterIndex: number) => Promise<RunSnapshot | undefined>;

const RETRY_MS = 500;
const STORED_SOON_MS = 50;
/** Ends that were published: a repeat of one is no news. */
const REMEMBERED = 32;

type RunHint = Extract<ChatHint, { runId: string }>;

/**
 * One watcher of a chat. Hints may be lost, doubled or late, so they only drive it: what does not follow the last token
 * that it gave is read from where it is kept. While it reads, news wait; then what they repeat is dropped.
 *
 * Invariant: of each run the watcher gets `started`, tokens that follow each other without a gap or an overlap, `ended`.
 */
export class ChatWatch implements ChatListener {
  /** Index of the last token given of each run that has begun. */
  private readonly heads = new Map<string, number>();
  private readonly over = new Set<string>();
  private waiting: ChatHint[] | undefined;
  /** Hints may have been lost since it looked. */
  private isInDoubt = false;
  private isClosed = false;

  /**
   * @param only of which run to tell; undefined: of the whole chat
   * @param onEnd called when nothing more will come
   */
  constructor(
    private readonly read: ReadRun,
    private readonly watcher: ChatWatcher,
    private readonly only: string | undefined,
    private readonly onEnd: () => void,
  ) {}

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.waiting = undefined;
    this.onEnd();
  }

  /** Call before the first look, so that nothing is missed in between. */
  hold(): void {
    this.waiting = [];
  }

  /** Gives what a run has after an index; false: there is no such run. Rejects when it cannot be read. */
  async join(runId: string, afterIndex: number): Promise<boolean> {
    const snapshot = await this.read(runId, afterIndex);
    if (snapshot === undefined || this.isClosed) return snapshot !== undefined;
    this.give(runId, afterIndex, snapshot);
    return true;
  }

  /** News go on from here. */
  release(): void {
    const waiting = this.waiting ?? [];
    this.waiting = undefined;
    for (const hint of waiting) this.hear(hint);
    if (this.isInDoubt) this.lookForLost();
  }

  lookForLost(): void {
    this.isInDoubt = !this.isClosed && this.waiting !== undefined;
    if (this.isClosed || this.isInDoubt) return;
    this.waiting = [];
    void this.lookAgain().then(() => this.release());
  }

  hear(hint: ChatHint): void {
    if (this.isClosed) return;
    if (this.waiting !== undefined) this.waiting.push(hint);
    else if (hint.kind === 'deleted') {
      this.watcher({ type: 'deleted' });
      this.close();
    } else if (hint.kind === 'message') {
      if (this.only !== undefined) return;
      const { message, clientMessageId, origin } = hint;
      this.watcher({ type: 'message', message, clientMessageId, ...(origin === undefined ? {} : { origin }) });
    } else if (this.only === undefined || hint.runId === this.only) this.hearRun(hint);
  }

  private hearRun(hint: RunHint): void {
    const { runId } = hint;
    if (this.over.has(runId)) return;
    const head = this.heads.get(runId) ?? -1;
    if (hint.kind === 'started') this.begin(runId);
    else if (hint.kind === 'ended') {
      if (head + 1 < hint.count) this.catchUp(hint, head);
      else this.end(runId, hint);
    } else {
      const known = head + 1 - hint.first;
      if (known < 0) this.catchUp(hint, head);
      else if (known < hint.ends.length) {
        const text = known === 0 ? hint.text : hint.text.slice(hint.ends[known - 1]);
        this.tokens(runId, text, hint.first + hint.ends.length - 1);
      }
    }
  }

  /** Something was missed: news, this one first, wait until it is read. */
  private catchUp(hint: RunHint, head: number): void {
    this.waiting = [hint];
    void this.joinSometime(hint.runId, head).then(() => this.release());
  }

  /** Gives what the runs that it follows have by now. */
  private async lookAgain(): Promise<void> {
    for (const runId of this.only === undefined ? [...this.heads.keys()] : [this.only]) {
      try {
        if (!this.over.has(runId)) await this.join(runId, this.heads.get(runId) ?? -1);
      } catch {
        // The database is away, which is said elsewhere.
        this.isInDoubt = true;
        await pause(RETRY_MS);
      }
    }
  }

  private async joinSometime(runId: string, head: number): Promise<void> {
    try {
      await this.join(runId, head);
      if (this.over.has(runId) || (this.heads.get(runId) ?? -1) !== head) return;
      // Another node publishes before it stores.
      await pause(STORED_SOON_MS);
    } catch {
      // The database is away, which is said elsewhere; the news that wait bring this here again.
      await pause(RETRY_MS);
    }
  }

  private give(runId: string, asked: number, { afterIndex, text, index, isBegun, ended }: RunSnapshot): void {
    if (this.over.has(runId)) return;
    // A watcher that has tokens of a run that has none (its node died before it stored them) must drop them.
    if ((isBegun || asked >= 0) && this.heads.get(runId) !== afterIndex) {
      this.heads.set(runId, afterIndex);
      this.watcher({ type: 'started', runId, afterIndex });
    }
    if (text !== '') this.tokens(runId, text, index);
    if (ended !== undefined) this.end(runId, ended);
  }

  private begin(runId: string): void {
    if (this.heads.has(runId)) return;
    this.heads.set(runId, -1);
    this.watcher({ type: 'started', runId, afterIndex: -1 });
  }

  private tokens(runId: string, text: string, index: number): void {
    this.begin(runId);
    this.heads.set(runId, index);
    this.watcher({ type: 'tokens', runId, text, index });
  }

  private end(runId: string, { answer, failure }: RunEnd): void {
    this.heads.delete(runId);
    this.over.add(runId);
    const [oldest] = this.over;
    if (this.over.size > REMEMBERED && oldest !== undefined) this.over.delete(oldest);
    this.watcher({ type: 'ended', runId, answer, ...(failure === undefined ? {} : { failure }) });
    if (this.only !== undefined) this.close();
  }
}

/** Following chats and runs on this node, wherever they are answered. */
@Injectable()
export class ChatStreamsService extends ChatStreams {
  constructor(
    private readonly hub: ChatHub,
    private readonly snapshots: RunSnapshots,
    private readonly runs: RunsRepository,
  ) {
    super();
  }

  async watch(chat: ChatRef, watcher: ChatWatcher, resume?: TokenPosition): Promise<Unwatch> {
    const watch = this.open(chat, watcher, undefined);
    return this.begun(watch, async () => {
      if (resume !== undefined && !(await this.hasEnd(chat, resume))) await watch.join(resume.runId, resume.afterIndex);
      const running = await this.running(chat);
      if (running !== undefined && running !== resume?.runId) await watch.join(running, -1);
    });
  }

  async follow(chat: ChatRef, runId: string, afterIndex: number, watcher: ChatWatcher): Promise<Unwatch> {
    const watch = this.open(chat, watcher, runId);
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

  private open(chat: ChatRef, watcher: ChatWatcher, only: string | undefined): ChatWatch {
    const watch: ChatWatch = new ChatWatch(
      (runId, afterIndex) => this.snapshots.read(chat, runId, afterIndex),
      watcher,
      only,
      () => unlisten(),
    );
    const unlisten = this.hub.listen(chat, watch);
    watch.hold();
    return watch;
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
