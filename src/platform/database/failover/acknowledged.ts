import type { Sql } from '../runner';

/** A message that was acknowledged; UUIDs. */
export interface AcknowledgedMessage {
  readonly tenantId: string;
  readonly roomId: string;
  readonly messageId: string;
}

/** How many of the messages the log does not have. Run as the system role. */
export type CountMissing = (sql: Sql, messages: readonly AcknowledgedMessage[]) => Promise<number>;

/** What has to be found in a database for it to have everything that was acknowledged. */
export interface LastAcknowledged {
  /** To be found in `instance.database_server`; undefined: something later is looked up instead. */
  readonly mark: string | undefined;
  readonly messages: readonly AcknowledgedMessage[];
  /** Something was acknowledged that cannot be looked up, and nothing since then that can. */
  readonly isInDoubt: boolean;
}

/** Messages are looked up for so long after the last one; then a mark stands for them, for they may expire. */
const SETTLED_MS = 60_000;

interface Acknowledged<T> {
  readonly at: number;
  readonly what: T;
}

/**
 * Remembers what this server has acknowledged last, so that it can be looked up in a database that has taken the place
 * of the one that acknowledged it.
 *
 * A database that was promoted, or put back, has a prefix of the log of transactions (WAL): where it has a transaction, it
 * has all that were committed before that one. So the last one is enough, and no transaction has to be told its place in
 * the WAL. Which one was last is not known of those that ran at the same time; but what was acknowledged before another
 * one began lies before it. So this holds what no later transaction covers: the newest messages of each writer, some
 * hundreds at most.
 *
 * Two things can be looked up: a message, by its id, and a mark, which is a UUID that the watch stores in `instance`. Other
 * changes of rooms have positions, too (`rev`), and nothing that another change could not have as well: they are in doubt
 * until a message or a mark that began after them is acknowledged. The watch stores a mark while there is doubt, once a
 * second, so doubt lasts about a second; where only messages are sent no mark is stored.
 *
 * What is no change of a room is not watched: no client has a position in it.
 *
 * All state is touched between awaits only.
 */
export class AcknowledgedChanges {
  /** Set by the watch: where there is none nothing is remembered. */
  isWatched = false;
  private batches: readonly Acknowledged<readonly AcknowledgedMessage[]>[] = [];
  private mark: Acknowledged<string> | undefined;
  private doubtedAt: number | undefined;
  private count: CountMissing | undefined;

  /** @param now in milliseconds, never falling */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** @param count the one way to look messages up */
  countMissingWith(count: CountMissing): void {
    this.count = count;
  }

  /** Messages were committed by transactions that began at `begunAt` (`performance.now()`) or later. */
  appended(begunAt: number, messages: readonly AcknowledgedMessage[]): void {
    if (!this.isWatched || messages.length === 0) return;
    this.cover(begunAt);
    this.batches = [...this.batches, { at: this.now(), what: messages }];
  }

  /** A room was changed otherwise, or may have been. */
  changed(): void {
    if (this.isWatched) this.doubtedAt = this.now();
  }

  /** A mark was stored by a transaction that began at `begunAt`. */
  marked(begunAt: number, mark: string): void {
    this.cover(begunAt);
    this.mark = { at: this.now(), what: mark };
  }

  /** Everything is found, or given up: from here on this mark is what there is. */
  begin(mark: string): void {
    this.batches = [];
    this.doubtedAt = undefined;
    this.mark = { at: this.now(), what: mark };
  }

  /** Whether a mark is to be stored. */
  get wantsMark(): boolean {
    if (this.doubtedAt !== undefined) return true;
    const settled = this.now() - SETTLED_MS;
    return this.batches.some(({ at }) => at < settled);
  }

  get last(): LastAcknowledged {
    return {
      mark: this.mark?.what,
      messages: this.batches.flatMap(({ what }) => what),
      isInDoubt: this.doubtedAt !== undefined,
    };
  }

  /** How many of the messages a database lacks; all of them where nobody can say. */
  countMissing(sql: Sql, messages: readonly AcknowledgedMessage[]): Promise<number> {
    if (messages.length === 0) return Promise.resolve(0);
    return this.count?.(sql, messages) ?? Promise.resolve(messages.length);
  }

  /** What was acknowledged before a transaction began that is acknowledged now. */
  private cover(begunAt: number): void {
    this.batches = this.batches.filter(({ at }) => at >= begunAt);
    if (this.mark !== undefined && this.mark.at < begunAt) this.mark = undefined;
    if (this.doubtedAt !== undefined && this.doubtedAt < begunAt) this.doubtedAt = undefined;
  }
}
