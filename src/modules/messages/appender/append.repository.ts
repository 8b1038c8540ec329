import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../../platform/database';
import { type AppendHook, AppendHooks } from '../append-hooks';
import type { NewMessage } from './item';

export interface AppendRow {
  /** 1-based position of the message in the batch. */
  readonly item: number;
  readonly status: 'new' | 'duplicate' | 'mismatch' | 'no_room' | 'not_member' | 'posting' | 'ai' | 'locked';
  readonly message_id: string;
  readonly seq: number;
  readonly rev: number;
  readonly created_at: Date;
}

export type LookupRow = Pick<AppendRow, 'item' | 'seq' | 'rev' | 'created_at'>;

const APPEND = `SELECT item, status, message_id, seq, rev, created_at
  FROM append_messages($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`;

const APPEND_HOOKED = `SELECT item, status, message_id, seq, rev, created_at
  FROM append_messages_hooked($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
    $17, $18, $19, $20)`;

/** A sample of a large table may take a while on a busy disk. */
const ANALYZE_MS = 60_000;

/** Calls the append function: the one way into the log. */
@Injectable()
export class AppendRepository {
  constructor(
    private readonly system: SystemDatabase,
    private readonly hooks: AppendHooks,
  ) {}

  /**
   * Appends a batch in one transaction. No two messages may share (room, sender, client_message_id).
   * @param wait wait up to a second for a room that somebody else holds; messages of one that is still held after
   *   that, or without `wait`, come back `locked`
   */
  async append(batch: readonly NewMessage[], wait: boolean): Promise<AppendRow[]> {
    const values = [wait, ...messagesOf(batch), ...jobsOf(batch), ...answersOf(batch)];
    const hooks = this.hooksOf(batch);
    if (hooks.length === 0) return this.system.query<AppendRow>('append', APPEND, values);
    const rows = await this.system.query<AppendRow>('append with hooks', APPEND_HOOKED, [
      ...values,
      hooks.map(({ tenantId }) => tenantId),
      hooks.map(({ hook }) => hook.event),
      hooks.map(({ hook }) => hook.delayMs),
    ]);
    this.hooks.appended();
    return rows;
  }

  /** Renews the planner's statistics when the log has more than twice the rows that they know of. */
  async analyze(rows: number): Promise<void> {
    await this.system.transaction('analyze log', (sql) => sql.query('SELECT log_analyze($1)', [rows]), ANALYZE_MS);
  }

  /** Which messages of a batch are in the log. */
  lookup(batch: readonly NewMessage[]): Promise<LookupRow[]> {
    return this.system.query<LookupRow>('append lookup', 'SELECT * FROM append_lookup($1, $2, $3)', [
      batch.map((m) => m.tenantId),
      batch.map((m) => m.roomId),
      batch.map((m) => m.messageId),
    ]);
  }

  private hooksOf(batch: readonly NewMessage[]): { tenantId: string; hook: AppendHook }[] {
    const tenants = new Set(batch.map((m) => m.tenantId));
    return [...tenants].flatMap((tenantId) => this.hooks.of(tenantId).map((hook) => ({ tenantId, hook })));
  }
}

function messagesOf(batch: readonly NewMessage[]): unknown[] {
  return [
    batch.map((m) => m.tenantId),
    batch.map((m) => m.roomId),
    batch.map((m) => m.messageId),
    batch.map((m) => m.senderId),
    batch.map((m) => m.clientMessageId),
    batch.map((m) => m.bodyHash),
    batch.map((m) => m.content),
    batch.map((m) => m.metaText),
  ];
}

function jobsOf(batch: readonly NewMessage[]): unknown[] {
  const jobs = batch.flatMap((m, i) => (m.jobs ?? []).map((job) => ({ item: i + 1, job })));
  return [
    jobs.map(({ item }) => item),
    jobs.map(({ job }) => job.kind),
    jobs.map(({ job }) => job.key),
    jobs.map(({ job }) => JSON.stringify(job.payload)),
  ];
}

function answersOf(batch: readonly NewMessage[]): unknown[] {
  const answers = batch.flatMap(({ answer }, i) => (answer === undefined ? [] : [{ item: i + 1, answer }]));
  return [
    answers.map(({ item }) => item),
    answers.map(({ answer }) => answer.status),
    answers.map(({ answer }) => answer.replyToSeq),
    answers.map(({ answer }) => JSON.stringify(answer.run)),
  ];
}
