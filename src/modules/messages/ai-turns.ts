import type { Caller } from '../../platform/auth';
import type { MessageJob, Stored } from './appender/item';

/** A message that is about to be said to a model. */
export interface Said {
  /** UUIDs. */
  readonly tenantId: string;
  readonly roomId: string;
  readonly messageId: string;
  readonly senderId: string;
  readonly content: string;
  /** A JSON object as text. */
  readonly metaText: string | null;
  readonly clientMessageId: string | null;
  /** What a repeat must be equal to besides content and meta, in a canonical form; unset: nothing. */
  readonly alsoEqual?: string;
}

/** What a message into a room of type `ai` needs: the limits of the models allow it, and its answer is a job. */
export interface AiTurn {
  readonly jobs: readonly MessageJob[];
  /** The message is committed, whether anybody waits for it or not. */
  onStored(stored: Stored): void;
  /** The attempt is over, stored or not. */
  release(): void;
}

/** Who answers in rooms of type `ai`; the log does not know how. Implemented above. */
export abstract class AiTurns {
  /** Throws what the limits and settings say: 409, 429. */
  abstract begin(caller: Caller, said: Said): Promise<AiTurn>;
  /** Questions were deleted, and these runs with them: their answers end now. */
  abstract cancelled(runIds: readonly string[]): void;
}
