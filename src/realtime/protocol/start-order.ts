/** A frame that has an order among the frames of its rooms. */
export interface OrderedTask {
  /** A send, or a frame that waits for the sends before it. */
  readonly kind: 'send' | 'barrier';
  /** The rooms that it is about; undefined is all of them. */
  readonly rooms: readonly string[] | undefined;
  /** Does the work; returns a promise, which never rejects, where it is not done at once. */
  readonly start: () => Promise<void> | undefined;
}

interface Entry {
  readonly task: OrderedTask;
  started: boolean;
}

/**
 * The order in which a connection's frames start. Per room: a barrier starts when every earlier send and barrier is
 * done; a send starts when every earlier frame has started. So work on a room begins in the order of the frames,
 * sends run side by side, and nothing waits for another room.
 */
export class StartOrder {
  /** What is not done, in the order of the frames. */
  private readonly entries: Entry[] = [];
  private barriers = 0;
  private waiting = 0;

  /** Starts the task now, or in its turn. */
  add(task: OrderedTask): void {
    const entry: Entry = { task, started: false };
    this.entries.push(entry);
    if (task.kind === 'barrier') this.barriers++;
    if (this.isBlocked(entry)) this.waiting++;
    else this.start(entry);
  }

  /** Forgets what has not started. */
  clear(): void {
    for (const entry of this.entries.filter(({ started }) => !started)) this.remove(entry);
    this.waiting = 0;
  }

  private start(entry: Entry): void {
    entry.started = true;
    const running = entry.task.start();
    if (running === undefined) this.remove(entry);
    else
      void running.then(() => {
        this.remove(entry);
        this.startNext();
      });
  }

  /** Each start may free further ones. */
  private startNext(): void {
    while (this.waiting > 0) {
      const next = this.entries.find((entry) => !entry.started && !this.isBlocked(entry));
      if (!next) return;
      this.waiting--;
      this.start(next);
    }
  }

  private isBlocked(entry: Entry): boolean {
    // The hot path: nothing but sends.
    if (this.barriers === 0) return false;
    for (const earlier of this.entries) {
      if (earlier === entry) return false;
      if (!sharesRoom(earlier.task, entry.task)) continue;
      if (entry.task.kind === 'barrier' || !earlier.started) return true;
    }
    return false;
  }

  private remove(entry: Entry): void {
    const at = this.entries.indexOf(entry);
    if (at < 0) return;
    this.entries.splice(at, 1);
    if (entry.task.kind === 'barrier') this.barriers--;
  }
}

function sharesRoom(a: OrderedTask, b: OrderedTask): boolean {
  if (a.rooms === undefined || b.rooms === undefined) return true;
  return a.rooms.some((room) => b.rooms?.includes(room));
}
