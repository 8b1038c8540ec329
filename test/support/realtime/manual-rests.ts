import { Rests } from '../../../src/realtime/feed/resync-pace';

/** Rests that end when the test says so, or whoever rests is woken. */
export class ManualRests extends Rests {
  /** In ms, all that were begun. */
  readonly asked: number[] = [];
  private resolve: (() => void) | undefined;

  get isResting(): boolean {
    return this.resolve !== undefined;
  }

  override random(): number {
    return 0.5;
  }

  override rest(ms: number): Promise<void> {
    this.asked.push(ms);
    return new Promise((resolve) => (this.resolve = resolve));
  }

  override wake(): void {
    const { resolve } = this;
    this.resolve = undefined;
    resolve?.();
  }
}
