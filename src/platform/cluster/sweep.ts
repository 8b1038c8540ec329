/** Entries that one step looks at; above 1, so that sweeping outruns the growth that causes it. */
const ENTRIES_PER_STEP = 2;

/**
 * Removes dead entries of a map a few at a time, round and round, driven by the map's own writes: no timer, no pause
 * with many entries, and the dead never outnumber what was alive at one time by more than a constant factor.
 */
export class Sweep<V> {
  private cursor: MapIterator<[string, V]> | undefined;

  constructor(
    private readonly map: Map<string, V>,
    private readonly isDead: (value: V, key: string) => boolean,
  ) {}

  /** Called once per write, before the write. */
  step(): void {
    for (let i = 0; i < ENTRIES_PER_STEP; i++) {
      this.cursor ??= this.map.entries();
      const { value, done } = this.cursor.next();
      if (done) {
        this.cursor = undefined;
        return;
      }
      const [key, entry] = value;
      if (this.isDead(entry, key)) this.map.delete(key);
    }
  }
}
