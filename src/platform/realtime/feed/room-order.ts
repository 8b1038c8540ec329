import type { Position } from '../contract';
import type { RoomChange } from './room-change';

/** Changes that came early are kept up to here; beyond it the log has to tell them. */
const MAX_EARLY = 1000;

/**
 * The order of one room: hands out changes one by one at position + 1, drops what was handed out, keeps what came
 * early. `isBehind` says that something is known to exist that has not been handed out.
 */
export class RoomOrder {
  private readonly early = new Map<number, RoomChange>();
  private highest: number;

  constructor(private at: Position) {
    this.highest = at.rev;
  }

  get position(): Position {
    return this.at;
  }

  get isBehind(): boolean {
    return this.highest > this.at.rev;
  }

  /** The highest revision that is known to exist. */
  get head(): number {
    return this.highest;
  }

  /** The room has got as far as this revision. */
  expect(rev: number): void {
    if (rev > this.highest) this.highest = rev;
  }

  /** Takes a change in, in any order; `next` tells what is due. */
  offer(change: RoomChange): void {
    this.expect(change.rev);
    if (change.rev > this.at.rev && this.early.size < MAX_EARLY) this.early.set(change.rev, change);
  }

  /** The change at position + 1, which becomes the position; undefined when it is not there. */
  next(): RoomChange | undefined {
    const rev = this.at.rev + 1;
    const change = this.early.get(rev);
    if (change === undefined) return undefined;
    this.early.delete(rev);
    this.at = { rev, seq: change.head.seq ?? this.at.seq };
    return change;
  }

  /** The log was read up to here. */
  moveTo(position: Position): void {
    this.at = position;
    this.expect(position.rev);
    for (const rev of this.early.keys()) if (rev <= position.rev) this.early.delete(rev);
  }

  /** All that was known up to `rev` has been looked for in the log: what is not there does not exist. */
  settle(rev: number): void {
    for (const early of this.early.keys()) if (early <= rev) this.early.delete(early);
    if (this.highest <= rev) this.highest = this.at.rev;
  }
}
