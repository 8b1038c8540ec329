import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../../common/limits';
import type { ModelsConfig } from '../../../config';
import { codeOf, Database, type Transaction, UNIQUE_VIOLATION } from '../../../platform/database';
import { lockTenant } from '../../tenants';
import type { Timeouts } from '../answer/answer';
import type { ModelPrices } from '../contract';
import { ModelChannelEntity } from '../entities/model-channel.entity';
import type { AuthHeader, MaxTokensField, WireParams } from '../providers/chat-model';

/** How a channel wants to be asked; `auto` is found out (see LearnedParams). */
export interface ChannelParams extends Pick<WireParams, 'systemRole' | 'extra'> {
  readonly maxTokensField: MaxTokensField | 'auto';
  readonly streamOptions: boolean | 'auto';
}

/** What a channel is given beyond its columns; stored as given, and complete with its defaults. */
export interface ChannelOptions {
  readonly firstMs?: number | undefined;
  readonly idleMs?: number | undefined;
  readonly params?: Partial<ChannelParams> | undefined;
  readonly models?: Readonly<Record<string, string>> | undefined;
  readonly authHeader?: AuthHeader | undefined;
  readonly contextTokens?: number | undefined;
  readonly vision?: boolean | undefined;
  readonly prices?: ModelPrices | undefined;
  /** Of models that cost something else, by the names that the provider has. */
  readonly modelPrices?: Readonly<Record<string, ModelPrices>> | undefined;
}

/** What a channel is, without its key. */
export type ChannelValues = Readonly<
  Omit<ModelChannelEntity, 'tenant_id' | 'channel_id' | 'api_key' | 'options' | 'created_at' | 'updated_at'>
> & { readonly options: ChannelOptions };

/** One with its key, sealed. */
export type SealedChannel = Readonly<ModelChannelEntity> & { readonly options: ChannelOptions };

/** As a row, or as the stored result of a call has it. */
export type ChannelRow = ChannelValues & {
  readonly channel_id: string;
  readonly has_api_key: boolean;
} & { readonly [K in 'created_at' | 'updated_at']: Date | string };

@Injectable()
export class ChannelsRepository {
  constructor(private readonly database: Database) {}

  /** All of a tenant, with their sealed keys. */
  all(tenantId: string): Promise<SealedChannel[]> {
    return this.database.repository(ModelChannelEntity, tenantId).findBy({ tenant_id: tenantId });
  }

  async list(tenantId: string, { limit, offset }: PageRequest): Promise<ChannelRow[]> {
    const channels = await this.database.repository(ModelChannelEntity, tenantId).find({
      where: { tenant_id: tenantId },
      order: { priority: 'ASC', name: 'ASC' },
      take: limit,
      skip: offset,
    });
    return channels.map(rowOf);
  }

  count(tenantId: string): Promise<number> {
    return this.database.repository(ModelChannelEntity, tenantId).countBy({ tenant_id: tenantId });
  }

  async find(tenantId: string, channelId: string): Promise<ChannelRow | undefined> {
    const channel = await this.database
      .repository(ModelChannelEntity, tenantId)
      .findOneBy({ tenant_id: tenantId, channel_id: channelId });
    return channel === null ? undefined : rowOf(channel);
  }

  /** @param limit of the tenant's channels */
  async create(
    tx: Transaction,
    channel: ChannelValues & Pick<ModelChannelEntity, 'tenant_id' | 'channel_id' | 'api_key'>,
    limit: number,
  ): Promise<ChannelRow | 'full' | 'taken'> {
    const { tenant_id, name } = channel;
    const channels = tx.repository(ModelChannelEntity);
    await lockTenant(tx, tenant_id);
    if ((await channels.countBy({ tenant_id })) >= limit) return 'full';
    if (await channels.existsBy({ tenant_id, name })) return 'taken';
    const row = channels.create(channel);
    await channels.insert(row);
    return rowOf(row);
  }

  /**
   * Changes a channel to what `change` makes of it; undefined when there is none.
   * @param apiKey sealed; null takes it away, undefined leaves it
   * @throws a unique violation where another has that name: `isTaken` tells
   */
  async change(
    tx: Transaction,
    tenantId: string,
    channelId: string,
    change: (before: ChannelValues) => ChannelValues,
    apiKey: string | null | undefined,
  ): Promise<{ readonly before: ChannelRow; readonly after: ChannelRow } | undefined> {
    const key = { tenant_id: tenantId, channel_id: channelId };
    const channels = tx.repository(ModelChannelEntity);
    // As `create` does: a channel that is made meanwhile sees the new name.
    await lockTenant(tx, tenantId);
    const before = await channels.findOne({ where: key, lock: { mode: 'for_no_key_update' } });
    if (before === null) return undefined;
    await channels.update(key, {
      ...change(before),
      ...(apiKey === undefined ? {} : { api_key: apiKey }),
      updated_at: () => 'clock_timestamp()',
    });
    return { before: rowOf(before), after: rowOf(await channels.findOneByOrFail(key)) };
  }

  /** What it was; undefined when there is none. */
  async delete(tx: Transaction, tenantId: string, channelId: string): Promise<ChannelRow | undefined> {
    const key = { tenant_id: tenantId, channel_id: channelId };
    const channels = tx.repository(ModelChannelEntity);
    const before = await channels.findOne({ where: key, lock: { mode: 'pessimistic_write' } });
    if (before === null) return undefined;
    await channels.delete(key);
    return rowOf(before);
  }
}

/** Its key stays here, sealed or not: what is shown, and stored as the result of a call, must not have it. */
function rowOf({ tenant_id: _, api_key, ...channel }: ModelChannelEntity): ChannelRow {
  return { ...channel, has_api_key: api_key !== null };
}

/** Whether a change has failed because another channel has the name. */
export function isTaken(error: unknown): boolean {
  return codeOf(error) === UNIQUE_VIOLATION;
}

export function paramsOf(given: Partial<ChannelParams> = {}): ChannelParams {
  const { maxTokensField = 'auto', streamOptions = 'auto', systemRole = 'system', extra = {} } = given;
  return { maxTokensField, streamOptions, systemRole, extra };
}

/** Of a channel that says nothing else. */
export function timeoutsOf(
  config: ModelsConfig,
  given: Pick<ChannelOptions, 'firstMs' | 'idleMs'>,
  totalMs = config.totalMs,
): Timeouts {
  return { firstMs: given.firstMs ?? config.firstMs, idleMs: given.idleMs ?? config.idleMs, totalMs };
}
