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
