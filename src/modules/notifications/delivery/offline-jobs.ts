import type { NewJob } from '../../../platform/jobs';

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

/**
 * Who has something else to do for users who are offline (a webhook); implemented above. Its jobs are stored in the
 * transaction in which the fan-out goes on, so they exist exactly once per batch of targets, whatever dies.
 */
export abstract class OfflineJobs {
  /** None where the tenant wants nothing of it. */
  abstract jobsFor(targets: OfflineTargets): readonly NewJob[];
}
