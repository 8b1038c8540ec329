import { setTimeout as pause } from 'node:timers/promises';
import type { ChatMessage, ChatWatcher, RunFailure } from '../contract';
import type { ChatHint } from './chat-hub';
import type { RunSnapshot } from './snapshots';

/** Reads a run as it stands after an index; undefined: there is none. */
export type ReadRun = (runId: string, afterIndex: number) => Promise<RunSnapshot | undefined>;

const RETRY_MS = 500;
const STORED_SOON_MS = 50;
/** Ends that were told of: told again they are no news. */
const REMEMBERED = 32;

/** How a run ended. */
interface RunEnd {
  readonly answer: ChatMessage;
  readonly failure?: RunFailure | undefined;
}

type RunHint = Extract<ChatHint, { runId: string }>;

/**
 * One watcher of a chat. Hints may be lost, doubled or late, so they only drive it: what does not follow the last token
 * that it gave is read from where it is kept. While it reads, news wait; then what they repeat is dropped.
 *
 * Invariant: of each run the watcher gets `started`, tokens that follow each other without a gap or an overlap, `ended`.
 */
export class ChatWatch {
  /** Index of the last token given of each run that has begun. */
  private readonly heads = new Map<string, number>();
  private readonly over = new Set<string>();
  private waiting: ChatHint[] | undefined;
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
    // Whoever has tokens of a run that has none (its node died before it stored them) must drop them.
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
