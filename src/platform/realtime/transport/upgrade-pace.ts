import { Injectable } from '@nestjs/common';
import { Clock } from '../../../common/clock';
import { AppError } from '../../../common/errors';
import { SocketConfig } from '../../../config';
import { Turns } from '../turns';

/** Who has waited longer is refused when the turn comes: what is slow today will not get faster by more work. */
const PATIENCE_MS = 10_000;
/** Those who are refused come back at different times. */
const RETRY_SECONDS = 5;

/** 503: too many come at once. */
export class TooManyAtOnce extends AppError {
  constructor() {
    super('SERVICE_UNAVAILABLE', 'Too many connections are being opened; try again later', {
      retryAfterSeconds: 1 + Math.floor(Math.random() * RETRY_SECONDS),
      details: { outcome: 'none' },
    });
  }
}

/**
 * Paces a storm of upgrades: so many are in work at once, so many wait, first come, first served; the rest is refused
 * before anything is done for it. Work that never ended would keep its place for ever: whatever it waits for is bounded
 * by the deadlines of the database.
 */
@Injectable()
export class UpgradePace {
  private readonly turns: Turns;
  private inHand = 0;

  constructor(
    private readonly config: SocketConfig,
    private readonly clock: Clock,
  ) {
    this.turns = new Turns(config.upgradesAtOnce);
  }

  /** Does the work when it is its turn, unless nobody wants it any more. Rejects with 503 where it does not come. */
  async run(isWanted: () => boolean, work: () => Promise<void>): Promise<void> {
    if (this.inHand >= this.config.upgradesAtOnce + this.config.upgradesWaiting) throw new TooManyAtOnce();
    const since = this.clock.monotonicMs();
    this.inHand++;
    try {
      await this.turns.run(async () => {
        if (!isWanted()) return;
        if (this.clock.monotonicMs() - since > PATIENCE_MS) throw new TooManyAtOnce();
        await work();
      });
    } finally {
      this.inHand--;
    }
  }
}
