import { AppError } from '../../../common/errors';
import { codeOf } from '../../../platform/database';
import type { AppendRepository, AppendRow } from './append.repository';
import type { Appended, NewMessage } from './item';

/** What became of one message of a batch; `locked` only when the batch did not wait. */
export type Outcome = Appended | { readonly status: 'locked' } | { readonly status: 'failed'; readonly error: unknown };

/** Waits until the database answers again or the time is up; true when it does. */
export type AwaitDatabase = () => Promise<boolean>;

/**
 * Writes one batch and says what became of each message, whatever happens on the way: a bad item fails alone (the
 * batch is split), and after a connection that died during COMMIT the log is asked which messages it has, so that
 * none is stored twice and none that is stored is reported as lost.
 */
export class BatchWriter {
  constructor(
    private readonly repository: AppendRepository,
    private readonly awaitDatabase: AwaitDatabase,
  ) {}

  async write(batch: readonly NewMessage[], wait: boolean): Promise<Outcome[]> {
    try {
      return outcomes(batch.length, await this.repository.append(batch, wait));
    } catch (error) {
      if (isItemFault(error)) return this.split(batch, wait, error);
      if (isAmbiguous(error) && (await this.awaitDatabase())) return this.recover(batch, wait, error);
      return batch.map(() => ({ status: 'failed', error }));
    }
  }

  /** One item made the batch fail: halves, in order, until it stands alone. */
  private async split(batch: readonly NewMessage[], wait: boolean, error: unknown): Promise<Outcome[]> {
    if (batch.length === 1)
      return codeOf(error) === '23505' ? this.recover(batch, wait, error) : [{ status: 'failed', error }];
    const middle = batch.length >> 1;
    const first = await this.write(batch.slice(0, middle), wait);
    return [...first, ...(await this.write(batch.slice(middle), wait))];
  }

  /** Asks the log; what it does not have is written again, once. */
  private async recover(batch: readonly NewMessage[], wait: boolean, cause: unknown): Promise<Outcome[]> {
    try {
      const found = new Map((await this.repository.lookup(batch)).map((row) => [row.item - 1, row]));
      const missing = batch.map((_, i) => i).filter((i) => !found.has(i));
      const again =
        missing.length === 0
          ? []
          : await this.again(
              missing.map((i) => batch[i] as NewMessage),
              wait,
              cause,
            );
      const results = new Map(missing.map((i, n) => [i, again[n] as Outcome]));
      return batch.map((message, i) => {
        const row = found.get(i);
        if (!row) return results.get(i) ?? { status: 'failed', error: cause };
        return { status: 'new', messageId: message.messageId, seq: row.seq, rev: row.rev, createdAt: row.created_at };
      });
    } catch {
      return batch.map(() => ({ status: 'failed', error: cause }));
    }
  }

  private async again(missing: NewMessage[], wait: boolean, cause: unknown): Promise<Outcome[]> {
    if (isItemFault(cause)) return missing.map(() => ({ status: 'failed', error: cause }));
    return outcomes(missing.length, await this.repository.append(missing, wait));
  }
}

function outcomes(length: number, rows: readonly AppendRow[]): Outcome[] {
  const results: Outcome[] = Array.from({ length }, () => ({
    status: 'failed',
    error: new Error('no answer for an item of a batch'),
  }));
  for (const row of rows) results[row.item - 1] = outcome(row);
  return results;
}

function outcome(row: AppendRow): Outcome {
  if (row.status !== 'new' && row.status !== 'duplicate') return { status: row.status };
  return { status: row.status, messageId: row.message_id, seq: row.seq, rev: row.rev, createdAt: row.created_at };
}

/** Data exceptions and integrity violations: the fault of one item, not of the moment. */
function isItemFault(error: unknown): boolean {
  return /^2[23]...$/.test(codeOf(error) ?? '');
}

function isAmbiguous(error: unknown): boolean {
  return error instanceof AppError && error.code === 'SERVICE_UNAVAILABLE' && error.details?.['outcome'] === 'unknown';
}
