import { setTimeout as pause } from 'node:timers/promises';
import type { Ending, JobsRepository } from './jobs.repository';

interface Waiting {
  readonly ending: Ending;
  readonly settle: (wasOurs: boolean) => void;
}

const RETRY_MS = 250;
const MAX_BATCH = 500;

/** Writes how jobs ended: what comes while a statement runs goes together in the next one. */
export class Endings {
  private waiting: Waiting[] = [];
  private isRunning = false;
  private hasGivenUp = false;

  constructor(private readonly repository: Pick<JobsRepository, 'end'>) {}

  /** Resolves when it is stored: false when the job had been taken over, or could not be written before `giveUp`. */
  write(ending: Ending): Promise<boolean> {
    return new Promise((settle) => {
      this.waiting.push({ ending, settle });
      if (!this.isRunning) void this.run();
    });
  }

  /** Whatever cannot be written now will not be: the leases run out instead. */
  giveUp(): void {
    this.hasGivenUp = true;
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    // What else ends in this turn comes along.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, MAX_BATCH);
      const stored = await this.store(batch.map(({ ending }) => ending));
      for (const { ending, settle } of batch) settle(stored.has(ending.id));
    }
    this.isRunning = false;
  }

  /** Again and again until the database takes it: the fence makes a repetition harmless. */
  private async store(endings: readonly Ending[]): Promise<ReadonlySet<number>> {
    for (;;) {
      try {
        return await this.repository.end(endings);
      } catch {
        if (this.hasGivenUp) return new Set();
        await pause(RETRY_MS);
      }
    }
  }
}
