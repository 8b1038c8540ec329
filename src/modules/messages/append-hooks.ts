/** A job to be stored for each room of a tenant that gets messages, in their transaction. */
export interface AppendHook {
  /** What the job is about: its kind is `webhook.plan`, its payload `{event, room_id, seqs}`. */
  readonly event: string;
  /** Milliseconds before it may start. */
  readonly delayMs: number;
}

/** Who has something to do after messages were stored (a webhook), whatever dies meanwhile. Implemented above. */
export abstract class AppendHooks {
  /** The tenant's hooks. Asked for every message, so it must not do any I/O. */
  abstract of(tenantId: string): readonly AppendHook[];
  /** Messages with hooks are committed. */
  abstract appended(): void;
}
