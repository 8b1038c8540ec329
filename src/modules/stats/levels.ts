import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { Metrics, Stats } from '../../platform/metrics';
import { SOCKET_PATH } from '../../realtime';
import type { Numbers } from './ring';

/** The other path of sockets: that of the module chats, which the stats do not need to know for its name. */
const CHAT_PATH = '/ws/chat';
const NONE = Number.NaN;

/** What is known at this moment and is no rate. */
export type LevelNumbers = Omit<Numbers, 'messages' | 'deliveries' | 'refused' | 'tokens' | 'queue_bytes'>;

/** Reads the levels of this node, of all or of one tenant. */
@Injectable()
export class Levels {
  constructor(
    private readonly stats: Stats,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {}

  now(tenantId?: string): LevelNumbers {
    const paths = this.of('connections', tenantId);
    const append = this.of('append', tenantId);
    return {
      ws: paths[SOCKET_PATH] ?? 0,
      ws_chat: paths[CHAT_PATH] ?? 0,
      sse: this.of('sse', tenantId),
      online: this.of('online', tenantId),
      rooms_live: this.of('rooms_live', tenantId),
      ...this.sends(tenantId),
      append_items: append.items,
      append_bytes: append.bytes,
      append_oldest_ms: append.oldestMs,
    };
  }

  /** Bytes that wait for clients; looks at every socket, or at every one of the tenant. */
  queueBytes(tenantId?: string): number {
    return this.of('queue_bytes', tenantId);
  }

  /** Whether a socket of the tenant is open, or an answer of server-sent events. */
  isConnected(tenantId: string): boolean {
    const paths = this.stats.level('connections', tenantId);
    return Object.values(paths).some((open) => open > 0) || this.stats.level('sse', tenantId) > 0;
  }

  /** Tenants with open sockets. */
  connected(): readonly string[] {
    return this.stats.level('connected');
  }

  /** As a row of the history has them. */
  ofMinute(tenantId?: string): { connections: number; online: number; p50_ms: number | null; p99_ms: number | null } {
    const { ws, ws_chat, sse, online, p50, p99 } = this.now(tenantId);
    return { connections: ws + ws_chat + sse, online, p50_ms: known(p50), p99_ms: known(p99) };
  }

  /** How long sends of the last minute took. */
  private sends(tenantId: string | undefined): Pick<Numbers, 'p50' | 'p99'> {
    const times = tenantId === undefined ? this.metrics.sends : this.metrics.countsOf(tenantId)?.sends;
    return times?.quantiles(this.clock.monotonicMs()) ?? { p50: NONE, p99: NONE };
  }

  private of<N extends 'append' | 'connections' | 'online' | 'queue_bytes' | 'rooms_live' | 'sse'>(
    name: N,
    tenantId: string | undefined,
  ): ReturnType<typeof this.stats.level<N>> {
    return tenantId === undefined ? this.stats.level(name) : this.stats.level(name, tenantId);
  }
}

/** null: there is none. */
export function known(number: number): number | null {
  return Number.isNaN(number) ? null : number;
}
