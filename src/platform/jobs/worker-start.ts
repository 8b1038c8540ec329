import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { every, Lifecycle, StopStage } from '../lifecycle';
import { Log } from '../logging';
import { Jobs } from './jobs';
import { JobsRepository } from './jobs.repository';
import { JobWorker } from './worker';

/** The backstop for wake-ups that were lost, and the grain of delays. */
const POLL_MS = 500;
const RENEW_MS = 4000;
const PURGE_MS = 60 * 60_000;
const DEAD_DAYS = 30;

/** Runs the worker from when every module has added its handlers until the server stops. */
@Injectable()
export class WorkerStart implements OnApplicationBootstrap {
  constructor(
    private readonly worker: JobWorker,
    private readonly jobs: Jobs,
    private readonly repository: JobsRepository,
    private readonly lifecycle: Lifecycle,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    const { worker, log } = this;
    // What a wake-up could not claim the poll claims, and says why if it fails.
    const unsubscribe = this.jobs.onWake(() => void worker.pump().catch(() => undefined));
    const timers = [
      every(POLL_MS, 'jobs', () => worker.pump(), log),
      every(RENEW_MS, 'job leases', () => worker.renew(), log),
      every(PURGE_MS, 'dead jobs purge', () => this.repository.purgeDead(DEAD_DAYS), log),
    ];
    const stop = async (): Promise<void> => {
      unsubscribe();
      const [poll, renew, purge] = timers;
      await poll?.stop();
      await worker.stop(this.lifecycle.stageLeftMs);
      await Promise.all([renew?.stop(), purge?.stop()]);
    };
    this.lifecycle.onStop(StopStage.workers, 'jobs', stop, worker.stopMs);
  }
}
