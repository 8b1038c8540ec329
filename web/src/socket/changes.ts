/** Tells those who look that something changed. They ask what; a version says whether they have seen it. */
export class Changes {
  private readonly listeners = new Set<() => void>();
  private isDue = false;
  private current = 0;

  /** @param schedule when listeners are told: at once, or once for all that changed until the next frame is painted */
  constructor(private readonly schedule: (run: () => void) => void = (run) => run()) {}

  readonly version = (): number => this.current;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly tell = (): void => {
    if (this.isDue) return;
    this.isDue = true;
    this.schedule(() => {
      this.isDue = false;
      this.current++;
      for (const listener of [...this.listeners]) listener();
    });
  };
}
