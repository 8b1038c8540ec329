import { roomKey } from '../../../common/ids';
import type { Pending } from './pending';

/** Writes what it can of a room's messages, in order, and returns those that are still to be written. */
export type ServeRoom = (waiting: readonly Pending[]) => Promise<readonly Pending[]>;

/**
 * Rooms that somebody else held when their messages were to be written. Each is served by itself, so that one that
 * stays locked delays no other; at most `limit` at a time, in turns. A room leaves when none of its messages waits.
 */
export class ContendedRooms {
  private readonly rooms = new Map<string, Pending[]>();
  /** Rooms that wait for their turn. */
  private readonly turns: string[] = [];
  private readonly workers = new Set<Promise<void>>();

  constructor(
    private readonly serve: ServeRoom,
    private readonly limit: number,
  ) {}

  /** Queues the message if its room is here; false when it is not. */
  join(item: Pending): boolean {
    const waiting = this.rooms.get(roomKey(item.message.tenantId, item.message.roomId));
    waiting?.push(item);
    return waiting !== undefined;
  }

  /** Queues a message of a room that was found locked. */
  park(item: Pending): void {
    if (this.join(item)) return;
    const key = roomKey(item.message.tenantId, item.message.roomId);
    this.rooms.set(key, [item]);
    this.turns.push(key);
    if (this.workers.size < this.limit) this.start();
  }

  /** Resolves when no room is left. */
  async idle(): Promise<void> {
    while (this.workers.size > 0) await Promise.all(this.workers);
  }

  private start(): void {
    const worker: Promise<void> = this.work().finally(() => this.workers.delete(worker));
    this.workers.add(worker);
  }

  private async work(): Promise<void> {
    // Whoever parks goes on parking in this turn: the first call takes them all.
    await Promise.resolve();
    for (let key = this.turns.shift(); key !== undefined; key = this.turns.shift()) {
      const waiting = this.rooms.get(key) ?? [];
      this.rooms.set(key, []);
      const left = await this.serve(waiting);
      const next = [...left, ...(this.rooms.get(key) ?? [])];
      if (next.length === 0) this.rooms.delete(key);
      else {
        this.rooms.set(key, next);
        this.turns.push(key);
      }
    }
  }
}
