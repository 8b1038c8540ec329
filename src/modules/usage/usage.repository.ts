import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database';
import { usageComplete, usageCountRooms, usageCountRuns, type Walked } from './usage.functions';

/** Figures of one group within some days. */
interface Used {
  readonly runs: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly estimated_tokens: number;
  /** By the prices of channels, where they were known. */
  readonly cost: number;
}

export interface DayRow extends Used {
  /** YYYY-MM-DD. */
  readonly day: string;
  readonly messages_sent: number;
  /** What is stored at its end. */
  readonly storage_bytes: number;
  readonly deliveries: number;
  readonly webhook_posts: number;
  readonly peak_connections: number;
}

/** Of a user, a room, a model channel or a preset. */
export interface GroupRow extends Used {
  readonly key: string;
  /** Not of model channels and presets. */
  readonly messages_sent?: number;
}

/** Days, the first and the last, and how many rows after which. */
export interface Range<K> {
  readonly from: string;
  readonly to: string;
  readonly after: K | undefined;
  readonly limit: number;
}

export interface UsageState {
  /** Today, UTC, by the database's clock. */
  readonly today: string;
  readonly now: Date;
  /** null: the tenant was never counted through. */
  readonly complete_to: Date | null;
}

const SUMS = ['runs', 'prompt_tokens', 'completion_tokens', 'estimated_tokens']
  .map((column) => `sum(${column})::bigint AS ${column}`)
  .concat('sum(cost)::double precision AS cost')
  .join(', ');
const DAY_COLUMNS = [
  ...['messages_sent', 'storage_delta', 'runs', 'prompt_tokens', 'completion_tokens', 'estimated_tokens'],
  ...['deliveries', 'webhook_posts', 'cost'],
];
const TODAY = `(clock_timestamp() AT TIME ZONE 'UTC')::date`;

const STATE = `SELECT ${TODAY}::text AS today, clock_timestamp()::timestamptz(3) AS now,
  (SELECT complete_to FROM usage_state WHERE tenant_id = $1) AS complete_to`;

/** Every day has a row: what is stored stands there on days without a change, too. */
const BY_DAY = `WITH days AS (
    SELECT $2::date + n AS day FROM generate_series(0, LEAST($3::date - $2::date, $4::integer - 1)) n
  ), used AS (
    SELECT day, ${DAY_COLUMNS.map((column) => `sum(${column}) AS ${column}`).join(', ')},
      max(peak_connections) AS peak_connections
    FROM usage_days WHERE tenant_id = $1 AND day BETWEEN $2::date AND $3::date GROUP BY day
  ), earlier AS (
    SELECT COALESCE(sum(storage_delta), 0) AS bytes FROM usage_days WHERE tenant_id = $1 AND day < $2::date
  )
  SELECT d.day::text AS day, (e.bytes + sum(COALESCE(u.storage_delta, 0)) OVER (ORDER BY d.day))::bigint AS storage_bytes,
    ${DAY_COLUMNS.filter((column) => column !== 'storage_delta')
      .map((column) => `COALESCE(u.${column}, 0)::${column === 'cost' ? 'double precision' : 'bigint'} AS ${column}`)
      .join(', ')}, COALESCE(u.peak_connections, 0) AS peak_connections
  FROM days d LEFT JOIN used u USING (day) CROSS JOIN earlier e ORDER BY d.day`;

/** One group after the other, in the order of the table's key: a page reads its own rows, however many there are. */
const BY_USER = `SELECT user_id AS key, sum(messages_sent)::bigint AS messages_sent, ${SUMS} FROM usage_users
  WHERE tenant_id = $1 AND user_id > $5 AND day BETWEEN $2::date AND $3::date
  GROUP BY user_id ORDER BY user_id LIMIT $4`;
const BY_CHAT = `SELECT room_id AS key, sum(messages_sent)::bigint AS messages_sent, ${SUMS} FROM usage_chats
  WHERE tenant_id = $1 AND room_id > $5 AND day BETWEEN $2::date AND $3::date
  GROUP BY room_id ORDER BY room_id LIMIT $4`;
const byModel = (column: 'channel' | 'preset'): string => `SELECT ${column} AS key, ${SUMS} FROM usage_models
  WHERE tenant_id = $1 AND ($5::text IS NULL OR ${column} > $5) AND day BETWEEN $2::date AND $3::date
  GROUP BY ${column} ORDER BY ${column} LIMIT $4`;
const BY_MODEL = { channel: byModel('channel'), preset: byModel('preset') } as const;

/** Nobody adds to days before yesterday as a rule; who does gets a row of their own again. */
const MERGE = `WITH parts AS (
    DELETE FROM usage_days WHERE tenant_id = $1 AND day < ${TODAY} - 1 AND part <> 0 RETURNING *
  )
  INSERT INTO usage_days AS u (tenant_id, day, part, ${DAY_COLUMNS.join(', ')}, peak_connections)
  SELECT tenant_id, day, 0, ${DAY_COLUMNS.map((column) => `sum(${column})`).join(', ')}, max(peak_connections)
  FROM parts GROUP BY tenant_id, day ORDER BY day
  ON CONFLICT (tenant_id, day, part) DO UPDATE SET
    ${DAY_COLUMNS.map((column) => `${column} = u.${column} + EXCLUDED.${column}`).join(', ')},
    peak_connections = GREATEST(u.peak_connections, EXCLUDED.peak_connections)`;

/** What stands before every room. */
const FIRST_ROOM = '00000000-0000-0000-0000-000000000000';
/** Rooms per step of the walk. */
const ROOMS = 2000;
/** Messages, and runs, per transaction: some 30 ms, for which an edit in these rooms may wait. */
export const COUNTED_AT_ONCE = 2000;

/** The figures of usage. */
@Injectable()
export class UsageRepository {
  constructor(private readonly database: Database) {}

  async state(tenantId: string): Promise<UsageState> {
    const [row] = await this.database.query<UsageState>('usage state', tenantId, STATE, [tenantId]);
    if (!row) throw new Error('the state of usage has no row');
    return row;
  }

  /** Counts messages; returns how far the walk has come. @param after where it was; undefined: it begins */
  countRooms(tenantId: string, after: string | undefined): Promise<Walked> {
    return usageCountRooms.call(this.database, tenantId, {
      p_after: after ?? FIRST_ROOM,
      p_rooms: ROOMS,
      p_messages: COUNTED_AT_ONCE,
    });
  }

  /** Counts runs; returns how many there were. */
  countRuns(tenantId: string): Promise<number> {
    return usageCountRuns.call(this.database, tenantId, { p_limit: COUNTED_AT_ONCE });
  }

  /** All that was committed before then is counted. */
  async complete(tenantId: string, before: Date): Promise<void> {
    await this.database.query('merge usage', tenantId, MERGE, [tenantId]);
    await usageComplete.call(this.database, tenantId, { p_before: before });
  }

  /** @param range whose `after` is not looked at: it begins with `from` */
  days(tenantId: string, { from, to, limit }: Omit<Range<string>, 'after'>): Promise<DayRow[]> {
    return this.database.query<DayRow>('usage by day', tenantId, BY_DAY, [tenantId, from, to, limit]);
  }

  users(tenantId: string, range: Range<string>): Promise<GroupRow[]> {
    return this.database.query<GroupRow>('usage by user', tenantId, BY_USER, valuesOf(tenantId, range, ''));
  }

  chats(tenantId: string, range: Range<string>): Promise<GroupRow[]> {
    return this.database.query<GroupRow>('usage by chat', tenantId, BY_CHAT, valuesOf(tenantId, range, FIRST_ROOM));
  }

  models(tenantId: string, by: 'channel' | 'preset', range: Range<string>): Promise<GroupRow[]> {
    return this.database.query<GroupRow>(`usage by ${by}`, tenantId, BY_MODEL[by], valuesOf(tenantId, range, null));
  }
}

function valuesOf(tenantId: string, { from, to, after, limit }: Range<string>, beginning: string | null): unknown[] {
  return [tenantId, from, to, limit, after ?? beginning];
}
