import { Injectable } from '@nestjs/common';
import { Every } from '../../platform/lifecycle';
import { WebhookDeliveriesRepository } from './deliveries.repository';

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
