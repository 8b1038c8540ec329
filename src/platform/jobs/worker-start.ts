import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Every, Lifecycle, OnStop, StopStage } from '../lifecycle';
import { Jobs } from './jobs';
import { JobWorker } from './worker';

/** The backstop for wake-ups that were lost, and the grain of delays. */
const POLL_MS = 500;
const RENEW_MS = 4000;

/** Runs the worker from when the application is initialised until the server stops. */
@Injectable()
export class WorkerStart implements OnApplicationBootstrap {
  private unsubscribe: () => void = () => undefined;

  constructor(
    private readonly worker: JobWorker,
    private readonly jobs: Jobs,
    private readonly lifecycle: Lifecycle,
  ) {}

  onApplicationBootstrap(): void {
    // What a wake-up could not claim the poll claims, and says why if it fails.
    this.unsubscribe = this.jobs.onWake(() => void this.worker.pump().catch(() => undefined));
  }

  /** Ends after `stop`, which lets go of wake-ups first: one that came while the poll ends would start jobs. */
  @Every(POLL_MS, 'jobs', StopStage.log)
  poll(): Promise<void> {
    return this.worker.pump();
  }

  /** Goes on while what runs is waited for. */
  @Every(RENEW_MS, 'job leases', StopStage.log)
  renew(): Promise<void> {
    return this.worker.renew();
  }

  /** As long as its stage: the worker has bounds of its own. */
  @OnStop(StopStage.workers, Infinity)
  stop(): Promise<void> {
    this.unsubscribe();
    return this.worker.stop(this.lifecycle.stageLeftMs);
  }
}
