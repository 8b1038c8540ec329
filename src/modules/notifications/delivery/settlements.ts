import { Injectable } from '@nestjs/common';
import { Batching } from '../../../common/batching';
import { Every } from '../../../platform/lifecycle';
import { Metrics } from '../../../platform/metrics';
import { NotificationDeliveriesRepository, type DeliveryRef, type GivenUp } from './deliveries.repository';

const EXPIRY_MS = 10 * 60_000;
/** Contract §3: after so many days a notification that nobody took is a dead letter. */
const EXPIRY_DAYS = 30;

/** Stores what became of deliveries: those of one turn, and those that come while a statement runs, in one statement. */
@Injectable()
export class Settlements {
  private readonly settling: Batching<DeliveryRef, boolean>;
  private readonly giving: Batching<GivenUp, undefined>;

  constructor(
    private readonly repository: NotificationDeliveriesRepository,
    metrics: Metrics,
  ) {
    const count = metrics.counter('chatapi_notifications_total');
    this.settling = new Batching(async (refs) => {
      const found = await repository.settle(refs);
      count.labels({ outcome: 'delivered' }).inc(found.filter(Boolean).length);
      return found;
    });
    this.giving = new Batching(async (given) => {
      await repository.giveUp(given);
      count.labels({ outcome: 'dead' }).inc(given.length);
      return given.map(() => undefined);
    });
  }

  /** The user has it. false: there is no such delivery. Doing it again changes nothing. */
  delivered(ref: DeliveryRef): Promise<boolean> {
    return this.settling.add(ref);
  }

  /** Makes a dead letter of it, unless it was delivered meanwhile. */
  async giveUp(given: GivenUp): Promise<void> {
    await this.giving.add(given);
  }

  /** Makes dead letters of all that has waited for too long. */
  @Every(EXPIRY_MS, 'notification expiry')
  async expire(): Promise<void> {
    for (let n = 1; n > 0;) n = await this.repository.expire(EXPIRY_DAYS);
  }
}
