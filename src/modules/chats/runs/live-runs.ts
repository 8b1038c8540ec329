import { Injectable } from '@nestjs/common';
import { Bus, type Topic, type Unsubscribe } from '../../../platform/cluster';
import { OnStop, StopStage } from '../../../platform/lifecycle';
import { Gauge } from '../../../platform/metrics';
import type { LiveRun } from './live-run';
import type { RunOutcome } from './run-outcome';

interface StopHint {
  readonly runIds: readonly string[];
}

const RUN_STOPS: Topic<StopHint> = 'run-stops';

/** An answer that is complete and could not be stored while its worker had it. */
export interface Unstored {
  readonly live: LiveRun;
  readonly outcome: RunOutcome;
}

/** The answers that this node is writing, and the way to end one wherever it is written. */
@Injectable()
export class LiveRuns {
  private readonly runs = new Map<string, LiveRun>();
  /** Until the run's job comes by again, here or elsewhere: the database was away. */
  private readonly unstored = new Map<string, Unstored>();

  private readonly unsubscribe: Unsubscribe;

  constructor(private readonly bus: Bus) {
    this.unsubscribe = bus.subscribe(RUN_STOPS, ({ payload }) => {
      for (const runId of payload.runIds) this.runs.get(runId)?.abort.abort('cancelled');
    });
  }

  @OnStop(StopStage.log)
  end(): void {
    this.unsubscribe();
  }

  /** How many answers are being written here. */
  @Gauge('chatapi_runs_live')
  size(): number {
    return this.runs.size;
  }

  find(runId: string): LiveRun | undefined {
    return this.runs.get(runId);
  }

  add(live: LiveRun): void {
    this.runs.set(live.ref.runId, live);
  }

  remove(live: LiveRun): void {
    if (this.runs.get(live.ref.runId) === live) this.runs.delete(live.ref.runId);
  }

  /** Ends runs on whichever node they are; a hint, as all that goes over the bus. */
  stop(runIds: readonly string[]): void {
    if (runIds.length > 0) this.bus.publish(RUN_STOPS, { runIds });
  }

  keep(runId: string, unstored: Unstored): void {
    this.unstored.set(runId, unstored);
  }

  takeUnstored(runId: string): Unstored | undefined {
    const kept = this.unstored.get(runId);
    this.unstored.delete(runId);
    return kept;
  }
}
