import { Injectable } from '@nestjs/common';
import type { NewJob } from '../../platform/jobs';

/** Users who had no connection when a notification was handed out to them. */
export interface OfflineTargets {
  readonly tenantId: string;
  /** UUID. */
  readonly notificationId: string;
  readonly topic: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** 1 to 1,000, in order. */
  readonly userIds: readonly string[];
}

/** Which jobs there are to be done for these users; none where the tenant wants nothing of it. */
export type OfflineJobsSource = (targets: OfflineTargets) => Promise<readonly NewJob[]>;

/**
 * The place for whoever has something else to do for users who are offline (a webhook): its jobs are stored in the
 * transaction in which the fan-out goes on, so they exist exactly once per batch of targets, whatever dies.
 */
@Injectable()
export class OfflineJobs {
  private source: OfflineJobsSource | undefined;

  /** Call while the application starts (`onModuleInit`); there is one source. */
  use(source: OfflineJobsSource): void {
    if (this.source !== undefined) throw new Error('Offline notifications have a source of jobs already');
    this.source = source;
  }

  get isUsed(): boolean {
    return this.source !== undefined;
  }

  of(targets: OfflineTargets): Promise<readonly NewJob[]> {
    return this.source?.(targets) ?? Promise.resolve([]);
  }
}
