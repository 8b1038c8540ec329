import { Injectable } from '@nestjs/common';
import { purgeExpired, SystemDatabase } from '../../../platform/database';

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

/** Writes tokens of runs of all tenants in one statement, durable a moment later. */
@Injectable()
export class RunChunksRepository {
  constructor(private readonly system: SystemDatabase) {}

  write(chunks: readonly NewChunk[]): Promise<ChunkVerdict[]> {
    return this.system.read<ChunkVerdict & { run_id: string }>(
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

  /** Tokens are kept for an hour; the answers stay. */
  purge(): Promise<number> {
    return purgeExpired(this.system, 'purge run chunks', 'run_chunks');
  }
}
