/** The place of one frame's answer in the order of the answers. */
export interface ReplySlot {
  /** What to write when its turn comes; undefined for a frame that needs no answer. */
  write: (() => void) | undefined;
  settled: boolean;
}

/** Answers leave in the order of the frames, whatever the order in which they become known. */
export class ReplyQueue {
  private readonly slots: ReplySlot[] = [];

  /** Frames that wait for their answer, and answers that wait behind one. */
  get length(): number {
    return this.slots.length;
  }

  reserve(): ReplySlot {
    const slot: ReplySlot = { write: undefined, settled: false };
    this.slots.push(slot);
    return slot;
  }

  /** Writes the answer, and those behind it that are ready, unless an earlier frame still waits. No answer, no place. */
  settle(slot: ReplySlot, write: (() => void) | undefined): void {
    if (write === undefined) this.slots.splice(this.slots.indexOf(slot), 1);
    slot.settled = true;
    slot.write = write;
    while (this.slots[0]?.settled === true) this.slots.shift()?.write?.();
  }
}
