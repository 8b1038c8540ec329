import { Injectable } from '@nestjs/common';
import { encodeId } from '../../common/ids';
import type { Sql } from '../../platform/database';
import { type DeadLetterSelection, type DeadLetters, DeadLetterSource, type FailedWebhookDto } from '../delivery';
import { WebhookDeliveriesRepository } from './deliveries.repository';

/** Replayed at a time. */
const BATCH = 1000;

/** The source of the dead letters of webhooks. A letter's id is the delivery's. */
@Injectable()
@DeadLetterSource('webhook')
export class WebhookDeadLetters implements DeadLetters<'webhook'> {
  constructor(private readonly repository: WebhookDeliveriesRepository) {}

  async list(tenantId: string, limit: number): Promise<readonly FailedWebhookDto[]> {
    return (await this.repository.dead(tenantId, limit)).map((row) => ({
      id: encodeId('deadLetter', row.delivery_id),
      webhook_id: encodeId('webhook', row.delivery_id),
      type: row.type,
      attempts: row.attempts,
      last_attempt_at: (row.last_attempt_at ?? row.created_at).toISOString(),
      error: row.error ?? 'failed',
    }));
  }

  /** They are posted again under their ids; a second replay finds them no longer dead. */
  async replay(tenantId: string, { ids, roomId, userId, before }: DeadLetterSelection): Promise<number> {
    // What dies again meanwhile waits for another replay.
    const until = before ?? new Date();
    let total = 0;
    for (let n = BATCH; n === BATCH; total += n)
      n = await this.repository.revive(
        tenantId,
        { ids, roomId, userId, before: ids === undefined ? until : before },
        BATCH,
      );
    return total;
  }

  drop(tx: Sql, tenantId: string, id: string): Promise<boolean> {
    return this.repository.drop(tx, tenantId, id);
  }

  count(): Promise<number> {
    return this.repository.countDead();
  }
}
