import { Injectable } from '@nestjs/common';
import { AppError } from '../../common/errors';
import { SocketConfig } from '../../config';
import { ReconnectPacer, type TurnTaker } from './reconnect-pacer';

/** ms; an upgrade that has waited longer is refused: clients give up themselves about then. */
const PATIENCE_MS = 20_000;
/** Clients that are refused try again at different times. */
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
 * before anything is done for it. When the next one begins is the gate's decision. Work that never ended would keep its
 * place for ever: whatever it waits for is bounded by the deadlines of the database.
 */
@Injectable()
export class UpgradePace {
  private readonly turns: TurnTaker;
  private inHand = 0;

  constructor(
    private readonly config: SocketConfig,
    pacer: ReconnectPacer,
  ) {
    this.turns = pacer.queue(config.upgradesAtOnce, 'upgrade');
  }

  /** Does the work when it is its turn, unless it is not wanted any more. Rejects with 503 where it does not come. */
  async run(isWanted: () => boolean, work: () => Promise<void>): Promise<void> {
    if (this.inHand >= this.config.upgradesAtOnce + this.config.upgradesWaiting) throw new TooManyAtOnce();
    this.inHand++;
    try {
      if (!(await this.turn(isWanted))) return;
      try {
        await work();
      } finally {
        this.turns.giveBack();
      }
    } finally {
      this.inHand--;
    }
  }

  /** Rejects at the end of its patience; false: it is not wanted any more. */
  private async turn(isWanted: () => boolean): Promise<boolean> {
    let isLate = false;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        isLate = true;
        reject(new TooManyAtOnce());
      }, PATIENCE_MS).unref();
    });
    try {
      return await Promise.race([this.turns.take(() => !isLate && isWanted()), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
