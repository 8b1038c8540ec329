import { Injectable } from '@nestjs/common';
import { unavailable } from '../../../common/errors';
import { Availability } from '../../../platform/database';
import { OnStop, StopStage } from '../../../platform/lifecycle';
import { Log } from '../../../platform/logging';
import { Gauge, Metrics } from '../../../platform/metrics';
import { MessageFeed } from '../message-feed';
import { AppendRepository } from './append.repository';
import { BatchWriter, type WriteOutcome } from './batch-writer';
import { FreshStatistics } from './fresh-statistics';
import { GroupCommit, type GroupCommitOptions } from './group-commit';
import type { Appended, NewMessage } from './item';

const MB = 1024 * 1024;

export const APPENDER_DEFAULTS: GroupCommitOptions = {
  batch: { items: 256, bytes: 8 * MB },
  share: { items: 32, bytes: MB },
  total: { items: 20_000, bytes: 256 * MB },
  perTenant: { items: 5000, bytes: 64 * MB },
  waiters: 2,
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
  private closed = false;

  constructor(
    repository: AppendRepository,
    private readonly availability: Availability,
    metrics: Metrics,
    private readonly feed: MessageFeed,
    log: Log,
  ) {
    const writer = new BatchWriter(repository, () => this.databaseBack());
    this.statistics = new FreshStatistics((rows) => repository.analyze(rows), log);
    this.commits = new GroupCommit(
      { write: (batch, wait) => this.write(writer, batch, wait) },
      metrics,
      APPENDER_DEFAULTS,
    );
  }

  /** Messages that are not committed yet. */
  @Gauge('chatapi_append_queue_items')
  waiting(): number {
    return this.commits.size;
  }

  /**
   * Appends a message; resolves after its commit. Rejects with 503 when the database is away or does not answer in
   * time, when too much is waiting, or when the server is stopping.
   */
  async append(message: NewMessage): Promise<Appended> {
    if (this.closed) throw unavailable('The server is stopping');
    this.availability.check();
    return this.commits.append(message);
  }

  /** Writes what is queued and takes nothing more: after requests and workers, which hand in messages as long as they run. */
  @OnStop(StopStage.log)
  async drain(): Promise<void> {
    this.closed = true;
    await this.commits.idle();
    await this.statistics.idle();
  }

  private async write(writer: BatchWriter, batch: readonly NewMessage[], wait: boolean): Promise<WriteOutcome[]> {
    const outcomes = await writer.write(batch, wait);
    this.statistics.note(outcomes.length);
    // Before the callers are answered, and also for those who gave up waiting.
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
