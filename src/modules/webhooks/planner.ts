import { Injectable } from '@nestjs/common';
import { exponential, type Job, JobHandler, type JobRunner } from '../../platform/jobs';
import { WebhookDeliveriesRepository } from './deliveries.repository';
import { WebhookEndpoints } from './endpoints';
import { EventFacts } from './event-facts';
import { PLAN, type PlanPayload } from './webhooks.jobs';

/**
 * Turns what happened into deliveries: reads it, writes what is to be posted and its job.
 *
 * Killed in between, it begins anew: ids are made of what the deliveries are about, and what exists stays as it is.
 */
@Injectable()
@JobHandler({
  kind: PLAN,
  schedule: exponential(1000, 2, 60_000, 8),
  maxAttempts: 20,
  // Of one room one after the other.
  concurrency: 1,
  perTenant: 4,
  slots: 16,
})
export class Planner implements JobRunner<PlanPayload> {
  constructor(
    private readonly deliveries: WebhookDeliveriesRepository,
    private readonly endpoints: WebhookEndpoints,
    private readonly facts: EventFacts,
  ) {}

  async run({ tenantId, payload, createdAt }: Job<PlanPayload>, signal: AbortSignal): Promise<void> {
    const endpoint = await this.endpoints.find(tenantId);
    const { event } = payload;
    if (endpoint === undefined || endpoint.disabledAt !== null || !endpoint.events.includes(event)) return;
    for await (const posts of this.facts.of(tenantId, payload)) {
      signal.throwIfAborted();
      const timestamp = createdAt.toISOString();
      await this.deliveries.plan(
        tenantId,
        posts.map(({ data, ...post }) => ({
          ...post,
          type: event,
          body: JSON.stringify({ type: event, timestamp, data }),
        })),
      );
    }
  }
}
