import type { AcceptedConnection } from '../feed/ports';
import { RoomWatch, type Step } from './watches';

/** What one acking connection has not acknowledged, per room. A room in which that is nothing costs one number. */
export class ConnectionWatch {
  /** Per room in which nothing waits: acknowledged, given up on or never sent up to here. */
  private readonly settled: Map<string, number>;
  private readonly waiting = new Map<string, RoomWatch>();
  /** An attempt is under way. */
  isBusy = false;

  /** @param entrances up to where the connection was sent nothing, in rooms where that is not the user's cursor */
  constructor(
    readonly connection: AcceptedConnection,
    private readonly waitMs: number,
    private readonly entrances: ReadonlyMap<string, number> = new Map(),
  ) {
    this.settled = new Map(entrances);
  }

  /** Takes in where the rooms stand and returns those whose timer has run out. */
  visit(rooms: Iterable<readonly [roomId: string, sentThrough: number]>, now: number): string[] {
    const due: string[] = [];
    for (const [roomId, through] of rooms) {
      const watch = this.waiting.get(roomId);
      if (watch !== undefined) {
        watch.see(through);
        if (watch.isDue(now)) due.push(roomId);
        continue;
      }
      const settled = this.settled.get(roomId);
      if (through > (settled ?? 0)) this.waiting.set(roomId, new RoomWatch(settled, through, this.waitMs, now));
    }
    return due;
  }

  /** The user's cursor has moved to here. */
  moved(roomId: string, seq: number, now: number): void {
    const watch = this.waiting.get(roomId);
    watch?.moved(seq, now);
    if (watch === undefined) this.settled.set(roomId, Math.max(this.settled.get(roomId) ?? 0, seq));
    else this.settle(roomId, watch);
  }

  /** The user's cursor was looked up. */
  found(roomId: string, seq: number, now: number): void {
    const watch = this.waiting.get(roomId);
    watch?.found(seq, now);
    if (watch !== undefined) this.settle(roomId, watch);
  }

  /** What is to be done in a room that is due, now that its cursor was looked up. */
  next(roomId: string, now: number): Step | undefined {
    const watch = this.waiting.get(roomId);
    return watch?.isDue(now) === true ? watch.next() : undefined;
  }

  wants(roomId: string, step: Step): boolean {
    return this.waiting.get(roomId)?.wants(step) === true;
  }

  sentAgain(roomId: string, step: Step, through: number, now: number): void {
    this.waiting.get(roomId)?.sentAgain(step, through, now);
  }

  gaveUp(roomId: string, step: Step, now: number): void {
    const watch = this.waiting.get(roomId);
    watch?.gaveUp(step, now);
    if (watch !== undefined) this.settle(roomId, watch);
  }

  /** The connection is in the room no more. */
  forget(roomId: string): void {
    const entrance = this.entrances.get(roomId);
    this.waiting.delete(roomId);
    if (entrance === undefined) this.settled.delete(roomId);
    else this.settled.set(roomId, entrance);
  }

  private settle(roomId: string, watch: RoomWatch): void {
    const through = watch.settledThrough;
    if (through === undefined) return;
    this.waiting.delete(roomId);
    this.settled.set(roomId, through);
  }
}
