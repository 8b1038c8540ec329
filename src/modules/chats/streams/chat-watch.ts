import { setTimeout as pause } from 'node:timers/promises';
import type { LoggedMessage } from '../../messages';
import { messageOf, type RunEnd } from '../chats/chats.repository';
import type { ChatWatcher } from '../contract';
import type { Followed, Missed } from './backstop';
import type { ChatHint, ChatRef } from './chat-hub';
import type { ChatState, FollowedStates, FollowedRun } from './followed.repository';

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

/** A piece of a chat's log. */
export interface LogPiece {
  /** In order of seq. */
  readonly messages: readonly LoggedMessage[];
  /** Runs that answer what lies behind the seq asked for, ended or not. */
  readonly runIds: readonly string[];
  /** There may be more behind it. */
  readonly more: boolean;
}

/** Where a watch of a chat finds what no hint has told it. */
export interface ChatReads {
  /** A run as it stands after an index; undefined: there is none, or nothing is left of it. */
  run(runId: string, afterIndex: number): Promise<RunSnapshot | undefined>;
  messages(afterSeq: number): Promise<LogPiece>;
}

/** What one watch is about. */
export interface WatchScope {
  readonly chat: ChatRef;
  /** One run and nothing else. */
  readonly only?: string;
  /** Of a whole chat: what was said up to this seq is not told. */
  readonly afterSeq?: number;
}

const RETRY_MS = 500;
const STORED_SOON_MS = 50;
/** Ends that were told: a repeat of one is no news. */
const REMEMBERED = 32;

type RunHint = Extract<ChatHint, { readonly kind: 'started' | 'tokens' | 'reasoning' | 'ended' }>;
type MessageHint = Extract<ChatHint, { readonly kind: 'message' }>;

/** Which messages of a chat were told: all up to one seq, and some beyond it. */
class ToldSeqs {
  private readonly beyond = new Set<number>();

  constructor(private last: number) {}

  /** All up to here were told, or are nothing to tell. */
  get through(): number {
    return this.last;
  }

  /** False: it was before. */
  add(seq: number): boolean {
    if (seq <= this.last || this.beyond.has(seq)) return false;
    this.beyond.add(seq);
    this.advance();
    return true;
  }

  /** Nothing up to here is to be told any more. */
  reach(seq: number): void {
    if (seq <= this.last) return;
    this.last = seq;
    for (const other of this.beyond) if (other <= seq) this.beyond.delete(other);
    this.advance();
  }

  private advance(): void {
    while (this.beyond.delete(this.last + 1)) this.last++;
  }
}

/**
 * One watcher of a chat. Hints may be lost, doubled or late, so they only drive it: what does not follow the last token
 * that it gave is read from where it is kept. While it reads, news wait; then what they repeat is dropped. What no hint
 * tells at all the backstop finds (`compare`).
 *
 * Invariants
 * - Of each run the watcher gets `started`, tokens that follow each other without a gap or an overlap, `ended`.
 * - What a model thinks is told once, in its order, right behind the tokens that came before it. It is in no store: what comes
 *   too late for that is left out.
 * - A watcher of a whole chat gets each message after its `afterSeq` once. In the order of their seqs, unless the hint of one
 *   was lost: that one comes as soon as it is found, behind those whose hints came.
 * - A message that its hint tells is told as the hint has it (whose request it was, the log does not know): so the log is
 *   read only for what was missing two looks in a row.
 */
export class ChatWatch implements Followed {
  readonly chat: ChatRef;
  readonly isWholeChat: boolean;
  private readonly only: string | undefined;
  /** Of a whole chat. */
  private readonly told: ToldSeqs | undefined;
  /** The newest message at the last look. */
  private seen = 0;
  /** Index of the last token given of each run that has begun. */
  private readonly heads = new Map<string, number>();
  /** How much of what its model thinks was told, or lost, of each run whose model does. */
  private readonly thoughts = new Map<string, number>();
  /** Runs that are known of and have not begun. */
  private readonly expected = new Set<string>();
  private readonly over = new Set<string>();
  private waiting: ChatHint[] | undefined;
  private isClosed = false;

  /** @param onEnd called when nothing more will come */
  constructor(
    private readonly reads: ChatReads,
    private readonly watcher: ChatWatcher,
    { chat, only, afterSeq = 0 }: WatchScope,
    private readonly onEnd: () => void,
  ) {
    this.chat = chat;
    this.only = only;
    this.isWholeChat = only === undefined;
    this.told = only === undefined ? new ToldSeqs(afterSeq) : undefined;
  }

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
    const snapshot = await this.reads.run(runId, afterIndex);
    if (snapshot === undefined || this.isClosed) return snapshot !== undefined;
    this.give(runId, afterIndex, snapshot);
    return true;
  }

  /** Gives what a whole chat has that was not told, and its running answer. Rejects when it cannot be read. */
  async joinChat({ lastSeq = 0, unfinished }: ChatState): Promise<void> {
    for (const { runId } of unfinished) this.expect(runId);
    await this.readLog(lastSeq);
    for (const { runId, state } of unfinished)
      if (state === 'streaming' && !this.heads.has(runId) && !this.over.has(runId)) await this.join(runId, -1);
  }

  /** News go on from here. */
  release(): void {
    const waiting = this.waiting ?? [];
    this.waiting = undefined;
    for (const hint of waiting) this.hear(hint);
  }

  hear(hint: ChatHint): void {
    if (this.isClosed) return;
    if (this.waiting !== undefined) this.waiting.push(hint);
    else if (hint.kind === 'deleted') this.delete();
    else if (hint.kind === 'message') this.hearMessage(hint);
    else if (this.only === undefined || hint.runId === this.only) this.hearRun(hint);
  }

  runIds(): Iterable<string> {
    return this.only === undefined ? new Set([...this.heads.keys(), ...this.expected]) : [this.only];
  }

  /** While it reads, nothing: what is still missing afterwards is found by the next look. */
  compare(states: FollowedStates): readonly Missed[] {
    if (this.isClosed || this.waiting !== undefined) return [];
    const chat = this.told && states.chat(this.chat);
    if (chat !== undefined && chat.lastSeq === undefined) {
      this.delete();
      return ['deletion'];
    }
    for (const { runId } of chat?.unfinished ?? []) this.expect(runId);
    const lacking = [...this.runIds()].filter((runId) => this.lacks(states.run(this.chat.tenantId, runId)));
    const upTo = this.seen;
    this.seen = chat?.lastSeq ?? 0;
    const isBehind = this.told !== undefined && upTo > this.told.through;
    if (lacking.length > 0 || isBehind) this.recover(lacking, upTo);
    return [...(isBehind ? (['message'] as const) : []), ...lacking.map(() => 'run' as const)];
  }

  private hearMessage({ message, clientMessageId, origin, runId }: MessageHint): void {
    if (this.told?.add(message.seq) !== true) return;
    this.expect(runId);
    this.watcher({ type: 'message', message, clientMessageId, ...(origin === undefined ? {} : { origin }) });
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
      else if (hint.kind === 'reasoning') {
        if (known === 0) this.think(hint);
      } else if (known < hint.ends.length) {
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

  private async joinSometime(runId: string, head: number): Promise<void> {
    try {
      await this.rejoin(runId);
      if (this.over.has(runId) || (this.heads.get(runId) ?? -1) !== head) return;
      // Another node publishes before it stores.
      await pause(STORED_SOON_MS);
    } catch {
      // The database is away, which is said elsewhere; the news that wait bring this here again.
      await pause(RETRY_MS);
    }
  }

  /** No hint has told it: news wait until it is read. */
  private recover(runIds: readonly string[], upTo: number): void {
    this.waiting = [];
    void this.recoverAll(runIds, upTo).then(() => this.release());
  }

  private async recoverAll(runIds: readonly string[], upTo: number): Promise<void> {
    try {
      await this.readLog(upTo);
      for (const runId of runIds) if (!this.over.has(runId)) await this.rejoin(runId);
    } catch {
      // The database is away, which is said elsewhere; the next look finds the same.
    }
  }

  /** Tells what the log has behind what was told, as far as it was seen to go. */
  private async readLog(upTo: number): Promise<void> {
    const { told } = this;
    if (told === undefined) return;
    for (let more = true; more && told.through < upTo && !this.isClosed;) {
      const piece = await this.reads.messages(told.through);
      for (const runId of piece.runIds) this.expect(runId);
      for (const message of piece.messages) await this.tellLogged(message, told);
      ({ more } = piece);
    }
    // What is not there any more is nothing to tell.
    told.reach(upTo);
  }

  private async tellLogged(logged: LoggedMessage, told: ToldSeqs): Promise<void> {
    const { kind, seq, message_id: id, client_message_id: clientMessageId } = logged;
    if (kind === 'assistant' && !this.over.has(id)) await this.rejoin(id);
    else if (kind === 'user' && logged.deleted_at === null && told.add(seq) && !this.isClosed)
      this.watcher({ type: 'message', message: messageOf(logged), clientMessageId });
    told.reach(seq);
  }

  /** Goes on with a run from where it is; one of which nothing is left will tell nothing more. */
  private async rejoin(runId: string): Promise<void> {
    if ((await this.join(runId, this.heads.get(runId) ?? -1)) || this.isClosed) return;
    if (this.only === undefined) this.settle(runId);
    else this.delete();
  }

  private lacks(run: FollowedRun | undefined): boolean {
    if (run === undefined || this.over.has(run.runId)) return false;
    const isUnderWay = run.state === 'queued' || run.state === 'streaming';
    return !isUnderWay || run.tokens > (this.heads.get(run.runId) ?? -1) + 1;
  }

  private expect(runId: string): void {
    if (!this.over.has(runId) && !this.heads.has(runId)) this.expected.add(runId);
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

  private think({ runId, from, text }: Extract<RunHint, { kind: 'reasoning' }>): void {
    if (from < (this.thoughts.get(runId) ?? 0)) return;
    this.thoughts.set(runId, from + text.length);
    this.begin(runId);
    this.watcher({ type: 'reasoning', runId, text });
  }

  private tokens(runId: string, text: string, index: number): void {
    this.begin(runId);
    this.heads.set(runId, index);
    this.watcher({ type: 'tokens', runId, text, index });
  }

  private end(runId: string, { answer, failure }: RunEnd): void {
    this.settle(runId);
    this.told?.add(answer.seq);
    this.watcher({ type: 'ended', runId, answer, ...(failure === undefined ? {} : { failure }) });
    if (this.only !== undefined) this.close();
  }

  /** Nothing more will be told of the run. */
  private settle(runId: string): void {
    this.heads.delete(runId);
    this.thoughts.delete(runId);
    this.expected.delete(runId);
    this.over.add(runId);
    const [oldest] = this.over;
    if (this.over.size > REMEMBERED && oldest !== undefined) this.over.delete(oldest);
  }

  private delete(): void {
    this.watcher({ type: 'deleted' });
    this.close();
  }
}
