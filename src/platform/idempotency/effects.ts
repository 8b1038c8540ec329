import { Injectable } from '@nestjs/common';
import { AppError } from '../../common/errors';
import type { Caller, IdempotencyClaim } from '../auth';
import { callText, Database, type Sql, type Transaction } from '../database';

interface Beginning {
  readonly state: 'new' | 'running' | 'mismatch' | 'replay';
  readonly result?: unknown;
}

/** What every function of the schema returns: jsonb with a status. */
export interface EffectResult {
  readonly status: string;
}

/**
 * Runs the effect of a call: one function of the schema in one trip, or a transaction with repositories. When the call carries an Idempotency-Key, its
 * result is stored in the effect's own transaction, and a repeat gets the stored result instead of a second effect;
 * the service maps it to the answer as it did the first time.
 */
@Injectable()
export class Effects {
  constructor(private readonly database: Database) {}

  /** Calls `fn(values…)` for the caller's tenant. Throws 409 while the first call runs, 422 for another body. */
  async call<R extends EffectResult>(
    caller: Caller,
    fn: string,
    values: readonly unknown[],
    tenantId = caller.tenantId,
  ): Promise<R> {
    const claim = caller.idempotency;
    if (claim === undefined) return this.database.call<R>(fn, tenantId, fn, values);
    const id = idOf(caller, claim, tenantId);
    return this.database.transaction(fn, tenantId, async (sql) => {
      const replayed = await begin<R>(sql, caller, id);
      if (replayed !== undefined) return replayed;
      const effect = callText(fn, values.length, id.length + 1);
      const text = `SELECT idempotency_remember(${id.map((_, i) => `$${i + 1}`).join(', ')}, ${effect}) AS result`;
      const [done] = await sql.query<{ result: R }>(text, [...id, ...values]);
      if (!done) throw new Error(`${fn} returned no row`);
      return done.result;
    });
  }

  /**
   * The same for an effect that is no function of the schema.
   * @param effect made again after a deadlock; what it returns is stored as JSON where its status is `ok`, so it holds no secret
   */
  async transaction<R extends EffectResult>(
    caller: Caller,
    name: string,
    effect: (tx: Transaction) => Promise<R>,
  ): Promise<R> {
    const { tenantId, idempotency: claim } = caller;
    if (claim === undefined) return this.database.transaction(name, tenantId, effect);
    const id = idOf(caller, claim, tenantId);
    return this.database.transaction(name, tenantId, async (tx) => {
      const replayed = await begin<R>(tx, caller, id);
      if (replayed !== undefined) return replayed;
      const result = await effect(tx);
      await tx.query(`SELECT ${callText('idempotency_remember', id.length + 1)}`, [...id, JSON.stringify(result)]);
      return result;
    });
  }

  /**
   * Runs an effect that harms nobody when it runs twice, and lies outside of a transaction of ours. Its result is
   * remembered like that of `call`; calls with one key at the same time all run.
   */
  async harmless<R extends EffectResult>(caller: Caller, tenantId: string, effect: () => Promise<R>): Promise<R> {
    const claim = caller.idempotency;
    if (claim === undefined) return effect();
    const id = idOf(caller, claim, tenantId);
    const begun = await this.database.call<Beginning>('begin idempotency key', tenantId, 'idempotency_begin', id);
    if (begun.state === 'replay') {
      caller.replayed = true;
      return begun.result as R;
    }
    refuse(begun);
    const result = JSON.stringify(await effect());
    return this.database.call<R>('remember', tenantId, 'idempotency_remember', [...id, result]);
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
    const id = idOf(caller, claim, tenantId);
    const beginning = await this.database.call<Beginning>('claim idempotency key', tenantId, 'idempotency_claim', id);
    refuse(beginning);
    try {
      return await effect();
    } catch (error) {
      if (beginning.state === 'new' && error instanceof AppError && error.status < 500)
        // A claim that cannot be taken back refuses another body for a day; the caller's error matters more.
        await this.database.call('release idempotency key', tenantId, 'idempotency_release', id).catch(() => undefined);
      throw error;
    }
  }
}

/** The result of the first call, where this is a repeat of it. */
async function begin<R>(sql: Sql, caller: Caller, id: readonly unknown[]): Promise<R | undefined> {
  const [begun] = await sql.query<{ result: Beginning }>(
    `SELECT ${callText('idempotency_begin', id.length)} AS result`,
    id,
  );
  const beginning = begun?.result;
  if (beginning?.state === 'replay') {
    caller.replayed = true;
    return beginning.result as R;
  }
  refuse(beginning);
  return undefined;
}

function idOf(caller: Caller, claim: IdempotencyClaim, tenantId: string): unknown[] {
  return [tenantId, caller.optionalUserId ?? '', claim.route, claim.key, claim.fingerprint];
}

function refuse(beginning: Beginning | undefined): void {
  if (beginning?.state === 'running')
    throw new AppError('CONFLICT', 'The first call with this Idempotency-Key is still running. Try again in a moment', {
      retryAfterSeconds: 1,
    });
  if (beginning?.state === 'mismatch')
    throw new AppError('IDEMPOTENCY_MISMATCH', 'This Idempotency-Key was used before with another body', {
      field: 'Idempotency-Key',
    });
}
