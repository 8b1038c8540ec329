import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../../platform/database';
import { Every } from '../../../platform/lifecycle';

const PURGE_MS = 10 * 60_000;

/** Tokens of a run that are to be stored. */
export interface NewChunk {
  readonly tenantId: string;
  readonly runId: string;
  readonly fence: number;
  readonly firstIndex: number;
  readonly text: string;
  /** Where each token ends in the text, in UTF-16 units. */
  readonly ends: readonly number[];
}

/** A run that is to stop: somebody else has it, or it was cancelled. */
export interface ChunkVerdict {
  readonly run_id: string;
  readonly is_lost: boolean;
}

const PURGE_BATCH = 5000;
/** By key: the role may not read what it drops. */
const PURGE = `WITH gone AS (DELETE FROM run_chunks WHERE (tenant_id, run_id, first_index) IN (
    SELECT tenant_id, run_id, first_index FROM run_chunks WHERE expires_at < clock_timestamp() LIMIT ${PURGE_BATCH})
  RETURNING 1)
SELECT count(*)::int AS n FROM gone`;

/** Writes tokens of runs of all tenants in one statement, durable a moment later. */
@Injectable()
export class RunChunksRepository {
  constructor(private readonly system: SystemDatabase) {}

  write(chunks: readonly NewChunk[]): Promise<ChunkVerdict[]> {
    return this.system.query<ChunkVerdict>(
      'write run chunks',
      'SELECT run_id, is_lost FROM run_chunks_write($1, $2, $3, $4, $5, $6)',
      [
        chunks.map((chunk) => chunk.tenantId),
        chunks.map((chunk) => chunk.runId),
        chunks.map((chunk) => chunk.fence),
        chunks.map((chunk) => chunk.firstIndex),
        chunks.map((chunk) => chunk.text),
        chunks.map((chunk) => `{${chunk.ends.join(',')}}`),
      ],
    );
  }

  /** Drops tokens whose hour is over, in batches; the answers stay. Returns how many chunks. */
  @Every(PURGE_MS, 'run chunks purge')
  async purge(): Promise<number> {
    let total = 0;
    for (let n = PURGE_BATCH; n === PURGE_BATCH; total += n) {
      const [row] = await this.system.query<{ n: number }>('purge run chunks', PURGE);
      n = row?.n ?? 0;
    }
    return total;
  }
}
