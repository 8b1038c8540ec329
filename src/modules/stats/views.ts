import { encodeId } from '../../common/ids';
import type { DatabaseLevels } from '../../platform/metrics';
import type { Counted } from './counts';
import type { CountsDto, FiguresDto, NodeStatsDto, StatsDto, StatsPointDto, TenantFiguresDto } from './dto/stats.dto';
import type { PointRow } from './stats.repository';
import { known } from './levels';
import type { Numbers } from './ring';

/** A sample's numbers with what else it says. */
export interface Sample {
  readonly id: number;
  readonly atMs: number;
  /** undefined: of all. */
  readonly tenantId: string | undefined;
  readonly numbers: Numbers;
  readonly counts: Counted | undefined;
  /** Of all alone. */
  readonly tenants?: readonly TenantNumbers[];
  readonly nodes?: readonly NodeNumbers[];
}

export interface TenantNumbers {
  readonly tenantId: string;
  readonly numbers: Numbers;
}

/** What a process is. */
export interface NodeNumbers {
  readonly nodeId: string;
  /** As the operator calls it. */
  readonly name?: string;
  readonly startedAt: Date;
  readonly loopP99Ms: number;
  readonly rssBytes: number;
  readonly database: DatabaseLevels;
}

export function sampleView({ id, atMs, tenantId, numbers, counts, tenants, nodes }: Sample): StatsDto {
  return {
    id,
    at: new Date(atMs).toISOString(),
    tenant_id: tenantId === undefined ? null : encodeId('tenant', tenantId),
    figures: figuresView(numbers),
    counts: counts === undefined ? null : countsView(counts),
    tenants: tenants?.map(tenantView) ?? null,
    nodes: nodes?.map(nodeView) ?? null,
  };
}

function figuresView(numbers: Numbers): FiguresDto {
  return {
    connections: { ws: numbers.ws, ws_chat: numbers.ws_chat, sse: numbers.sse },
    online: numbers.online,
    rooms_live: numbers.rooms_live,
    ...ratesView(numbers),
    send_p50_ms: rounded(known(numbers.p50)),
    send_p99_ms: rounded(known(numbers.p99)),
    append: {
      items: numbers.append_items,
      bytes: numbers.append_bytes,
      oldest_ms: rounded(numbers.append_oldest_ms),
    },
    queue_bytes: numbers.queue_bytes,
  };
}

function ratesView({
  messages,
  deliveries,
  refused,
  tokens,
}: Numbers): Pick<
  FiguresDto,
  'messages_per_second' | 'deliveries_per_second' | 'refused_per_second' | 'tokens_per_second'
> {
  return {
    messages_per_second: rounded(messages),
    deliveries_per_second: rounded(deliveries),
    refused_per_second: rounded(refused),
    tokens_per_second: rounded(tokens),
  };
}

function tenantView({ tenantId, numbers }: TenantNumbers): TenantFiguresDto {
  return {
    tenant_id: encodeId('tenant', tenantId),
    connections: numbers.ws + numbers.ws_chat + numbers.sse,
    online: numbers.online,
    ...ratesView(numbers),
    send_p99_ms: rounded(known(numbers.p99)),
  };
}

function nodeView({ nodeId, name, startedAt, loopP99Ms, rssBytes, database }: NodeNumbers): NodeStatsDto {
  const { isUp, inUse, size, waiting } = database;
  return {
    node_id: nodeId,
    name: name ?? null,
    started_at: startedAt.toISOString(),
    loop_delay_p99_ms: rounded(loopP99Ms),
    rss_bytes: rssBytes,
    database: { up: isUp, in_use: inUse, size, waiting },
  };
}

function countsView({ at, jobs, runs, dead_letters, capped }: Counted): CountsDto {
  return { counted_at: at.toISOString(), jobs: [...jobs], runs, dead_letters, capped: [...capped] };
}

export function pointView(row: PointRow): StatsPointDto {
  return {
    at: row.at.toISOString(),
    connections: row.connections,
    online: row.online,
    messages: row.messages_sent,
    deliveries: row.deliveries,
    refused: row.refused,
    tokens: row.tokens,
    send_p50_ms: rounded(row.p50_ms),
    send_p99_ms: rounded(row.p99_ms),
    queue_bytes: row.queue_bytes ?? null,
    append_items: row.append_items ?? null,
    append_oldest_ms: rounded(row.append_oldest_ms ?? null),
    loop_delay_p99_ms: rounded(row.loop_p99_ms ?? null),
    rss_bytes: row.rss_bytes ?? null,
  };
}

/** Two digits behind the point are more than these are good for. */
function rounded<T extends number | null>(value: T): T {
  return (value === null ? null : Math.round(value * 100) / 100) as T;
}
