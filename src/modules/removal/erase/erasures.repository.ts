import { Injectable } from '@nestjs/common';
import { Database, SystemDatabase } from '../../../platform/database';
import { Jobs, type NewJob } from '../../../platform/jobs';
import type { EraseBatch, EraseStepName, EraseWork } from '../../../platform/tenant-data';
import { ErasureEntity, type ErasureState } from '../entities/erasure.entity';
import { erasureCounted } from '../removal.functions';

export type ErasureRow = Readonly<ErasureEntity>;

/** An erase that is under way: whose, and where it is. */
export interface RunningErasure extends ErasureRow {
  readonly user_id: string;
  /** A name of ERASE_STEPS, or END. */
  readonly step: string;
}

/** What `step` is where a pass over all steps is over. */
export const END = 'end';

/** Whose calls are refused, without a name. */
export interface RefusalRow {
  readonly tenant_id: string;
  readonly user_mac: Buffer;
  readonly mac_key_id: string;
  readonly state: ErasureState;
  readonly requested_at: Date;
  readonly updated_at: Date;
}

/** One that a restored database knows nothing of. */
export type LostErasure = Readonly<
  Pick<ErasureEntity, 'tenant_id' | 'erasure_id' | 'user_mac' | 'mac_key_id' | 'erased_id'>
>;

/** How long calls as an erased user are refused, in hours. */
export const REFUSED_HOURS = 24;

const OWN = 'WHERE tenant_id = $1 AND erasure_id = $2';

/** The table erasures. */
@Injectable()
export class ErasuresRepository {
  /** Statements that do a batch and count it, by the function that does it. */
  private readonly texts = new Map<EraseWork['batch'], string>();

  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly jobs: Jobs,
  ) {}

  async find(tenantId: string, erasureId: string): Promise<ErasureRow | undefined> {
    const where = { tenant_id: tenantId, erasure_id: erasureId };
    return (await this.database.repository(ErasureEntity, tenantId).findOne({ where })) ?? undefined;
  }

  /** Those of these that the tenant has. */
  async known(tenantId: string, erasureIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.database.query<{ erasure_id: string }>(
      'known erasures',
      tenantId,
      'SELECT erasure_id FROM erasures WHERE tenant_id = $1 AND erasure_id = ANY ($2::uuid[])',
      [tenantId, erasureIds],
    );
    return new Set(rows.map((row) => row.erasure_id));
  }

  /** Goes on, from the first step where none has begun. undefined: it is over, or there is none. */
  async begin(tenantId: string, erasureId: string, first: EraseStepName): Promise<RunningErasure | undefined> {
    const rows = await this.database.query<RunningErasure>(
      'begin erase',
      tenantId,
      `UPDATE erasures SET state = 'erasing', step = COALESCE(step, $3), updated_at = clock_timestamp()
       ${OWN} AND state IN ('refusing', 'erasing') RETURNING *`,
      [tenantId, erasureId, first],
    );
    return rows[0];
  }

  /**
   * Does a batch of a step and counts it, in one statement. Rejects where the erase is not there any more. Of two workers one
   * waits for the other, before its batch looks at anything: a row that both would find is counted once.
   * @param at where the step is; null: at its beginning
   * @param next the step after it, or END
   */
  async batch(
    { tenant_id, erasure_id, user_id, erased_id }: RunningErasure,
    step: { readonly name: string; readonly at: object | null; readonly next: string },
    work: EraseWork,
    limit: number,
  ): Promise<EraseBatch> {
    const counted = { p_erasure: erasure_id, p_of: user_id, p_step: step.name, p_at: step.at, p_next: step.next };
    const values = erasureCounted.addValues([tenant_id], counted, ['p_batch']);
    const first = values.length + 1;
    work.batch.addValues(values, { p_user: user_id, p_erased: erased_id, p_after: step.at, p_limit: limit });
    let text = this.texts.get(work.batch);
    if (text === undefined) {
      const call = erasureCounted.expression(2, { p_batch: work.batch.expression(first) });
      const held = `SELECT 1 FROM erasures ${OWN} FOR UPDATE`;
      text = `WITH held AS MATERIALIZED (${held}) SELECT ${call} AS result FROM held`;
      this.texts.set(work.batch, text);
    }
    const rows = await this.database.query<{ result: EraseBatch }>(work.batch.name, tenant_id, text, values);
    const [row] = rows;
    if (row === undefined) throw new Error('the erase is gone');
    return erasureCounted.returns.read(row.result);
  }

  /** Ends it, where the pass over all steps that is over has found nothing; else begins another pass. */
  async endPass(tenantId: string, erasureId: string): Promise<'done' | 'again'> {
    const rows = await this.database.query<{ state: ErasureState }>(
      'end of an erase',
      tenantId,
      `UPDATE erasures SET state = CASE WHEN found = 0 THEN 'done' ELSE state END, step = NULL, step_cursor = NULL, found = 0,
         user_id = CASE WHEN found = 0 THEN NULL ELSE user_id END, updated_at = clock_timestamp(),
         finished_at = CASE WHEN found = 0 THEN clock_timestamp() END
       ${OWN} AND state = 'erasing' AND step = '${END}' RETURNING state`,
      [tenantId, erasureId],
    );
    return rows[0]?.state === 'done' ? 'done' : 'again';
  }

  async fail(tenantId: string, erasureId: string, error: string): Promise<void> {
    await this.database.query(
      'failed erase',
      tenantId,
      `UPDATE erasures SET state = 'failed', error = $3, updated_at = clock_timestamp()
       ${OWN} AND state IN ('refusing', 'erasing')`,
      [tenantId, erasureId, error],
    );
  }

  /**
   * Writes down an erase again that a restored database has lost, with the job that does it.
   * @param userId whose it is; undefined: the database has no such user, and there is nothing to do
   */
  async restore(lost: LostErasure, userId: string | undefined, job: NewJob): Promise<void> {
    const { tenant_id, erasure_id, user_mac, mac_key_id, erased_id } = lost;
    const isDone = userId === undefined;
    await this.database.transaction('restore erase', tenant_id, async (tx) => {
      const made = await tx.query<{ state: ErasureState }>(
        `INSERT INTO erasures (tenant_id, erasure_id, user_id, user_mac, mac_key_id, erased_id, state, finished_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $7 = 'done' THEN clock_timestamp() END)
         ON CONFLICT DO NOTHING RETURNING state`,
        [
          tenant_id,
          erasure_id,
          userId ?? null,
          isDone ? null : user_mac,
          mac_key_id,
          erased_id,
          isDone ? 'done' : 'refusing',
        ],
      );
      if (made.length > 0 && !isDone) await this.jobs.enqueue(tx, tenant_id, [job]);
    });
    if (!isDone) this.jobs.wake();
  }

  /** Whose calls are refused: what changed since, and a while before. @param since undefined: all */
  refusals(since: Date | undefined, overlapSeconds: number): Promise<RefusalRow[]> {
    return this.system.query<RefusalRow & object>(
      'refused users',
      `SELECT tenant_id, user_mac, mac_key_id, state, requested_at, updated_at FROM erasures
       WHERE user_mac IS NOT NULL AND ($1::timestamptz IS NULL OR updated_at > $1::timestamptz - make_interval(secs => $2))`,
      [since ?? null, overlapSeconds],
    );
  }

  /** Forgets whose they were, when their time is over; how many. */
  async forget(): Promise<number> {
    const rows = await this.system.query<{ n: number }>(
      'forget erased users',
      `WITH gone AS (UPDATE erasures SET user_mac = NULL WHERE user_mac IS NOT NULL AND state = 'done'
         AND requested_at < clock_timestamp() - make_interval(hours => ${REFUSED_HOURS}) RETURNING 1)
       SELECT count(*)::int AS n FROM gone`,
    );
    return rows[0]?.n ?? 0;
  }
}
