/** Runs the worker from when the application is initialised until the server stops. */
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Bus } from '../cluster';
import { Every, Lifecycle, OnStop, StopStage } from '../lifecycle';
import { together, JobWakes, type Wake } from './jobs';
import { JobWorker } from './worker';

/** The backstop for wake-ups that were lost, and the grain of delays. */
const POLL_MS = 500;
const RENEW_MS = 4000;

@Injectable()
export class WorkerStart implements OnApplicationBootstrap {
  private unsubscribe: () => void = () => undefined;
  /** What came while a wake-up was being looked after. */
  private wakes: Wake | undefined;
  private isLooking = false;

  constructor(
    private readonly worker: JobWorker,
    private readonly jobWakes: JobWakes,
    private readonly bus: Bus,
    private readonly lifecycle: Lifecycle,
  ) {}

  onApplicationBootstrap(): void {
    this.unsubscribe = this.jobWakes.listen((wake) => {
      this.wakes = together(this.wakes, wake);
      if (!this.isLooking) void this.look();
    });
  }

  /** Until the next poll. Nodes that ask for the same lock do not ask together: each half to one and a half as long. */
  get pollMs(): number {
    return this.bus.isShared ? POLL_MS * (0.5 + Math.random()) : POLL_MS;
  }

  /** Ends after `stop`, which lets go of wake-ups first: one that came while the poll ends would start jobs. */
  @Every(({ pollMs }: WorkerStart) => pollMs, 'jobs', StopStage.log)
  async poll(): Promise<void> {
    await this.worker.pump();
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

  private async look(): Promise<void> {
    this.isLooking = true;
    for (let wake = this.wakes; wake !== undefined; wake = this.wakes) {
      this.wakes = undefined;
      const { tried, kinds } = wake;
      const isFull = kinds !== undefined && this.worker.isFullOf(kinds);
      // What a wake-up could not claim the poll claims, and says why if it fails.
      const lacking = isFull ? kinds : await this.worker.pump().catch(() => []);
      if (lacking.length > 0) void this.jobWakes.passOn({ tried, kinds: lacking });
    }
    this.isLooking = false;
  }
}
