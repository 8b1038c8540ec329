import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../../common/pagination';
import { Database } from '../../../platform/database';
import type { ReasoningEffort, ResponseFormat } from '../contract';

/** What a preset is given beyond its columns; stored as it is told. */
export interface PresetOptions {
  readonly topP?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly reasoningEffort?: ReasoningEffort | undefined;
  readonly responseFormat?: ResponseFormat | undefined;
  readonly seed?: number | undefined;
  readonly contextTokens?: number | undefined;
}

export type PresetValues = {
  readonly system_prompt: string;
  readonly model: string | null;
  readonly temperature: number | null;
  readonly max_tokens: number | null;
  readonly context_messages: number;
  readonly options: PresetOptions;
};

export type PresetRow = PresetValues & {
  readonly name: string;
  /** Null in both: as it comes with the server. */
  readonly created_at: Date | string | null;
  readonly updated_at: Date | string | null;
};

const COLUMNS =
  'name, system_prompt, model, temperature, max_tokens, context_messages, options, created_at, updated_at';

@Injectable()
export class PresetsRepository {
  constructor(private readonly database: Database) {}

  /** The rows of a tenant and, where it has none of that name, one that is always there: that one comes first. */
  list(tenantId: string, always: { name: string; values: PresetValues }, page: PageRequest): Promise<PresetRow[]> {
    const { system_prompt, context_messages } = always.values;
    return this.database.query<PresetRow>(
      'presets',
      tenantId,
      `SELECT ${COLUMNS} FROM (
         SELECT ${COLUMNS} FROM presets WHERE tenant_id = $1
         UNION ALL SELECT $2, $3, NULL, NULL, NULL, $4::integer, '{}'::jsonb, NULL, NULL
         WHERE NOT EXISTS (SELECT 1 FROM presets WHERE tenant_id = $1 AND name = $2)) p
       ORDER BY name <> $2, name COLLATE "C" LIMIT $5 OFFSET $6`,
      [tenantId, always.name, system_prompt, context_messages, page.limit, page.offset],
    );
  }

  /** Without the one of that name. */
  async countOthers(tenantId: string, name: string): Promise<number> {
    const [row] = await this.database.query<{ n: number }>(
      'count presets',
      tenantId,
      'SELECT count(*) AS n FROM presets WHERE tenant_id = $1 AND name <> $2',
      [tenantId, name],
    );
    return row?.n ?? 0;
  }

  async find(tenantId: string, name: string): Promise<PresetRow | undefined> {
    const [row] = await this.database.query<PresetRow>(
      'preset',
      tenantId,
      `SELECT ${COLUMNS} FROM presets WHERE tenant_id = $1 AND name = $2`,
      [tenantId, name],
    );
    return row;
  }

  async names(tenantId: string, among: readonly string[]): Promise<string[]> {
    const rows = await this.database.query<{ name: string }>(
      'preset names',
      tenantId,
      'SELECT name FROM presets WHERE tenant_id = $1 AND name = ANY ($2::text[])',
      [tenantId, among],
    );
    return rows.map(({ name }) => name);
  }

  /** Changes a preset to what `change` makes of it. Where it has no row it is made from `otherwise`, if that is given. */
  change(
    tenantId: string,
    name: string,
    change: (before: PresetValues) => PresetValues,
    otherwise: PresetValues | undefined,
  ): Promise<PresetRow | undefined> {
    return this.database.transaction('change preset', tenantId, async (sql) => {
      const [row] = await sql.query<PresetRow>(
        `SELECT ${COLUMNS} FROM presets WHERE tenant_id = $1 AND name = $2 FOR UPDATE`,
        [tenantId, name],
      );
      const before = row ?? otherwise;
      if (before === undefined) return undefined;
      const { system_prompt, model, temperature, max_tokens, context_messages, options } = change(before);
      const [after] = await sql.query<PresetRow>(
        `INSERT INTO presets AS p (tenant_id, name, system_prompt, model, temperature, max_tokens, context_messages,
           options)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (tenant_id, name) DO UPDATE SET system_prompt = $3, model = $4, temperature = $5, max_tokens = $6,
           context_messages = $7, options = $8, updated_at = clock_timestamp()
         RETURNING ${COLUMNS}`,
        [tenantId, name, system_prompt, model, temperature, max_tokens, context_messages, JSON.stringify(options)],
      );
      return after;
    });
  }

  /** false when there is no row. */
  async delete(tenantId: string, name: string): Promise<boolean> {
    const rows = await this.database.query(
      'delete preset',
      tenantId,
      'DELETE FROM presets WHERE tenant_id = $1 AND name = $2 RETURNING 1',
      [tenantId, name],
    );
    return rows.length > 0;
  }
}
