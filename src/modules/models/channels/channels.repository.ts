import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../../common/pagination';
import { codeOf, Database, type Sql } from '../../../platform/database';
import type { ChannelOptions } from './channel-options';

/** What a channel is, without its key. */
export type ChannelValues = {
  readonly name: string;
  readonly provider: string;
  readonly base_url: string;
  readonly model: string;
  readonly priority: number;
  readonly weight: number;
  readonly enabled: boolean;
  readonly max_tokens: number | null;
  readonly temperature: number | null;
  readonly timeout_ms: number;
  readonly options: ChannelOptions;
};

export type ChannelRow = ChannelValues & {
  readonly channel_id: string;
  readonly has_api_key: boolean;
  readonly created_at: Date | string;
  readonly updated_at: Date | string;
};

export type SealedChannel = ChannelRow & { readonly api_key: string | null };

const COLUMNS = `channel_id, name, provider, base_url, api_key IS NOT NULL AS has_api_key, model, priority, weight, enabled,
  max_tokens, temperature, timeout_ms, options, created_at, updated_at`;
const UNIQUE_VIOLATION = '23505';

@Injectable()
export class ChannelsRepository {
  constructor(private readonly database: Database) {}

  /** All of a tenant, with their sealed keys. */
  all(tenantId: string): Promise<SealedChannel[]> {
    return this.database.query<SealedChannel>(
      'channels in use',
      tenantId,
      `SELECT ${COLUMNS}, api_key FROM model_channels WHERE tenant_id = $1`,
      [tenantId],
    );
  }

  list(tenantId: string, page: PageRequest): Promise<ChannelRow[]> {
    return this.database.query<ChannelRow>(
      'channels',
      tenantId,
      `SELECT ${COLUMNS} FROM model_channels WHERE tenant_id = $1 ORDER BY priority, name LIMIT $2 OFFSET $3`,
      [tenantId, page.limit, page.offset],
    );
  }

  async count(tenantId: string): Promise<number> {
    const [row] = await this.database.query<{ n: number }>(
      'count channels',
      tenantId,
      'SELECT count(*) AS n FROM model_channels WHERE tenant_id = $1',
      [tenantId],
    );
    return row?.n ?? 0;
  }

  async find(tenantId: string, channelId: string): Promise<ChannelRow | undefined> {
    const [row] = await this.database.query<ChannelRow>(
      'channel',
      tenantId,
      `SELECT ${COLUMNS} FROM model_channels WHERE tenant_id = $1 AND channel_id = $2`,
      [tenantId, channelId],
    );
    return row;
  }

  /**
   * Changes a channel to what `change` makes of it; undefined when there is none, `taken` when another has that name.
   * @param apiKey sealed; null takes it away, undefined leaves it
   */
  async change(
    tenantId: string,
    channelId: string,
    change: (before: ChannelRow) => ChannelValues,
    apiKey: string | null | undefined,
  ): Promise<ChannelRow | 'taken' | undefined> {
    try {
      return await this.database.transaction('change channel', tenantId, async (sql) => {
        const [before] = await sql.query<ChannelRow>(
          `SELECT ${COLUMNS} FROM model_channels WHERE tenant_id = $1 AND channel_id = $2 FOR UPDATE`,
          [tenantId, channelId],
        );
        return before && write(sql, [tenantId, channelId], change(before), apiKey);
      });
    } catch (error) {
      if (codeOf(error) === UNIQUE_VIOLATION) return 'taken';
      throw error;
    }
  }

  /** false when there is none. */
  async delete(tenantId: string, channelId: string): Promise<boolean> {
    const rows = await this.database.query(
      'delete channel',
      tenantId,
      'DELETE FROM model_channels WHERE tenant_id = $1 AND channel_id = $2 RETURNING 1',
      [tenantId, channelId],
    );
    return rows.length > 0;
  }
}

async function write(
  sql: Sql,
  key: readonly [tenantId: string, channelId: string],
  values: ChannelValues,
  apiKey: string | null | undefined,
): Promise<ChannelRow | undefined> {
  const { name, provider, base_url, model, priority, weight, enabled, max_tokens, temperature, timeout_ms } = values;
  const options = JSON.stringify(values.options);
  const [after] = await sql.query<ChannelRow>(
    `UPDATE model_channels SET name = $3, provider = $4, base_url = $5, model = $6, priority = $7, weight = $8,
       enabled = $9, max_tokens = $10, temperature = $11, timeout_ms = $12, options = $13,
       api_key = CASE WHEN $14 THEN $15 ELSE api_key END, updated_at = clock_timestamp()
     WHERE tenant_id = $1 AND channel_id = $2 RETURNING ${COLUMNS}`,
    [
      ...key,
      ...[name, provider, base_url, model, priority, weight, enabled, max_tokens, temperature, timeout_ms, options],
      ...[apiKey !== undefined, apiKey ?? null],
    ],
  );
  return after;
}
