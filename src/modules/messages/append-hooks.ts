/** A job to be stored for each room of a tenant that gets messages, in their transaction; its key is the room's UUID. */
export interface AppendHook {
  readonly kind: string;
  /** A JSON object as text; the job's payload is this with `room_id`, the UUID, and the `seqs` of the messages. */
  readonly payloadText: string;
  /** Milliseconds before it may start. */
  readonly delayMs: number;
}

/** Who has something to do after messages were stored, whatever dies meanwhile. Implemented above. */
export abstract class AppendHooks {
  /** The tenant's hooks. Asked for every message, so it must not do any I/O. */
  abstract of(tenantId: string): readonly AppendHook[];
  /** Messages with hooks are committed. */
  abstract appended(): void;
}
