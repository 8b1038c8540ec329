/** Of one transaction. */
const MOST_ROWS = 500;
const MOST_BYTES = 1024 * 1024;

/** Rows that are written together. */
export class RowBatch {
  private rows: object[] = [];
  private bytes = 0;

  constructor(private readonly write: (rows: readonly object[]) => Promise<void>) {}

  async add(row: object, bytes: number): Promise<void> {
    this.rows.push(row);
    this.bytes += bytes;
    if (this.rows.length >= MOST_ROWS || this.bytes >= MOST_BYTES) await this.flush();
  }

  /** Writes what is left. */
  async flush(): Promise<void> {
    const { rows } = this;
    [this.rows, this.bytes] = [[], 0];
    if (rows.length > 0) await this.write(rows);
  }
}
