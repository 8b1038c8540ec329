import { Injectable } from '@nestjs/common';
import { Database, SystemDatabase } from '../../platform/database';
import { type CountsRow, statsCounts, statsMinutesAdd } from './stats.functions';

/** What was done within a minute. */
export interface Minute {
  readonly connections: number;
  readonly online: number;
  readonly messages_sent: number;
  readonly deliveries: number;
  readonly refused: number;
  readonly tokens: number;
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
}

export interface TenantMinute extends Minute {
  readonly tenant_id: string;
}

export interface ServerMinute extends Minute {
  readonly node_id: string;
  readonly queue_bytes: number;
  readonly append_items: number;
  readonly append_oldest_ms: number;
  readonly loop_p99_ms: number;
  readonly rss_bytes: number;
}

/** Minutes as one point of a chart; what only the server has is missing of a tenant. */
export type PointRow = Minute & Partial<ServerMinute> & { readonly at: Date };

/** Rows per statement. */
export const MINUTES_AT_ONCE = 1000;
/** A count ends here. */
const CAP = 10_000;
const PURGED_AT_ONCE = 5000;
const KEPT_DAYS = 7;

/** Counters add up, levels are the highest of the step, the median is that of the messages' minutes on average. */
const FIGURES = `max(connections) AS connections, max(online) AS online, sum(messages_sent)::bigint AS messages_sent,
  sum(deliveries)::bigint AS deliveries, sum(refused)::bigint AS refused, sum(tokens)::bigint AS tokens,
  (sum(p50_ms * messages_sent) / NULLIF(sum(messages_sent) FILTER (WHERE p50_ms IS NOT NULL), 0))::real AS p50_ms,
  max(p99_ms) AS p99_ms`;
const AT = `to_timestamp(floor(extract(epoch FROM minute) / $2::int) * $2::int)`;
const SINCE = `to_timestamp(floor(extract(epoch FROM clock_timestamp()) / $2::int) * $2::int) - make_interval(secs => $1::int)`;

/** The tables stats_minutes and server_minutes, whose minutes are those of the database's clock; and counts of work. */
@Injectable()
export class StatsRepository {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
  ) {}

  /** What waits and what was given up, of one tenant or of all; each count ends at `CAP`. */
  counts(tenantId: string | undefined): Promise<CountsRow> {
    return statsCounts.call(this.system, { p_tenant: tenantId, p_cap: CAP });
  }

  /** Adds to the present minute. @param rows at most `MINUTES_AT_ONCE`, no tenant twice */
  async addTenants(rows: readonly TenantMinute[]): Promise<void> {
    await statsMinutesAdd.call(this.system, { p_rows: rows });
  }

  async addServer(minute: ServerMinute): Promise<void> {
    await this.system.query(
      'add server minute',
      `INSERT INTO server_minutes AS m (minute, node_id, connections, online, messages_sent, deliveries, refused, tokens, p50_ms,
         p99_ms, queue_bytes, append_items, append_oldest_ms, loop_p99_ms, rss_bytes)
       VALUES (date_trunc('minute', clock_timestamp()), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
       ON CONFLICT (minute, node_id) DO UPDATE SET connections = GREATEST(m.connections, EXCLUDED.connections),
         online = GREATEST(m.online, EXCLUDED.online), messages_sent = m.messages_sent + EXCLUDED.messages_sent,
         deliveries = m.deliveries + EXCLUDED.deliveries, refused = m.refused + EXCLUDED.refused,
         tokens = m.tokens + EXCLUDED.tokens, p50_ms = GREATEST(m.p50_ms, EXCLUDED.p50_ms),
         p99_ms = GREATEST(m.p99_ms, EXCLUDED.p99_ms), queue_bytes = GREATEST(m.queue_bytes, EXCLUDED.queue_bytes),
         append_items = GREATEST(m.append_items, EXCLUDED.append_items),
         append_oldest_ms = GREATEST(m.append_oldest_ms, EXCLUDED.append_oldest_ms),
         loop_p99_ms = GREATEST(m.loop_p99_ms, EXCLUDED.loop_p99_ms), rss_bytes = GREATEST(m.rss_bytes, EXCLUDED.rss_bytes)`,
      [
        ...[minute.node_id, minute.connections, minute.online, minute.messages_sent, minute.deliveries, minute.refused],
        ...[minute.tokens, minute.p50_ms, minute.p99_ms, minute.queue_bytes, minute.append_items],
        ...[minute.append_oldest_ms, minute.loop_p99_ms, minute.rss_bytes],
      ],
    );
  }

  /** Deletes what is older than seven days: of either table at most 5,000 rows a call. */
  async purge(): Promise<void> {
    for (const text of [PURGE_TENANTS, PURGE_SERVER]) await this.system.query('purge stats', text, [PURGED_AT_ONCE]);
  }

  /** The steps of the last seconds in which the tenant did something, oldest first. */
  ofTenant(tenantId: string, seconds: number, step: number): Promise<PointRow[]> {
    return this.database.query<PointRow>(
      'stats of a tenant',
      tenantId,
      `SELECT ${AT} AS at, ${FIGURES} FROM stats_minutes WHERE tenant_id = $3 AND minute >= ${SINCE} GROUP BY 1 ORDER BY 1`,
      [seconds, step, tenantId],
    );
  }

  /** The steps of the last seconds in which a node ran, oldest first; what nodes have together is added up. */
  ofServer(seconds: number, step: number): Promise<PointRow[]> {
    return this.system.query<PointRow>(
      'stats of the server',
      `SELECT ${AT} AS at, ${FIGURES}, max(queue_bytes)::bigint AS queue_bytes, max(append_items) AS append_items,
         max(append_oldest_ms) AS append_oldest_ms, max(loop_p99_ms) AS loop_p99_ms, max(rss_bytes)::bigint AS rss_bytes
       FROM (SELECT minute, sum(connections)::int AS connections, max(online) AS online, sum(messages_sent) AS messages_sent,
           sum(deliveries) AS deliveries, sum(refused) AS refused, sum(tokens) AS tokens, max(p50_ms) AS p50_ms,
           max(p99_ms) AS p99_ms, sum(queue_bytes) AS queue_bytes, sum(append_items)::int AS append_items,
           max(append_oldest_ms) AS append_oldest_ms, max(loop_p99_ms) AS loop_p99_ms, sum(rss_bytes) AS rss_bytes
         FROM server_minutes WHERE minute >= ${SINCE} GROUP BY minute) n
       GROUP BY 1 ORDER BY 1`,
      [seconds, step],
    );
  }
}

const GONE = `minute < clock_timestamp() - make_interval(days => ${KEPT_DAYS}) ORDER BY minute LIMIT $1`;
const PURGE_TENANTS = `DELETE FROM stats_minutes WHERE ctid IN (SELECT ctid FROM stats_minutes WHERE ${GONE})`;
const PURGE_SERVER = `DELETE FROM server_minutes WHERE ctid IN (SELECT ctid FROM server_minutes WHERE ${GONE})`;
