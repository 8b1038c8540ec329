import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { describeError, Log } from '../../platform/logging';
import { type AcceptedConnection, Receipts } from '../contract';
import { PACE_BYTES } from '../feed';
import type { ConnectionWatch } from './connection-watch';
import type { Letters } from './hints';
import { MAX_ATTEMPTS, type Step } from './room-watch';
import { RedeliveryTurns, Sender } from './sender';

/** Does what is due on a connection: looks the cursors up, then sends again or gives up, room by room. */
@Injectable()
export class Attempts {
  private isFailing = false;

  constructor(
    private readonly receipts: Receipts,
    private readonly sender: Sender,
    private readonly turns: RedeliveryTurns,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Never rejects: what failed is due again at the next visit. A client that does not read is left alone. */
  async make(watch: ConnectionWatch, roomIds: readonly string[]): Promise<void> {
    if (watch.isBusy || watch.connection.waiting > PACE_BYTES) return;
    watch.isBusy = true;
    try {
      await this.makeAll(watch, roomIds);
      this.works();
    } catch (error) {
      this.fails(error);
    } finally {
      watch.isBusy = false;
    }
  }

  /** Sends what is to be replayed on one connection. Never rejects. */
  async replay(connection: AcceptedConnection, { roomId, fromSeq, toSeq }: Letters): Promise<void> {
    try {
      await this.sender.send(connection, roomId, fromSeq - 1, toSeq);
    } catch (error) {
      this.fails(error);
    }
  }

  private async makeAll(watch: ConnectionWatch, roomIds: readonly string[]): Promise<void> {
    const { tenantId, userId } = watch.connection;
    const acked = await this.turns.run(() => this.receipts.acked(tenantId, userId, roomIds));
    for (const roomId of roomIds) {
      const now = this.clock.monotonicMs();
      const seq = acked.get(roomId);
      if (seq === undefined) {
        watch.forget(roomId);
        continue;
      }
      watch.found(roomId, seq, now);
      const step = watch.connection.isOpen ? watch.next(roomId, now) : undefined;
      if (step?.kind === 'give up') await this.giveUp(watch, roomId, step);
      else if (step !== undefined) await this.sendAgain(watch, roomId, step);
    }
  }

  private async sendAgain(watch: ConnectionWatch, roomId: string, step: Step): Promise<void> {
    const isWanted = (): boolean => watch.wants(roomId, step);
    const through = await this.sender.send(watch.connection, roomId, step.after, step.through, isWanted);
    watch.sentAgain(roomId, step, through, this.clock.monotonicMs());
  }

  private async giveUp(watch: ConnectionWatch, roomId: string, step: Step): Promise<void> {
    const { tenantId, userId } = watch.connection;
    const letters = { tenantId, roomId, userId, fromSeq: step.after + 1, toSeq: step.through, attempts: MAX_ATTEMPTS };
    await this.turns.run(() => this.receipts.giveUp(letters));
    watch.gaveUp(roomId, step, this.clock.monotonicMs());
  }

  private fails(error: unknown): void {
    if (!this.isFailing) this.log.warn({ error: describeError(error) }, 'redelivery has to wait');
    this.isFailing = true;
  }

  private works(): void {
    if (this.isFailing) this.log.info({}, 'redelivery works again');
    this.isFailing = false;
  }
}
