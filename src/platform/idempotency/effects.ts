import { Injectable } from '@nestjs/common';
import { AppError } from '../../common/errors';
import { Audit, type AuditAction, type AuditEntry, auditResult, type FunctionAudit } from '../audit';
import type { Caller, IdempotencyClaim } from '../auth';
import {
  Database,
  purgeExpired,
  type SchemaFunction,
  schemaFunction,
  type Sql,
  SystemDatabase,
  type Transaction,
  value,
} from '../database';
import { Every } from '../lifecycle';
import { eraseFunction, EraseStep, type EraseWork } from '../tenant-data';

/** What is known of a key when it is taken. */
interface Beginning {
  readonly state: 'new' | 'running' | 'mismatch' | 'replay';
  readonly result?: unknown;
}

const KEY = { p_user: 'text', p_route: 'text', p_key: 'text', p_fingerprint: 'bytea' } as const;

/** Holds the key until the transaction's end, unless another one does. */
const idempotencyBegin = schemaFunction('idempotency_begin', KEY, value<Beginning>('jsonb'));

/** Stores a result whose status is 'ok' under the key, and hands any through. */
const idempotencyRemember = schemaFunction(
  'idempotency_remember',
  { ...KEY, p_result: 'jsonb' },
  value<unknown>('jsonb'),
);

/** Binds the key to its body, before an effect outside of a transaction of ours. */
const idempotencyClaim = schemaFunction('idempotency_claim', KEY, value<Beginning>('jsonb'));

/** Takes a claim back. */
const idempotencyRelease = schemaFunction('idempotency_release', KEY, value<unknown>('jsonb'));

/** What an effect says: jsonb with a status. */
export interface EffectResult {
  readonly status: string;
}

/** Whose tenant an effect is about: default the caller's, which the master key has not. */
interface OfTenant {
  /** UUID. */
  readonly tenantId?: string;
}

/** What a call of `Effects.transaction` writes to the audit log. */
export interface EffectAudit<R, A extends AuditAction> {
  readonly action: A;
  /** Made of what the effect has said; undefined: it has changed nothing. */
  readonly entry: (result: R) => AuditEntry<A> | undefined;
}

/**
 * Runs the effect of a call: one function of the schema in one trip, or a transaction with repositories. When the call carries an Idempotency-Key, its
 * result is stored in the effect's own transaction, and a repeat gets the stored result instead of a second effect;
 * the service maps it to the answer as it did the first time.
 */
@Injectable()
export class Effects {
  /** The texts that run an effect, remember what it says and write it to the audit log, by effect. */
  private readonly texts = new Map<object, Map<string, string>>();

  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
  ) {}

  /**
   * Calls `fn`. Throws what it refuses; 409 while the first call runs, 422 for another body.
   * @param options.audit what it writes to the audit log where its answer holds `audit`, in the same statement
   */
  async call<A extends object, R extends EffectResult>(
    caller: Caller,
    fn: SchemaFunction<A, R>,
    args: A,
    options: OfTenant & { readonly audit?: FunctionAudit | undefined } = {},
  ): Promise<R> {
    const { idempotency: claim } = caller;
    const { tenantId = caller.tenantId, audit } = options;
    if (claim === undefined && audit === undefined) return fn.call(this.database, tenantId, args);
    const id = claim && idOf(caller, claim);
    const row = audit && this.audit.argumentsOf(tenantId, caller, audit);
    const values: unknown[] = [tenantId];
    if (row !== undefined) auditResult.addValues(values, row, ['p_result']);
    if (id !== undefined) idempotencyBegin.addValues(values, id);
    fn.addValues(values, args);
    const text = this.textOf(fn, row !== undefined, id !== undefined);
    const said = await (id === undefined
      ? this.database.query<Said>(fn.name, tenantId, text, values)
      : this.database.transaction(fn.name, tenantId, async (sql) => {
          const replayed = await begin(sql, caller, tenantId, id);
          return replayed === undefined ? sql.query<Said>(text, values) : [{ result: replayed }];
        }));
    const result = said[0]?.result;
    if (audit !== undefined) this.audit.told(caller, result);
    return fn.returns.read(result);
  }

  /**
   * The same for an effect that is no function of the schema.
   * @param effect made again after a deadlock; what it returns is stored as JSON where its status is `ok`, so it holds no secret
   * @param options.audit written last, where the status is `ok`
   */
  async transaction<R extends EffectResult, A extends AuditAction = never>(
    caller: Caller,
    name: string,
    effect: (tx: Transaction) => Promise<R>,
    options: OfTenant & { readonly audit?: EffectAudit<R, A> } = {},
  ): Promise<R> {
    const { idempotency: claim } = caller;
    const { tenantId = caller.tenantId, audit } = options;
    const id = claim && idOf(caller, claim);
    return this.database.transaction(name, tenantId, async (tx) => {
      const replayed = id && (await begin(tx, caller, tenantId, id));
      if (replayed !== undefined) return replayed as R;
      const result = await effect(tx);
      if (id !== undefined) await idempotencyRemember.callIn(tx, tenantId, { ...id, p_result: result });
      if (audit !== undefined && result.status === 'ok') {
        const entry = audit.entry(result);
        if (entry === undefined) this.audit.nothing(caller);
        else await this.audit.write(tx, tenantId, caller, audit.action, entry);
      }
      return result;
    });
  }

  /** Writes a row in a transaction of its own, before an act that lies in none of ours: no act is without its row. */
  async announce<A extends AuditAction>(
    caller: Caller,
    tenantId: string,
    action: A,
    entry: AuditEntry<A>,
  ): Promise<void> {
    await this.database.transaction(`audit ${action}`, tenantId, (tx) =>
      this.audit.write(tx, tenantId, caller, action, entry),
    );
  }

  /**
   * Runs an effect that does no harm when it runs twice, and lies outside of a transaction of ours. Its result is
   * remembered like that of `call`; calls with one key at the same time all run.
   */
  async harmless<R extends EffectResult>(caller: Caller, tenantId: string, effect: () => Promise<R>): Promise<R> {
    const claim = caller.idempotency;
    if (claim === undefined) return effect();
    const id = idOf(caller, claim);
    const begun = await idempotencyBegin.call(this.database, tenantId, id);
    if (begun.state === 'replay') {
      caller.replayed = true;
      return begun.result as R;
    }
    refuse(begun);
    const args = { ...id, p_result: await effect() };
    return (await idempotencyRemember.call(this.database, tenantId, args)) as R;
  }

  /**
   * Runs an effect that has an id of its own against a second one (a message's client_message_id) and lies outside
   * of a transaction of ours: the Idempotency-Key is bound to the body before it, so another body gets 422 at any
   * time, concurrent calls included, while a repeat runs the effect again and is answered by its id. Nothing is
   * remembered of an effect that was refused (4xx); of one whose outcome is unknown (503) the binding stays.
   */
  async bound<T>(caller: Caller, effect: () => Promise<T>): Promise<T> {
    const claim = caller.idempotency;
    if (claim === undefined) return effect();
    const { tenantId } = caller;
    const id = idOf(caller, claim);
    const beginning = await idempotencyClaim.call(this.database, tenantId, id);
    refuse(beginning);
    try {
      return await effect();
    } catch (error) {
      if (beginning.state === 'new' && error instanceof AppError && error.status < 500)
        // A claim that cannot be taken back refuses another body for a day; the caller's error matters more.
        await idempotencyRelease.call(this.database, tenantId, id).catch(() => undefined);
      throw error;
    }
  }

  /** `$1` is the tenant; then come the arguments of what stands around the effect, from the outside in. */
  private textOf(fn: SchemaFunction<never, EffectResult>, isAudited: boolean, isRemembered: boolean): string {
    const texts = this.texts.get(fn) ?? new Map<string, string>();
    this.texts.set(fn, texts);
    const form = `${isAudited} ${isRemembered}`;
    let text = texts.get(form);
    if (text === undefined) {
      const audited = isAudited ? auditResult.arguments.length - 1 : 0;
      const remembered = isRemembered ? idempotencyBegin.arguments.length : 0;
      let call = fn.expression(2 + audited + remembered);
      if (isRemembered) call = idempotencyRemember.expression(2 + audited, { p_result: call });
      if (isAudited) call = auditResult.expression(2, { p_result: call });
      texts.set(form, (text = fn.textOf(call)));
    }
    return text;
  }
}

interface Said {
  readonly result: unknown;
}

/** The result of the first call, where this is a repeat of it. */
async function begin(sql: Sql, caller: Caller, tenantId: string, id: KeyArgs): Promise<unknown> {
  const beginning = await idempotencyBegin.callIn(sql, tenantId, id);
  if (beginning.state === 'replay') {
    caller.replayed = true;
    return beginning.result;
  }
  refuse(beginning);
  return undefined;
}

interface KeyArgs {
  readonly p_user: string;
  readonly p_route: string;
  readonly p_key: string;
  readonly p_fingerprint: Buffer;
}

function idOf(caller: Caller, { route, key, fingerprint }: IdempotencyClaim): KeyArgs {
  return { p_user: caller.optionalUserId ?? '', p_route: route, p_key: key, p_fingerprint: fingerprint };
}

function refuse(beginning: Beginning): void {
  if (beginning.state === 'running')
    throw new AppError('CONFLICT', 'The first call with this Idempotency-Key is still running. Try again in a moment', {
      retryAfterSeconds: 1,
    });
  if (beginning.state === 'mismatch')
    throw new AppError('IDEMPOTENCY_MISMATCH', 'This Idempotency-Key was used before with another body', {
      field: 'Idempotency-Key',
    });
}

const INTERVAL_MS = 10 * 60_000;

/** Drops idempotency keys that are older than their 24 hours, in batches, every ten minutes. */
@Injectable()
export class KeyPurge {
  constructor(private readonly system: SystemDatabase) {}

  /** Deletes all that have expired; returns how many. */
  @Every(INTERVAL_MS, 'idempotency key purge')
  purge(): Promise<number> {
    return purgeExpired(this.system, 'purge idempotency keys', 'idempotency_keys');
  }
}

/** Takes a user out of what calls with a key were answered with. */
@Injectable()
@EraseStep('idempotency')
export class KeysErase implements EraseWork {
  readonly batch = eraseFunction('idempotency_erase');
}
