import { AppError } from '../../../../common/errors';
import type { Clock } from '../../../../common/time';
import type { Database, Sql } from '../../../../platform/database';
import { Paced } from '../../../../platform/tenant-data';
import { importProgress } from '../imports.functions';

/** An import that is loaded. */
export interface RunningImport {
  /** UUIDs. */
  readonly tenantId: string;
  readonly importId: string;
  readonly keepsIds: boolean;
}

/** The import cannot go on: the message, words of ours, is shown with it. Started again it goes on where it was. */
export class ImportRefused extends Error {}

/** The import is running no more: it is gone with its tenant, or another worker has finished it. */
export class ImportOver extends Error {}

/** Writes what an import makes, in small transactions with rests between them; each counts what it has made. */
export class ImportWriter {
  private readonly paced: Paced;

  constructor(
    readonly run: RunningImport,
    readonly database: Database,
    clock: Clock,
    signal: AbortSignal,
  ) {
    this.paced = new Paced(clock, signal, Infinity);
  }

  /** @param work returns what it has made, by kinds of lines @throws ImportRefused, ImportOver, what `signal` aborts with */
  transaction(work: (tx: Sql) => Promise<Readonly<Record<string, number>>>): Promise<void> {
    const { tenantId, importId } = this.run;
    return this.piece(() =>
      this.database.transaction('import', tenantId, async (tx) => {
        const made = await work(tx);
        const args = { p_import: importId, p_counts: made };
        if (!(await importProgress.callIn(tx, tenantId, args))) throw new ImportOver('the import runs no more');
      }),
    );
  }

  /** One transaction of any kind. */
  async piece<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.paced.piece(work);
    } catch (error) {
      throw refusedByLimit(error) ?? error;
    }
  }
}

function refusedByLimit(error: unknown): ImportRefused | undefined {
  if (!(error instanceof AppError) || error.status !== 403) return undefined;
  const limit = error.details?.['limit'];
  return typeof limit === 'string' ? new ImportRefused(`the limit ${limit} of the tenant is reached`) : undefined;
}
