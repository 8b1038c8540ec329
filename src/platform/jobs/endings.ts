import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Batching } from '../../common/batching';
import { type Ending, JobsRepository } from './jobs.repository';

const RETRY_MS = 250;

/** Writes how jobs ended, in batches, again and again until the database takes it: the fence makes that harmless. */
@Injectable()
export class Endings {
  private hasGivenUp = false;
  private readonly batching = new Batching<Ending, boolean>(async (endings) => {
    const stored = await this.store(endings);
    return endings.map(({ id }) => stored.has(id));
  });

  constructor(@Inject(JobsRepository) private readonly repository: Pick<JobsRepository, 'end'>) {}

  /** Resolves when it is stored: false when the job had been taken over, or could not be written before `giveUp`. */
  write(ending: Ending): Promise<boolean> {
    return this.batching.add(ending);
  }

  /** Whatever cannot be written now will not be: the leases run out instead. */
  giveUp(): void {
    this.hasGivenUp = true;
  }

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
