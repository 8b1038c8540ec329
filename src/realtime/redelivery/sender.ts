import { Injectable } from '@nestjs/common';
import { Metrics } from '../../platform/metrics';
import { type AcceptedConnection, Audience, MessageFrames } from '../feed/ports';
import { ready } from '../feed';
import { toWire } from '../transport';
import { Permits } from '../transport/turns';

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
      at = last.seq;
    }
    return through;
  }
}
