import { setImmediate as endOfTurn } from 'node:timers/promises';
import { ManualClock } from '../../../src/common/time';
import { LoopTime } from '../../../src/realtime/transport/reconnect-pacer';

/** An event loop that a test moves by hand, with jest's timers and a clock. */
export class ManualEventLoop extends LoopTime {
  readonly clock = new ManualClock();
  private active = 0;
  private resting = 0;
  /** ms of work that jest's timers have not been told of. */
  private late = 0;

  override read(): { readonly active: number; readonly idle: number } {
    return { active: this.active, idle: this.resting };
  }

  /** The loop is busy for so long; timers that are due meanwhile come when the turn ends. */
  spend(ms: number): void {
    this.active += ms;
    this.late += ms;
    this.clock.advance(ms);
  }

  /** The same, in one turn: timers that are due come afterwards. */
  async work(ms: number): Promise<void> {
    this.spend(ms);
    await this.caughtUp();
  }

  /** It waits, ms by ms; what is done meanwhile takes its time besides. */
  async idle(ms: number): Promise<void> {
    await jest.advanceTimersByTimeAsync(0);
    await this.caughtUp();
    for (let i = 0; i < ms; i++) {
      this.resting++;
      this.clock.advance(1);
      await jest.advanceTimersByTimeAsync(1);
      await this.caughtUp();
    }
  }

  /**
   * Turns of a loop that has nothing to do but what `work` does and causes, for so many ms.
   * @param work called in each turn
   */
  async run(ms: number, work: () => void): Promise<void> {
    const end = this.clock.monotonicMs() + ms;
    let idleTurns = 0;
    while (this.clock.monotonicMs() < end) {
      const before = this.active;
      work();
      await endOfTurn();
      idleTurns = this.active === before ? idleTurns + 1 : 0;
      jest.advanceTimersByTime(this.takeLate());
      // What the end of the turn has begun would show in the next one.
      if (idleTurns < 2) continue;
      this.resting += STEP_MS;
      this.clock.advance(STEP_MS);
      jest.advanceTimersByTime(STEP_MS);
    }
  }

  /** Timers that became due during work have come. */
  private async caughtUp(): Promise<void> {
    while (this.late > 0) await jest.advanceTimersByTimeAsync(this.takeLate());
  }

  private takeLate(): number {
    const { late } = this;
    this.late = 0;
    return late;
  }
}

/** In which a loop waits that runs by itself. */
const STEP_MS = 0.25;
