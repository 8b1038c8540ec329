import type { Sql } from '../runner';

/** A message that was acknowledged; UUIDs. */
export interface AcknowledgedMessage {
  readonly tenantId: string;
  readonly roomId: string;
  readonly messageId: string;
}

/** What is known of when something was committed; `performance.now()`. */
interface Acknowledged {
  /** Its transaction began then or later. */
  readonly begunAt: number;
  /** It was committed then or earlier. */
  readonly at: number;
}

/** Messages that were committed together, or in one call after the other. */
export interface AcknowledgedBatch extends Acknowledged {
  readonly messages: readonly AcknowledgedMessage[];
}

/** Knows the newest messages that were acknowledged. The messages module implements it. */
export interface AcknowledgedLog {
  /** All that no later batch covers, at least. */
  readonly last: () => readonly AcknowledgedBatch[];
  /** How many of the messages a database lacks. Run as the system role. */
  readonly countMissing: (sql: Sql, messages: readonly AcknowledgedMessage[]) => Promise<number>;
}

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
 * Messages are kept by whoever writes them, so that a message on its way comes through no file more.
 *
 * All state is touched between awaits only.
 */
export class AcknowledgedChanges {
  /** Set by the watch: where there is none nothing has to be remembered. */
  isWatched = false;
  /**
   * Whether another server of ours, which acknowledged changes of this database and counts as alive, does not answer: what it
   * acknowledged last nobody can look up. Set where there are several; never rejects.
   */
  isAnotherSilent: () => Promise<boolean> = () => Promise.resolve(false);
  private mark: (Acknowledged & { readonly what: string }) | undefined;
  private changedAt = -Infinity;
  private log: AcknowledgedLog | undefined;

  /** @param now in milliseconds, never falling */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** @param log the one that there is */
  rememberedBy(log: AcknowledgedLog): void {
    this.log = log;
  }

  /** A room was changed otherwise than by a message, or may have been. */
  changed(): void {
    this.changedAt = this.now();
  }

  /** A mark was stored by a transaction that began at `begunAt`, and is in the place of the one before. */
  marked(begunAt: number, what: string): void {
    this.mark = { begunAt, at: this.now(), what };
  }

  /** Whether a mark is to be stored. */
  get wantsMark(): boolean {
    const covered = this.coveredUntil;
    if (this.changedAt >= covered) return true;
    const settled = this.now() - SETTLED_MS;
    return this.batches.some(({ at }) => at >= covered && at < settled);
  }

  get last(): LastAcknowledged {
    const covered = this.coveredUntil;
    const { mark } = this;
    return {
      mark: mark !== undefined && mark.at >= covered ? mark.what : undefined,
      messages: this.batches.flatMap(({ at, messages }) => (at >= covered ? messages : [])),
      isInDoubt: this.changedAt >= covered,
    };
  }

  /** How many of the messages a database lacks. */
  countMissing(sql: Sql, messages: readonly AcknowledgedMessage[]): Promise<number> {
    return messages.length === 0 || this.log === undefined
      ? Promise.resolve(messages.length)
      : this.log.countMissing(sql, messages);
  }

  private get batches(): readonly AcknowledgedBatch[] {
    return this.log?.last() ?? [];
  }

  /** What was acknowledged before the newest transaction began that is acknowledged. */
  private get coveredUntil(): number {
    return this.batches.reduce((until, { begunAt }) => Math.max(until, begunAt), this.mark?.begunAt ?? -Infinity);
  }
}
