import { Injectable } from '@nestjs/common';
import { unavailable } from '../../../common/errors';
import {
  type AcknowledgedBatch,
  AcknowledgedChanges,
  type AcknowledgedMessage,
  Availability,
  type Sql,
} from '../../../platform/database';
import { OnStop, StopStage } from '../../../platform/lifecycle';
import { Log } from '../../../platform/logging';
import { type AppendLevels, Gauge, Metrics, Stat } from '../../../platform/metrics';
import { MessageFeed } from '../message-feed';
import { appendLookup } from '../messages.functions';
import { AppendRepository } from './append.repository';
import { BatchWriter, type WriteOutcome } from './batch-writer';
import { GroupCommit, type GroupCommitOptions, type WrittenBatch } from './group-commit';
import {
  type Appended,
  isStateChange,
  type LogWrite,
  type NewMessage,
  type StateChange,
  type StateOutcome,
} from './item';

const MB = 1024 * 1024;

export const APPENDER_DEFAULTS: GroupCommitOptions = {
  batch: { items: 256, bytes: 8 * MB },
  share: { items: 32, bytes: MB },
  total: { items: 20_000, bytes: 256 * MB },
  perTenant: { items: 5000, bytes: 64 * MB },
  waiters: 2,
  lockMs: 0,
  contendedLockMs: 1000,
  answerMs: 4500,
};

/** How long a batch whose COMMIT is in doubt waits for the database to come back and tell. */
const RECOVERY_MS = 4000;
const RECOVERY_POLL_MS = 50;

/** The way into the log for the rest of the module: group commit on the real database, drained when the server stops. */
@Injectable()
export class Appender {
  private readonly commits: GroupCommit;
  private readonly statistics: FreshStatistics;
  private readonly last = new LastBatches();
  private closed = false;

  constructor(
    repository: AppendRepository,
    private readonly availability: Availability,
    metrics: Metrics,
    private readonly feed: MessageFeed,
    log: Log,
    private readonly acknowledged: AcknowledgedChanges,
  ) {
    acknowledged.rememberedBy({ last: () => this.last.all, countMissing });
    const writer = new BatchWriter(repository, () => this.databaseBack());
    this.statistics = new FreshStatistics((rows) => repository.analyze(rows), log);
    this.commits = new GroupCommit({ write: (batch, patienceMs) => this.write(writer, batch, patienceMs) }, metrics, {
      ...APPENDER_DEFAULTS,
      lockMs: repository.lockMs,
    });
  }

  /** Messages that are not committed yet. */
  @Gauge('chatapi_append_queue_items')
  waiting(): number {
    return this.commits.size;
  }

  @Stat('append')
  levels(tenantId?: string): AppendLevels {
    return this.commits.levels(tenantId);
  }

  /** The batch that a message with this time in the log was written with; undefined where it is not known. */
  batchOf(createdAt: Date): WrittenBatch | undefined {
    return this.commits.written.find(createdAt);
  }

  /**
   * Appends a message; resolves after its commit. Rejects with 503 when the database is away or does not answer in
   * time, when too much is waiting, when a standby is required and there is none, or when the server is stopping.
   */
  async append(message: NewMessage): Promise<Appended> {
    this.checkOpen();
    return this.commits.append(message);
  }

  /** Sets or takes back a state of a message, in the same turns; resolves after its commit. Rejects as `append`. */
  async change(change: StateChange): Promise<StateOutcome> {
    this.checkOpen();
    return this.commits.change(change);
  }

  private checkOpen(): void {
    if (this.closed) throw unavailable('The server is stopping');
    this.availability.checkSends();
  }

  /** Writes what is queued and takes nothing more: after requests and workers, which hand in messages as long as they run. */
  @OnStop(StopStage.log)
  async drain(): Promise<void> {
    this.closed = true;
    await this.commits.idle();
    await this.statistics.idle();
  }

  private async write(writer: BatchWriter, batch: readonly LogWrite[], lockMs: number): Promise<WriteOutcome[]> {
    const begunAt = performance.now();
    const outcomes = await writer.write(batch, lockMs);
    if (this.acknowledged.isWatched) this.last.note(begunAt, storedOf(batch, outcomes));
    this.statistics.note(outcomes.length);
    // Before the callers are answered, and also for callers that gave up waiting.
    this.feed.written(batch, outcomes);
    return outcomes;
  }

  private async databaseBack(): Promise<boolean> {
    const until = performance.now() + RECOVERY_MS;
    while (performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, RECOVERY_POLL_MS));
      if (this.availability.up && !this.availability.suspected) return true;
    }
    return false;
  }
}

/** What a failover must not lose. */
function storedOf(batch: readonly LogWrite[], outcomes: readonly WriteOutcome[]): AcknowledgedMessage[] {
  return batch.flatMap((write, i) => {
    if (outcomes[i]?.status !== 'new' || isStateChange(write)) return [];
    const { tenantId, roomId, messageId } = write;
    return [{ tenantId, roomId, messageId }];
  });
}

/** The newest batches that none is known to follow: one of each writer, as a rule (platform/database/failover). */
export class LastBatches {
  all: readonly AcknowledgedBatch[] = [];

  /** One was written by transactions that began at `begunAt`, all of which are over at `at`. */
  note(begunAt: number, messages: readonly AcknowledgedMessage[], at = performance.now()): void {
    if (messages.length === 0) return;
    const later = this.all.filter((batch) => batch.at >= begunAt);
    this.all = [...later, { begunAt, at, messages }];
  }
}

async function countMissing(sql: Sql, messages: readonly AcknowledgedMessage[]): Promise<number> {
  const found = await appendLookup.callIn(sql, {
    p_tenants: messages.map(({ tenantId }) => tenantId),
    p_rooms: messages.map(({ roomId }) => roomId),
    p_ids: messages.map(({ messageId }) => messageId),
  });
  return messages.length - found.length;
}

/** Messages written by this server after which statistics are looked at; beyond the last one autovacuum keeps up. */
const MARKS = [100, 1000, 10_000, 100_000] as const;

/**
 * Has the planner's statistics renewed while a fresh log grows: until then every plan is one for empty tables, and on
 * the append's path that is several times slower. Runs beside the appends, one at a time; a failure costs speed only.
 */
export class FreshStatistics {
  private stored = 0;
  private next = 0;
  private running: Promise<void> | undefined;

  constructor(
    private readonly analyze: (rows: number) => Promise<void>,
    private readonly log: Log,
  ) {}

  /** So many more messages are in the log. */
  note(messages: number): void {
    this.stored += messages;
    const mark = MARKS[this.next];
    if (mark === undefined || this.stored < mark || this.running) return;
    while ((MARKS[this.next] ?? Infinity) <= this.stored) this.next++;
    this.running = this.analyze(this.stored)
      .catch((error: unknown) => this.log.debug({ error: String(error) }, 'statistics were not renewed'))
      .finally(() => (this.running = undefined));
  }

  /** Resolves when none is running. */
  async idle(): Promise<void> {
    await this.running;
  }
}
