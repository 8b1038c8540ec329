import { Injectable, type OnModuleInit } from '@nestjs/common';
import { WebhookConfig } from '../../config';
import { type Job, type JobHandler, JobHandlers, RetryJob } from '../../platform/jobs';
import { NotificationSettlements } from '../notifications';
import { type WebhookEndpoint, WebhookEndpoints } from '../tenants';
import { DELIVER, DeliveriesRepository, type PendingRow } from './deliveries.repository';
import { GONE, type Posted, Poster } from './poster';

/** Attempts of one tenant at the same time. */
const PER_TENANT = 8;
/** So many tenants with a target that hangs fill a node: attempts cost a socket and little else. */
const HANGING_TENANTS = 32;

/**
 * Posts what was planned, a job per delivery.
 *
 * Invariants: an attempt carries the delivery's id and body, whenever and by whomever it is made; what was delivered or
 * given up is not posted again; a delivery whose attempts are used up is a dead letter before its job is gone.
 */
@Injectable()
export class Deliverer implements JobHandler, OnModuleInit {
  readonly schedule: readonly number[];
  readonly maxAttempts: number;
  readonly concurrency = PER_TENANT;
  readonly perTenant = PER_TENANT;
  readonly slots = PER_TENANT * HANGING_TENANTS;

  constructor(
    private readonly handlers: JobHandlers,
    private readonly repository: DeliveriesRepository,
    private readonly endpoints: WebhookEndpoints,
    private readonly poster: Poster,
    private readonly settlements: NotificationSettlements,
    config: WebhookConfig,
  ) {
    this.schedule = config.retrySeconds.map((seconds) => Number(seconds) * 1000);
    this.maxAttempts = this.schedule.length + 1;
  }

  onModuleInit(): void {
    this.handlers.add(DELIVER, this);
  }

  async run(job: Job, signal: AbortSignal): Promise<void> {
    const { tenantId } = job;
    const id = idOf(job);
    const delivery = await this.repository.pending(tenantId, id);
    if (delivery === undefined) return;
    const endpoint = await this.endpoints.find(tenantId);
    if (endpoint === undefined) return this.giveUp(job, delivery, 'the tenant has no webhook any more');
    if (endpoint.disabledAt !== null)
      return this.giveUp(job, delivery, `the webhook is disabled: ${endpoint.disabledReason ?? ''}`);
    const posted = await this.poster.post(endpoint, id, delivery.body, signal);
    signal.throwIfAborted();
    if (posted.error === undefined) {
      await this.repository.attempted(tenantId, id, job.attempt, posted, 'delivered');
      if (endpoint.failingSince !== null) await this.endpoints.succeeded(tenantId, endpoint.url);
    } else await this.failed(job, delivery, endpoint, posted);
  }

  /** Its last worker was lost. */
  async onDead(job: Job, error: string): Promise<void> {
    const delivery = await this.repository.pending(job.tenantId, idOf(job));
    if (delivery !== undefined) await this.giveUp(job, delivery, error);
  }

  private async failed(job: Job, delivery: PendingRow, endpoint: WebhookEndpoint, posted: Posted): Promise<void> {
    const { tenantId, attempt } = job;
    const error = posted.error ?? 'failed';
    const isLast = attempt >= this.maxAttempts || posted.status === GONE;
    if (posted.status === GONE) await this.endpoints.disable(tenantId, endpoint.url, 'the target answered 410 Gone');
    else await this.endpoints.failed(tenantId, endpoint.url);
    // Before the state that ends it: whoever does this again after a crash finds it pending.
    if (isLast) await this.giveNotificationUp(job, delivery, error);
    await this.repository.attempted(tenantId, idOf(job), attempt, posted, isLast ? 'dead' : 'pending');
    if (isLast) return;
    if (posted.retryAfterMs !== undefined) throw new RetryJob(error, posted.retryAfterMs);
    throw new Error(error);
  }

  private async giveUp(job: Job, delivery: PendingRow, error: string): Promise<void> {
    await this.giveNotificationUp(job, delivery, error);
    await this.repository.bury(job.tenantId, idOf(job), job.attempt, error);
  }

  /** Whom a notification was to reach in this way does not get it (contract §3). */
  private async giveNotificationUp({ tenantId, attempt }: Job, delivery: PendingRow, error: string): Promise<void> {
    const { type, subject_id, user_ids } = delivery;
    if (type !== 'notification.offline' || subject_id === null) return;
    const given = { tenantId, notificationId: subject_id, attempts: attempt, error };
    await Promise.all((user_ids ?? []).map((userId) => this.settlements.giveUp({ ...given, userId })));
  }
}

function idOf({ payload }: Job): string {
  return String((payload as { delivery_id?: unknown }).delivery_id);
}
