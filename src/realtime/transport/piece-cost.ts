/** A batch begins so many pieces where nothing is known of their cost yet. */
const FIRST_PIECES = 8;
/**
 * However little the last pieces cost, the next ones may be of another sort (full pages after empty ones): an estimate is
 * wrong about so many pieces at most. It is no limit to speed: a batch that costs less rests less.
 */
const MOST_PIECES = 64;
/** What weight a measurement has yet when the next one comes. */
const KEPT = 0.75;

/**
 * What a piece of work has cost the event loop of late, and with that how many of them take about a slice of it.
 *
 * The loop's whole activity is set against the pieces that **ended** meanwhile: what is done for a piece after an await
 * counts, and pieces that are begun and wait for the database look like no bargain before their answers come.
 * Other work of the loop makes pieces look dearer than they are: the batches are smaller then, not the rests shorter.
 */
export class PieceCost {
  private active = 0;
  private ended = 0;
  /** Activity that no piece's end was set against yet, in ms. */
  private open = 0;

  /** Forgets what earlier pieces cost. @param slice of the loop, in ms */
  restart(slice: number): void {
    this.active = slice;
    this.ended = FIRST_PIECES;
    this.open = 0;
  }

  /**
   * The loop was active for so long, in ms, while so many pieces ended. No piece counts more than a slice: that makes the
   * smallest batch already, and more (a pause of the garbage collector) would only be remembered for longer.
   */
  note(active: number, ended: number, slice: number): void {
    this.open += active;
    if (ended === 0) return;
    this.active = this.active * KEPT + Math.min(this.open, ended * slice);
    this.ended = this.ended * KEPT + ended;
    this.open = 0;
  }

  /** The pieces that were in work just now were not all that the loop had to do: it says nothing of them. */
  skip(): void {
    this.open = 0;
  }

  /** ms of the loop's activity that a piece is expected to cost. */
  get ms(): number {
    return this.active / this.ended;
  }

  /** Pieces that are expected to take about so many ms, from 1 to 64. */
  fitting(ms: number): number {
    return Math.min(MOST_PIECES, Math.max(1, Math.round(ms / this.ms)));
  }
}
