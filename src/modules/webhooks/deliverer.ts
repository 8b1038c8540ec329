import { Injectable } from '@nestjs/common';
import { WebhookConfig } from '../../config';
import { type Job, JobHandler, type JobRunner, RetryJob } from '../../platform/jobs';
import { Every } from '../../platform/lifecycle';
import { NotificationSettlements } from '../notifications';
import { type PendingRow, WebhookDeliveriesRepository } from './deliveries.repository';
import { type WebhookEndpoint, WebhookEndpoints } from './endpoints';
import { GONE, type Posted, Poster } from './poster';
import { DELIVER, type DeliverPayload } from './webhooks.jobs';

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
@JobHandler({
  kind: DELIVER,
  concurrency: PER_TENANT,
  perTenant: PER_TENANT,
  slots: PER_TENANT * HANGING_TENANTS,
})
export class Deliverer implements JobRunner<DeliverPayload> {
  readonly schedule: readonly number[];
  readonly maxAttempts: number;

  constructor(
    private readonly repository: WebhookDeliveriesRepository,
    private readonly endpoints: WebhookEndpoints,
    private readonly poster: Poster,
    private readonly settlements: NotificationSettlements,
    config: WebhookConfig,
  ) {
    this.schedule = config.retrySeconds.map((seconds) => Number(seconds) * 1000);
    this.maxAttempts = this.schedule.length + 1;
  }

  async run(job: Job<DeliverPayload>, signal: AbortSignal): Promise<void> {
    const { tenantId } = job;
    const id = job.payload.delivery_id;
    const delivery = await this.repository.pending(tenantId, id);
    if (delivery === undefined) return;
    const endpoint = await this.endpoints.findEndpoint(tenantId);
    if (endpoint === undefined) return this.giveUp(job, delivery, 'the tenant has no webhook any more');
    if (endpoint.disabledAt !== null)
      return this.giveUp(job, delivery, `the webhook is disabled: ${endpoint.disabledReason ?? ''}`);
    const posted = await this.poster.post(endpoint, { tenantId, id, body: delivery.body }, signal);
    signal.throwIfAborted();
    if (posted.error === undefined) {
      await this.repository.attempted(tenantId, id, job.attempt, posted, 'delivered');
      if (endpoint.failingSince !== null) await this.endpoints.markSucceeded(tenantId, endpoint.url);
    } else await this.failed(job, delivery, endpoint, posted);
  }

  /** Its last worker was lost. */
  async onDead({ payload, ...job }: Job<Partial<DeliverPayload>>, error: string): Promise<void> {
    const { delivery_id } = payload;
    if (delivery_id === undefined) return;
    const delivery = await this.repository.pending(job.tenantId, delivery_id);
    if (delivery !== undefined) await this.giveUp({ ...job, payload: { delivery_id } }, delivery, error);
  }

  private async failed(
    job: Job<DeliverPayload>,
    delivery: PendingRow,
    endpoint: WebhookEndpoint,
    posted: Posted,
  ): Promise<void> {
    const { tenantId, attempt } = job;
    const error = posted.error ?? 'failed';
    const isLast = attempt >= this.maxAttempts || posted.status === GONE;
    if (posted.status === GONE) await this.endpoints.disable(tenantId, endpoint.url, 'the target answered 410 Gone');
    else await this.endpoints.markFailed(tenantId, endpoint.url);
    // Before the state that ends it: the attempt after a crash finds it pending.
    if (isLast) await this.giveNotificationUp(job, delivery, error);
    await this.repository.attempted(tenantId, job.payload.delivery_id, attempt, posted, isLast ? 'dead' : 'pending');
    if (isLast) return;
    if (posted.retryAfterMs !== undefined) throw new RetryJob(error, posted.retryAfterMs);
    throw new Error(error);
  }

  private async giveUp(job: Job<DeliverPayload>, delivery: PendingRow, error: string): Promise<void> {
    await this.giveNotificationUp(job, delivery, error);
    await this.repository.bury(job.tenantId, job.payload.delivery_id, job.attempt, error);
  }

  /** The users that a notification was to reach in this way do not get it (contract §3). */
  private async giveNotificationUp(
    { tenantId, attempt }: Job<DeliverPayload>,
    delivery: PendingRow,
    error: string,
  ): Promise<void> {
    const { type, subject_id, user_ids } = delivery;
    if (type !== 'notification.offline' || subject_id === null) return;
    const given = { tenantId, notificationId: subject_id, attempts: attempt, error };
    await Promise.all((user_ids ?? []).map((userId) => this.settlements.giveUpDelivery({ ...given, userId })));
  }
}

const INTERVAL_MS = 10 * 60_000;
/** The log of what went well, in days. */
const DELIVERED_DAYS = 3;
/** Of what did not, as long as dead letters are kept. */
const FAILED_DAYS = 30;

/** Keeps the log of deliveries from growing for ever. */
@Injectable()
export class DeliveryPurge {
  constructor(private readonly repository: WebhookDeliveriesRepository) {}

  @Every(INTERVAL_MS, 'webhook log purge')
  async purge(): Promise<void> {
    for (const state of ['delivered', 'dead', 'failed'] as const) {
      const days = state === 'delivered' ? DELIVERED_DAYS : FAILED_DAYS;
      for (let n = 1; n > 0;) n = await this.repository.purge(state, days);
    }
  }
}
