import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../../platform/database';
import { Every } from '../../../platform/lifecycle';
import { type ChunkVerdict, runChunksWrite } from '../chats.functions';

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
    return runChunksWrite.call(this.system, {
      p_tenants: chunks.map((chunk) => chunk.tenantId),
      p_runs: chunks.map((chunk) => chunk.runId),
      p_fences: chunks.map((chunk) => chunk.fence),
      p_firsts: chunks.map((chunk) => chunk.firstIndex),
      p_texts: chunks.map((chunk) => chunk.text),
      p_ends: chunks.map((chunk) => `{${chunk.ends.join(',')}}`),
    });
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
