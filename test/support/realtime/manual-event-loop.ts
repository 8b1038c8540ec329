import { ManualClock } from '../../../src/common/time';
import { LoopTime } from '../../../src/realtime/transport/reconnect-pacer';

/** An event loop that a test moves by hand, with jest's timers and a clock. */
export class ManualEventLoop extends LoopTime {
  readonly clock = new ManualClock();
  private active = 0;
  private resting = 0;

  override read(): { readonly active: number; readonly idle: number } {
    return { active: this.active, idle: this.resting };
  }

  /** The loop is busy for so long. */
  spend(ms: number): void {
    this.active += ms;
    this.clock.advance(ms);
  }

  /** The same, in one turn: timers that are due come afterwards. */
  async work(ms: number): Promise<void> {
    this.spend(ms);
    await jest.advanceTimersByTimeAsync(ms);
  }

  /** It waits, ms by ms. */
  async idle(ms: number): Promise<void> {
    for (let i = 0; i < ms; i++) {
      this.resting++;
      this.clock.advance(1);
      await jest.advanceTimersByTimeAsync(1);
    }
    await jest.advanceTimersByTimeAsync(0);
  }
}
