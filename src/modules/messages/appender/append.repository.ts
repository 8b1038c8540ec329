import { Injectable } from '@nestjs/common';
import { Bus } from '../../../platform/cluster';
import { SystemDatabase } from '../../../platform/database';
import {
  appendBatch,
  appendLookup,
  appendMessages,
  appendMessagesHooked,
  type AppendRow,
  batchArgs,
  logAnalyze,
  type LookupRow,
} from '../messages.functions';
import { isMessage, isStateChange, type LogWrite, type NewMessage, type StateChange, type StateKind } from './item';

/** A job to be stored for each room of a tenant that gets messages, in their transaction; its key is the room's UUID. */
export interface AppendHook {
  readonly kind: string;
  /** A JSON object as text; the job's payload is this with `room_id`, the UUID, and the `seqs` of the messages. */
  readonly payloadText: string;
  /** Milliseconds before it may start. */
  readonly delayMs: number;
}

/** A job to be stored for each room of a tenant in which states of a kind change, in their transaction; its key is the room's UUID. */
export interface StateHook {
  readonly state: StateKind;
  readonly kind: string;
  /** A JSON object as text; the job's payload is this with `room_id`, the UUID, and the `changes`. */
  readonly payloadText: string;
}

/** Work that follows a stored message, whatever dies meanwhile. Implemented by the modules above. */
export abstract class AppendHooks {
  /** The tenant's hooks. Asked for every message, so it must not do any I/O. */
  abstract of(tenantId: string): readonly AppendHook[];
  /** The same of states of messages. */
  abstract ofStates(tenantId: string): readonly StateHook[];
  /** Messages with hooks are committed. */
  abstract appended(): void;
}

/** A sample of a large table may take a while on a busy disk. */
const ANALYZE_MS = 60_000;

/** What another server holds is soon done, a batch of its own; measured in docs/adr/0006. */
const SHARED_LOCK_MS = 50;

/** What differs where several servers share a database. */
@Injectable()
export class AppendOptions {
  /**
   * How long a batch waits for each of its rooms, in ms, before it goes on without those that others hold. 0: not at all, which
   * is best where no other server writes: whoever holds a room then is rare, and soon done.
   */
  readonly lockMs: number;

  constructor(bus: Bus) {
    this.lockMs = bus.isShared ? SHARED_LOCK_MS : 0;
  }
}

/** Calls the append function: the one way into the log. */
@Injectable()
export class AppendRepository {
  readonly lockMs: number;

  constructor(
    private readonly system: SystemDatabase,
    private readonly hooks: AppendHooks,
    { lockMs }: AppendOptions = { lockMs: 0 },
  ) {
    this.lockMs = lockMs;
  }

  /**
   * Appends a batch in one transaction. No two messages may share (room, sender, client_message_id).
   * @param lockMs how long it waits for each room that another transaction holds, in ms; messages of one that is still held
   *   after that come back `locked`, the others are stored. 0: it does not wait
   */
  async append(batch: readonly LogWrite[], lockMs: number): Promise<AppendRow[]> {
    const messages = batch.filter(isMessage);
    if (messages.length < batch.length) return this.appendBoth(batch, messages, lockMs);
    const args = batchArgs(messages, lockMs);
    const hooks = this.hooksOf(messages);
    if (hooks.length === 0) return appendMessages.call(this.system, args);
    const found = await appendMessagesHooked.call(this.system, { ...args, ...hookArgs(hooks) });
    this.hooks.appended();
    return found;
  }

  /** Renews the planner's statistics when the log has more than twice the rows that they know of. */
  async analyze(rows: number): Promise<void> {
    await this.system.transaction(logAnalyze.name, (sql) => logAnalyze.callIn(sql, { p_rows: rows }), ANALYZE_MS);
  }

  /** Which messages of a batch are in the log; of states nothing is said. */
  lookup(batch: readonly LogWrite[]): Promise<LookupRow[]> {
    return appendLookup.call(this.system, {
      p_tenants: batch.map((m) => m.tenantId),
      p_rooms: batch.map((m) => m.roomId),
      p_ids: batch.map((m) => (isStateChange(m) ? null : m.messageId)),
    });
  }

  /** Messages and states; the rows name the place of each in the batch. */
  private async appendBoth(
    batch: readonly LogWrite[],
    messages: readonly NewMessage[],
    lockMs: number,
  ): Promise<AppendRow[]> {
    const states = batch.filter(isStateChange);
    const hooks = this.hooksOf(messages);
    const stateHooks = tenantsOf(states).flatMap((tenantId) =>
      this.hooks.ofStates(tenantId).map((hook) => ({ tenantId, hook })),
    );
    const rows = await appendBatch.call(this.system, {
      ...batchArgs(messages, lockMs),
      ...hookArgs(hooks),
      ...stateArgs(states),
      p_state_hook_tenants: stateHooks.map(({ tenantId }) => tenantId),
      p_state_hook_states: stateHooks.map(({ hook }) => hook.state),
      p_state_hook_kinds: stateHooks.map(({ hook }) => hook.kind),
      p_state_hook_payloads: stateHooks.map(({ hook }) => hook.payloadText),
    });
    if (hooks.length + stateHooks.length > 0) this.hooks.appended();
    const order: readonly LogWrite[] = [...messages, ...states];
    const places = new Map(batch.map((write, i) => [write, i + 1]));
    return rows.map((row) => {
      const write = order[row.item - 1];
      return { ...row, item: (write && places.get(write)) ?? 0 };
    });
  }

  private hooksOf(batch: readonly NewMessage[]): TenantHook[] {
    return tenantsOf(batch).flatMap((tenantId) => this.hooks.of(tenantId).map((hook) => ({ tenantId, hook })));
  }
}

interface TenantHook {
  readonly tenantId: string;
  readonly hook: AppendHook;
}

function tenantsOf(batch: readonly LogWrite[]): string[] {
  return [...new Set(batch.map(({ tenantId }) => tenantId))];
}

function hookArgs(hooks: readonly TenantHook[]) {
  return {
    p_hook_tenants: hooks.map(({ tenantId }) => tenantId),
    p_hook_kinds: hooks.map(({ hook }) => hook.kind),
    p_hook_payloads: hooks.map(({ hook }) => hook.payloadText),
    p_hook_delays: hooks.map(({ hook }) => hook.delayMs),
  };
}

function stateArgs(states: readonly StateChange[]) {
  return {
    p_state_tenants: states.map(({ tenantId }) => tenantId),
    p_state_rooms: states.map(({ roomId }) => roomId),
    p_state_kinds: states.map(({ state }) => state),
    p_state_messages: states.map(({ messageId }) => messageId),
    p_state_users: states.map(({ userId }) => userId),
    p_state_keys: states.map(({ key }) => key),
    p_state_ons: states.map(({ on }) => on),
  };
}
