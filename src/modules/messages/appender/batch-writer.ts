import { isUnavailable } from '../../../common/errors';
import { roomKey } from '../../../common/ids';
import { codeOf, UNIQUE_VIOLATION } from '../../../platform/database';
import type { AppendRow, LookupRow } from '../messages.functions';
import type { AppendRepository } from './append.repository';
import type { ChangedState, LogWrite, Refused, StateOutcome, Written } from './item';

/** What became of one message of a batch; `locked`: its room was held longer than the batch would wait. */
export type WriteOutcome =
  Written | { readonly status: 'locked' } | { readonly status: 'failed'; readonly error: unknown };

/** Waits until the database answers again or the time is up; true when it does. */
export type AwaitDatabase = () => Promise<boolean>;

/**
 * Writes one batch and says what became of each message, whatever happens on the way: a bad item fails alone (the
 * batch is split), and after a lost connection the log is asked which messages it has, so that none is stored twice
 * and none that is stored is reported as lost. What the log does not have is written once more: a short outage delays
 * messages and refuses none. The transaction of the lost connection may still commit meanwhile; the message ids are
 * the same, so it and the repetition cannot both succeed. Changes of states say what is to be, so they are made again without
 * asking; what is found so already may be the lost transaction's doing (`isDoubtful`).
 */
export class BatchWriter {
  /** Changes of states whose first transaction was lost, until they are answered: one may wait for its room meanwhile. */
  private readonly lost = new WeakSet<LogWrite>();

  constructor(
    private readonly repository: Pick<AppendRepository, 'append' | 'lookup'>,
    private readonly awaitDatabase: AwaitDatabase,
  ) {}

  async write(batch: readonly LogWrite[], lockMs: number): Promise<WriteOutcome[]> {
    try {
      return await this.appended(batch, lockMs);
    } catch (error) {
      if (isItemFault(error)) return this.split(batch, lockMs, error);
      if (isUnavailable(error) && !isForGood(error) && (await this.awaitDatabase()))
        return this.recover(batch, lockMs, error);
      return failed(batch, error);
    }
  }

  private async appended(batch: readonly LogWrite[], lockMs: number): Promise<WriteOutcome[]> {
    const found = outcomes(batch.length, await this.repository.append(batch, lockMs));
    return found.map((outcome, i) => (this.lost.has(batch[i] as LogWrite) ? inDoubt(outcome) : outcome));
  }

  /** One item made the batch fail: halves, in order, until it stands alone. */
  private async split(batch: readonly LogWrite[], lockMs: number, error: unknown): Promise<WriteOutcome[]> {
    if (batch.length === 1) {
      // Its first transaction, given up for lost, has committed after all.
      const isThere = codeOf(error) === UNIQUE_VIOLATION;
      return isThere ? this.fromLog(batch, error, async (missing) => failed(missing, error)) : failed(batch, error);
    }
    const middle = batch.length >> 1;
    const first = await this.write(batch.slice(0, middle), lockMs);
    const lockedRooms = new Set(first.flatMap((o, i) => (o.status === 'locked' ? [keyOf(batch[i] as LogWrite)] : [])));
    return [...first, ...(await this.writeExcept(batch.slice(middle), lockMs, lockedRooms))];
  }

  /** A room that was locked a moment ago may be free now: what comes later in it must not get ahead. */
  private async writeExcept(
    batch: readonly LogWrite[],
    lockMs: number,
    lockedRooms: ReadonlySet<string>,
  ): Promise<WriteOutcome[]> {
    if (lockedRooms.size === 0) return this.write(batch, lockMs);
    const free = batch.filter((message) => !lockedRooms.has(keyOf(message)));
    const written = free.length === 0 ? [] : await this.write(free, lockMs);
    let next = 0;
    return batch.map((message) =>
      lockedRooms.has(keyOf(message))
        ? { status: 'locked' }
        : (written[next++] ?? { status: 'failed', error: unanswered() }),
    );
  }

  /** Asks the log; what it does not have is written again, once. */
  private recover(batch: readonly LogWrite[], lockMs: number, cause: unknown): Promise<WriteOutcome[]> {
    return this.fromLog(batch, cause, async (missing) => {
      for (const item of missing) this.lost.add(item);
      try {
        return await this.appended(missing, lockMs);
      } catch (error) {
        if (isItemFault(error)) return this.split(missing, lockMs, error);
        return failed(missing, isUnknown(cause) ? cause : error);
      }
    });
  }

  /** What the log says of each message; `absent` decides about those that it does not have. */
  private async fromLog(
    batch: readonly LogWrite[],
    cause: unknown,
    absent: (missing: readonly LogWrite[]) => Promise<WriteOutcome[]>,
  ): Promise<WriteOutcome[]> {
    let rows: LookupRow[];
    try {
      rows = await this.repository.lookup(batch);
    } catch {
      return failed(batch, cause);
    }
    const found = new Map(rows.map((row) => [row.item - 1, row]));
    const missing = batch.filter((_, i) => !found.has(i));
    const rest = missing.length === 0 ? [] : await absent(missing);
    let next = 0;
    return batch.map((message, i) => {
      const row = found.get(i);
      if (!row) return rest[next++] ?? { status: 'failed', error: cause };
      return {
        status: 'new',
        messageId: message.messageId ?? '',
        seq: row.seq,
        rev: row.rev,
        createdAt: row.created_at,
      };
    });
  }
}

/** A state that is as it should be may have become so by the transaction that was lost. */
function inDoubt(outcome: WriteOutcome): WriteOutcome {
  return outcome.status === 'state' && outcome.outcome === 'unchanged' ? { ...outcome, isDoubtful: true } : outcome;
}

function failed(batch: readonly LogWrite[], error: unknown): WriteOutcome[] {
  return batch.map(() => ({ status: 'failed', error }));
}

function outcomes(length: number, rows: readonly AppendRow[]): WriteOutcome[] {
  const results = new Array<WriteOutcome | undefined>(length);
  for (const row of rows) results[row.item - 1] = outcome(row);
  return Array.from(results, (result) => result ?? { status: 'failed', error: unanswered() });
}

function unanswered(): Error {
  return new Error('no answer for an item of a batch');
}

function outcome(row: AppendRow): WriteOutcome {
  if (row.state !== undefined && row.state !== null) return stateOutcome(row.status, row.state);
  if (row.status !== 'new' && row.status !== 'duplicate') return { status: row.status as Refused['status'] | 'locked' };
  return { status: row.status, messageId: row.message_id, seq: row.seq, rev: row.rev, createdAt: row.created_at };
}

function stateOutcome(status: string, state: ChangedState): WriteOutcome {
  if (status === 'locked') return { status };
  return { status: 'state', outcome: status as StateOutcome['outcome'], state };
}

/** Data exceptions and integrity violations: the fault of one item, not of the moment. */
function isItemFault(error: unknown): boolean {
  return /^2[23]...$/.test(codeOf(error) ?? '');
}

/** Nothing was stored, and waiting does not help: the disk is full. */
function isForGood(error: unknown): boolean {
  return isUnavailable(error) && error.details?.['reason'] === 'storage' && !isUnknown(error);
}

/** The write may have happened. */
function isUnknown(error: unknown): boolean {
  return isUnavailable(error) && error.details?.['outcome'] === 'unknown';
}

function keyOf({ tenantId, roomId }: LogWrite): string {
  return roomKey(tenantId, roomId);
}
