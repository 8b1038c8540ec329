import { type BusGap, MemoryBus, type Unsubscribe } from '../../../src/platform/cluster';

/** A bus in memory that tells of gaps when the test says so. */
export class InterruptedBus extends MemoryBus {
  private readonly gapHandlers = new Set<(gap: BusGap) => void>();

  override onGap(handler: (gap: BusGap) => void): Unsubscribe {
    this.gapHandlers.add(handler);
    return () => void this.gapHandlers.delete(handler);
  }

  tellGap(): void {
    for (const handler of this.gapHandlers) handler({});
  }
}
