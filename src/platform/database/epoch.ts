import type { SystemDatabase } from './database';
import { systemFunction, value } from './schema-function';

/** Of the statement that raises it, which sleeps up to a second. */
const RAISE_DEADLINE_MS = 10_000;

const raiseEpoch = systemFunction('raise_epoch', { p_seen: 'bigint' }, value<number>('bigint'));

/**
 * The installation's epoch: another number than before means that a backup was restored, and that positions (`seq`,
 * `rev`) and socket tickets of the time before are worth nothing. Only a start, `npm run restore` and `npm run epoch`
 * raise it, each while no server runs: it is read once.
 */
export class Epoch {
  private value: number | undefined;

  constructor(private readonly system: SystemDatabase) {}

  /** What `read` has told; for those who come after a connection's `hello`. */
  get known(): number {
    if (this.value === undefined) throw new Error('the epoch has not been read yet');
    return this.value;
  }

  /** Rejects with 503 while it is not known and the database is away. */
  async read(): Promise<number> {
    if (this.value !== undefined) return this.value;
    const rows = await this.system.query<{ epoch: number }>('read epoch', 'SELECT epoch FROM instance');
    const epoch = rows[0]?.epoch;
    if (epoch === undefined) throw new Error('the table instance is empty');
    return (this.value = epoch);
  }

  /** Raises it, unless it is another one than `seen` by now; returns the one in force. */
  async raise(seen: number): Promise<number> {
    return (this.value = await this.system.transaction(
      raiseEpoch.name,
      (sql) => raiseEpoch.callIn(sql, { p_seen: seen }),
      RAISE_DEADLINE_MS,
    ));
  }
}
