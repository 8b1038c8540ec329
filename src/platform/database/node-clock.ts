import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { Every } from '../lifecycle';
import { Log } from '../logging';
import { Gauge } from '../metrics';
import { InstanceRepository } from './instance.repository';

const MINUTE_MS = 60_000;
/** The quickest of so many answers says most. */
const TRIES = 3;
/** Beyond it the operator is told, once until it is right again. */
const OFF_MS = 1000;
/** Beyond it a server may not join others: tokens that one of them made would have ended for the next. */
const FAR_OFF_MS = 30_000;

/** How far the database's clock was ahead of this server's, give or take `uncertainMs`: half of the question's round trip. */
interface Offset {
  readonly ms: number;
  readonly uncertainMs: number;
}

/**
 * How far this server's clock is from the database's. What is stored has the database's time; this server's own says when
 * user tokens begin and end, and when a window of a limit is over. It is judged only as far as it is sure: a slow answer
 * alone never says that a clock is wrong.
 */
@Injectable()
export class NodeClock {
  private last: Offset = { ms: 0, uncertainMs: 0 };
  private isTold = false;

  constructor(
    @Inject(InstanceRepository) private readonly instance: Pick<InstanceRepository, 'clockMs'>,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Milliseconds by which the database's clock is ahead; undefined while that is less than a second. */
  get offMs(): number | undefined {
    return surelyMs(this.last) > OFF_MS ? Math.round(this.last.ms) : undefined;
  }

  /**
   * To be asked at a start. Throws with one line where the clocks differ by more than 30 s and there are others.
   * @param isAlone no other server runs on this database: then it is only said
   */
  async checkClock(isAlone: boolean): Promise<void> {
    await this.measure();
    if (isAlone || surelyMs(this.last) <= FAR_OFF_MS) return;
    const seconds = Math.round(Math.abs(this.last.ms) / 1000);
    throw new Error(
      `The clock of this machine is ${seconds} s ${this.last.ms > 0 ? 'behind' : 'ahead of'} the database's: servers that share one need the same time, let NTP keep it`,
    );
  }

  @Every(MINUTE_MS, 'clock')
  async measure(): Promise<void> {
    let best = await this.ask();
    for (let n = 1; n < TRIES; n++) {
      const next = await this.ask();
      if (next.uncertainMs < best.uncertainMs) best = next;
    }
    this.last = best;
    const isOff = this.offMs !== undefined;
    if (isOff && !this.isTold)
      this.log.warn(
        { offset_ms: Math.round(best.ms), uncertain_ms: Math.round(best.uncertainMs) },
        'the clocks of this server and of the database differ by more than a second: user tokens begin and end at other times than they say',
      );
    if (!isOff && this.isTold) this.log.info({ offset_ms: Math.round(best.ms) }, 'the clocks agree again');
    this.isTold = isOff;
  }

  @Gauge('chatapi_clock_offset_seconds')
  seconds(): number {
    return this.last.ms / 1000;
  }

  private async ask(): Promise<Offset> {
    const { clock } = this;
    const [sentAt, wallMs] = [clock.monotonicMs(), clock.wallMs()];
    const databaseMs = await this.instance.clockMs();
    const halfMs = (clock.monotonicMs() - sentAt) / 2;
    return { ms: databaseMs - (wallMs + halfMs), uncertainMs: halfMs };
  }
}

function surelyMs({ ms, uncertainMs }: Offset): number {
  return Math.abs(ms) - uncertainMs;
}
