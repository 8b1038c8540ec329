import { Injectable } from '@nestjs/common';
import { OnStop, StopStage } from '../../../platform/lifecycle';
import type { LiveRun } from './live-run';
import { LiveRuns } from './live-runs';
import { RunChunksRepository } from './run-chunks.repository';

/** Between two writes of tokens: as much of an answer may be lost when the server dies. */
const TICK_MS = 50;

/**
 * Stores the tokens of all answers of this node, in one statement per tick. What it cannot store now it stores with the
 * next tick; a run that somebody else has taken, or that was cancelled elsewhere, is told to stop.
 */
@Injectable()
export class ChunkWriter {
  private readonly dirty = new Set<LiveRun>();
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly repository: RunChunksRepository,
    private readonly runs: LiveRuns,
  ) {}

  @OnStop(StopStage.log)
  end(): void {
    clearTimeout(this.timer);
  }

  /** The run has new tokens. */
  mark(run: LiveRun): void {
    this.dirty.add(run);
    this.timer ??= setTimeout(() => this.tick(), TICK_MS);
  }

  /** Stores what the run has, as far as the database lets it. */
  async settle(run: LiveRun): Promise<void> {
    await this.writing;
    if (this.dirty.has(run)) await this.write();
    this.dirty.delete(run);
  }

  private tick(): void {
    this.timer = undefined;
    // The answer holds its text: what was not stored goes with the next tick.
    void this.write().then(() => {
      if (this.dirty.size > 0) this.timer ??= setTimeout(() => this.tick(), TICK_MS);
    });
  }

  private write(): Promise<void> {
    this.writing ??= this.writeAll().finally(() => (this.writing = undefined));
    return this.writing;
  }

  private async writeAll(): Promise<void> {
    const batch = [...this.dirty].map((run) => ({ run, firstIndex: run.stored, count: run.count }));
    for (const { run } of batch) this.dirty.delete(run);
    try {
      const verdicts = await this.repository.write(
        batch.map(({ run, firstIndex }) => ({ ...run.ref, fence: run.fence, firstIndex, ...run.from(firstIndex) })),
      );
      for (const { run, count } of batch) run.stored = count;
      for (const { run_id, is_lost } of verdicts) this.runs.find(run_id)?.abort.abort(is_lost ? 'lost' : 'cancelled');
    } catch {
      // Away: the pool has said so. The tokens are in memory.
      for (const { run } of batch) if (this.runs.find(run.ref.runId) === run) this.dirty.add(run);
    }
  }
}
