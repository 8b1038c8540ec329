import { Injectable } from '@nestjs/common';
import { Any, Not } from 'typeorm';
import type { PageRequest } from '../../../common/limits';
import { Database, type Transaction } from '../../../platform/database';
import { lockTenant } from '../../tenants';
import type { ReasoningEffort, ResponseFormat } from '../contract';
import { PresetEntity } from '../entities/preset.entity';

/** What a preset is given beyond its columns; stored as given. */
export interface PresetOptions {
  readonly topP?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly reasoningEffort?: ReasoningEffort | undefined;
  readonly responseFormat?: ResponseFormat | undefined;
  readonly seed?: number | undefined;
  readonly contextTokens?: number | undefined;
  readonly keepReasoning?: boolean | undefined;
}

export type PresetValues = Readonly<
  Pick<PresetEntity, 'system_prompt' | 'model' | 'temperature' | 'max_tokens' | 'context_messages'>
> & { readonly options: PresetOptions };

/** As a row, or as the stored result of a call has it; the times are null in one that comes with the server. */
export type PresetRow = PresetValues &
  Readonly<Pick<PresetEntity, 'name'>> & { readonly [K in 'created_at' | 'updated_at']: Date | string | null };

/** The preset that every tenant has; what a tenant changes of it is a row. */
export const DEFAULT_PRESET = 'default';

const DEFAULT_CONTEXT_MESSAGES = 20;

export const DEFAULT_VALUES: PresetValues = {
  system_prompt: 'You are a helpful assistant.',
  model: null,
  temperature: null,
  max_tokens: null,
  context_messages: DEFAULT_CONTEXT_MESSAGES,
  options: {},
};

@Injectable()
export class PresetsRepository {
  constructor(private readonly database: Database) {}

  /** One that is always there, as the tenant has changed it, and then the tenant's others by name. */
  async list(tenantId: string, always: PresetRow, { limit, offset }: PageRequest): Promise<PresetRow[]> {
    const first = offset === 0 ? [(await this.find(tenantId, always.name)) ?? always] : [];
    if (limit === first.length) return first;
    const others = await this.database.repository(PresetEntity, tenantId).find({
      where: { tenant_id: tenantId, name: Not(always.name) },
      order: { name: 'ASC' },
      take: limit - first.length,
      skip: Math.max(0, offset - 1),
    });
    return [...first, ...others];
  }

  /** Without the one of that name. */
  countOthers(tenantId: string, name: string): Promise<number> {
    return this.database.repository(PresetEntity, tenantId).countBy({ tenant_id: tenantId, name: Not(name) });
  }

  find(tenantId: string, name: string): Promise<PresetRow | null> {
    return this.database.repository(PresetEntity, tenantId).findOneBy({ tenant_id: tenantId, name });
  }

  async names(tenantId: string, among: readonly string[]): Promise<string[]> {
    const rows = await this.database
      .repository(PresetEntity, tenantId)
      .find({ select: { name: true }, where: { tenant_id: tenantId, name: Any(among) } });
    return rows.map(({ name }) => name);
  }

  /** @param limit of the tenant's presets, without the one named `uncounted` */
  async create(
    tx: Transaction,
    preset: PresetValues & { readonly tenant_id: string; readonly name: string },
    { limit, uncounted }: { readonly limit: number; readonly uncounted: string },
  ): Promise<PresetRow | 'full' | 'taken'> {
    const { tenant_id, name } = preset;
    const presets = tx.repository(PresetEntity);
    await lockTenant(tx, tenant_id);
    if ((await presets.countBy({ tenant_id, name: Not(uncounted) })) >= limit) return 'full';
    if (await presets.existsBy({ tenant_id, name })) return 'taken';
    const row = presets.create(preset);
    await presets.insert(row);
    return row;
  }

  /** Changes a preset to what `change` makes of it. Where it has no row it is made from `otherwise`, if that is given. */
  async change(
    tx: Transaction,
    tenantId: string,
    name: string,
    change: (before: PresetValues) => PresetValues,
    otherwise: PresetValues | undefined,
  ): Promise<{ readonly before: PresetValues; readonly after: PresetRow } | undefined> {
    const key = { tenant_id: tenantId, name };
    const presets = tx.repository(PresetEntity);
    const locked = (): Promise<PresetEntity | null> =>
      presets.findOne({ where: key, lock: { mode: 'for_no_key_update' } });
    let row = await locked();
    if (row === null && otherwise !== undefined) {
      // What has no row yet cannot be locked: the tenant's row is, and the first of several has made it by then.
      await lockTenant(tx, tenantId);
      row = await locked();
    }
    const before = row ?? otherwise;
    if (before === undefined) return undefined;
    if (row === null) await presets.insert({ ...change(before), ...key });
    else await presets.update(key, { ...change(before), updated_at: () => 'clock_timestamp()' });
    return { before, after: await presets.findOneByOrFail(key) };
  }

  /** What it was; undefined when there is no row. */
  async delete(tx: Transaction, tenantId: string, name: string): Promise<PresetRow | undefined> {
    const key = { tenant_id: tenantId, name };
    const presets = tx.repository(PresetEntity);
    const before = await presets.findOne({ where: key, lock: { mode: 'pessimistic_write' } });
    if (before === null) return undefined;
    await presets.delete(key);
    return before;
  }
}
