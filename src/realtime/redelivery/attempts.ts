import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { describeError, Log } from '../../platform/logging';
import { Metrics } from '../../platform/metrics';
import { Audience, PACE_BYTES, ready } from '../feed';
import { type AcceptedConnection, Permits, toWire } from '../transport';
import { type DeadLetterRange, MessageFrames, Receipts } from './ports';
import { type ConnectionWatch, MAX_ATTEMPTS, type Step } from './watches';

/** Messages per read. */
const PAGE = 25;

/** Reads and writes of redelivery at the same time. */
const AT_ONCE = 4;

@Injectable()
export class RedeliveryTurns extends Permits {
  constructor() {
    super(AT_ONCE);
  }
}

/** Sends messages of the log to one connection, as fast as its client reads. */
@Injectable()
export class Sender {
  constructor(
    private readonly messages: MessageFrames,
    private readonly audience: Audience,
    private readonly turns: RedeliveryTurns,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Sends the messages after one seq and up to another, as long as the connection is live in the room as a member's and
   * `isWanted` says so. Returns the seq up to which it has sent them.
   */
  async send(
    connection: AcceptedConnection,
    roomId: string,
    after: number,
    through: number,
    isWanted: () => boolean = () => true,
  ): Promise<number> {
    const goesOn = (): boolean => connection.isOpen && isWanted() && this.audience.isMember(connection, roomId);
    for (let at = after; at < through;) {
      await ready(connection);
      const page = await this.turns.run(async () =>
        goesOn() ? this.messages.read(connection.tenantId, roomId, at, through, PAGE) : [],
      );
      const last = page.at(-1);
      if (last === undefined || !goesOn()) return at;
      for (const { frame } of page) connection.sendHistory(toWire(frame));
      this.metrics.counter('chatapi_redelivered_total').inc(page.length);
      this.metrics.tenant(connection.tenantId).deliveries += page.length;
      at = last.seq;
    }
    return through;
  }
}

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
  async replay(connection: AcceptedConnection, { roomId, fromSeq, toSeq }: DeadLetterRange): Promise<void> {
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
