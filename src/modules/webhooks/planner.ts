import { Injectable, type OnModuleInit } from '@nestjs/common';
import { exponential, type Job, type JobHandler, JobHandlers } from '../../platform/jobs';
import { WebhookEndpoints } from '../tenants';
import { DeliveriesRepository } from './deliveries.repository';
import { EventFacts, type PlanPayload } from './event-facts';

export const PLAN = 'webhook.plan';

/**
 * Turns what happened into deliveries: reads it, writes what is to be posted and its job.
 *
 * Killed in between, it begins anew: ids are made of what the deliveries are about, and what exists stays as it is.
 */
@Injectable()
export class Planner implements JobHandler, OnModuleInit {
  readonly schedule = exponential(1000, 2, 60_000, 8);
  readonly maxAttempts = 20;
  /** Of one room one after the other. */
  readonly concurrency = 1;
  readonly perTenant = 4;
  readonly slots = 16;

  constructor(
    private readonly handlers: JobHandlers,
    private readonly deliveries: DeliveriesRepository,
    private readonly endpoints: WebhookEndpoints,
    private readonly facts: EventFacts,
  ) {}

  onModuleInit(): void {
    this.handlers.add(PLAN, this);
  }

  async run({ tenantId, payload, createdAt }: Job, signal: AbortSignal): Promise<void> {
    const endpoint = await this.endpoints.find(tenantId);
    const { event } = payload as PlanPayload;
    if (endpoint === undefined || endpoint.disabledAt !== null || !endpoint.events.includes(event)) return;
    for await (const posts of this.facts.of(tenantId, payload as PlanPayload)) {
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
