import { Injectable } from '@nestjs/common';

/** A job to be stored for each room of a tenant that gets messages, in their transaction. */
export interface AppendHook {
  /** What the job is about: its kind is `webhook.plan`, its payload `{event, room_id, seqs}`. */
  readonly event: string;
  /** Milliseconds before it may start. */
  readonly delayMs: number;
}

export interface AppendHooksSource {
  /** The tenant's hooks. Asked for every message, so it must not do any I/O. */
  of(tenantId: string): readonly AppendHook[];
  /** Messages with hooks are committed. */
  appended(): void;
}

const NONE: readonly AppendHook[] = [];

/** The place for whoever has something to do after messages were stored (a webhook), whatever dies meanwhile. */
@Injectable()
export class AppendHooks {
  private source: AppendHooksSource | undefined;

  /** Call while the application starts (`onModuleInit`); there is one source. */
  use(source: AppendHooksSource): void {
    if (this.source !== undefined) throw new Error('Appended messages have a source of hooks already');
    this.source = source;
  }

  of(tenantId: string): readonly AppendHook[] {
    return this.source?.of(tenantId) ?? NONE;
  }

  appended(): void {
    this.source?.appended();
  }
}
