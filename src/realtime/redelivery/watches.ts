import type { AcceptedConnection } from '../transport';

/** A message that was sent this many times without an acknowledgement becomes a dead letter. */
export const MAX_ATTEMPTS = 5;
/** Messages of one room that are sent again at a time. */
export const MOST_AT_ONCE = 100;

/** What is due in a room: to send again what lies between two seqs, or to give up on it. Both after `after`. */
export interface Step {
  readonly kind: 'send' | 'give up';
  readonly after: number;
  readonly through: number;
  /** Outdated when the watch has another one: the user's cursor has moved since. */
  readonly round: number;
}

/**
 * What one connection was sent in one room and has not acknowledged. How often a message was sent falls with its seq,
 * since sending again always begins with the oldest one: so five numbers say it of all.
 *
 * The timer is that of the oldest message: the wait doubles with each of its attempts. Any progress of the user's cursor
 * starts it anew, with the first wait and one attempt for all that is left.
 */
export class RoomWatch {
  /** `sent[n]`: the highest seq that was sent more than n times; never rising. */
  private sent: number[];
  private dueAt: number;
  private rounds = 0;

  /**
   * @param floor what is acknowledged, or given up on, up to here; undefined: not known yet
   * @param through the highest seq that was sent
   * @param waitMs the first wait
   */
  constructor(
    private floor: number | undefined,
    through: number,
    private readonly waitMs: number,
    now: number,
  ) {
    this.sent = [through];
    this.dueAt = now + waitMs;
  }

  /** Up to where nothing is left to do; undefined while something is, or may be. */
  get settledThrough(): number | undefined {
    return this.floor !== undefined && this.floor >= this.through ? this.floor : undefined;
  }

  /** The channel has gone on. */
  see(through: number): void {
    this.sent[0] = Math.max(this.through, through);
  }

  isDue(now: number): boolean {
    return now >= this.dueAt;
  }

  /** The user's cursor has moved to here. */
  moved(seq: number, now: number): void {
    if (seq <= (this.floor ?? -1)) return;
    this.floor = seq;
    this.sent = [this.through];
    this.restart(now);
  }

  /** The user's cursor was looked up. What is learnt for the first time is no progress. */
  found(seq: number, now: number): void {
    if (this.floor === undefined) this.floor = seq;
    else this.moved(seq, now);
  }

  /** What to do now that the timer has run out and the cursor was looked up; undefined: nothing. */
  next(): Step | undefined {
    const after = this.floor;
    if (after === undefined || after >= this.through) return undefined;
    const lost = this.sent[MAX_ATTEMPTS - 1] ?? 0;
    if (lost > after) return { kind: 'give up', after, through: lost, round: this.rounds };
    return { kind: 'send', after, through: Math.min(after + MOST_AT_ONCE, this.through), round: this.rounds };
  }

  /** How often this message was sent; undefined where that is not known any more: it is acknowledged, or given up on. */
  timesSent(seq: number): number | undefined {
    const times = this.sent.filter((through) => through >= seq).length;
    return times === 0 || seq <= (this.floor ?? 0) ? undefined : times;
  }

  /** Whether the step still makes sense. */
  wants(step: Step): boolean {
    return step.round === this.rounds;
  }

  /** The step was taken, up to this seq. */
  sentAgain(step: Step, through: number, now: number): void {
    if (!this.wants(step)) return;
    const before = this.sent;
    this.sent = Array.from({ length: Math.min(before.length + 1, MAX_ATTEMPTS) }, (_, n) =>
      n === 0 ? this.through : Math.max(before[n] ?? 0, Math.min(through, before[n - 1] ?? 0)),
    );
    this.dueAt = now + this.waitMs * 2 ** (this.attempts - 1);
  }

  /** The step was taken: what it gave up on is nothing of this connection's any more. */
  gaveUp(step: Step, now: number): void {
    if (!this.wants(step)) return;
    this.floor = Math.max(this.floor ?? 0, step.through);
    this.restart(now);
  }

  /** How often the oldest message was sent. */
  private get attempts(): number {
    return Math.max(1, this.sent.filter((seq) => seq > (this.floor ?? 0)).length);
  }

  private get through(): number {
    return this.sent[0] ?? 0;
  }

  private restart(now: number): void {
    this.rounds++;
    this.dueAt = now + this.waitMs;
  }
}

/** What one acking connection has not acknowledged, per room. A room in which that is nothing costs one number. */
export class ConnectionWatch {
  /** Per room in which nothing waits: acknowledged, given up on or never sent up to here. */
  private readonly settled: Map<string, number>;
  private readonly waiting = new Map<string, RoomWatch>();
  /** Rooms in which something was given up on; few connections have any. */
  private gaveUpIn: Set<string> | undefined;
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

  /** How often the connection was sent a message that it has not acknowledged; undefined where that is not known. */
  timesSent(roomId: string, seq: number): number | undefined {
    return this.waiting.get(roomId)?.timesSent(seq);
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
    this.gaveUpIn = (this.gaveUpIn ?? new Set()).add(roomId);
    if (watch !== undefined) this.settle(roomId, watch);
  }

  /** What was given up on may have been replayed unheard: it counts as sent once, and waits anew. */
  reconsider(): void {
    for (const roomId of this.gaveUpIn ?? []) this.forget(roomId);
    this.gaveUpIn = undefined;
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
