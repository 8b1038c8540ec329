import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { NodeRegistry } from '../../platform/cluster';
import { Every, OnStop, StopStage } from '../../platform/lifecycle';
import { type Minute, MINUTES_AT_ONCE, StatsRepository, type TenantMinute } from './stats.repository';
import { Levels } from './levels';
import { NOTHING, plus, type Sums } from './sums';

const MINUTE_MS = 60_000;

/** The most of this node within a minute. */
export interface Peaks {
  readonly queue_bytes: number;
  readonly append_items: number;
  readonly append_oldest_ms: number;
  readonly loop_p99_ms: number;
}

const NO_PEAKS: Peaks = { queue_bytes: 0, append_items: 0, append_oldest_ms: 0, loop_p99_ms: 0 };

/**
 * Adds up what the samples say and writes it each minute: a row for every tenant that did something or has connections
 * here, one for the node. What cannot be written goes into the next minute's rows; a server that is killed loses one minute.
 */
@Injectable()
export class Minutes {
  private tenants = new Map<string, Sums>();
  private server = NOTHING;
  private peaks = NO_PEAKS;
  private lastMinute: number | undefined;

  constructor(
    @Inject(StatsRepository)
    private readonly repository: Pick<StatsRepository, 'addTenants' | 'addServer' | 'purge'>,
    private readonly levels: Levels,
    private readonly nodes: NodeRegistry,
    private readonly clock: Clock,
  ) {}

  /** A tenant has done so much more. */
  add(tenantId: string, more: Sums): void {
    this.tenants.set(tenantId, plus(this.tenants.get(tenantId) ?? NOTHING, more));
    this.server = plus(this.server, more);
  }

  /** How this node is now. */
  peak(now: Peaks): void {
    this.peaks = {
      queue_bytes: Math.max(this.peaks.queue_bytes, now.queue_bytes),
      append_items: Math.max(this.peaks.append_items, now.append_items),
      append_oldest_ms: Math.max(this.peaks.append_oldest_ms, now.append_oldest_ms),
      loop_p99_ms: Math.max(this.peaks.loop_p99_ms, now.loop_p99_ms),
    };
  }

  @Every(MINUTE_MS, 'stats of the minute')
  async flush(): Promise<void> {
    const minute = Math.floor(this.clock.wallMs() / MINUTE_MS);
    await this.writeServer();
    await this.writeTenants(minute === this.lastMinute);
    this.lastMinute = minute;
    await this.repository.purge();
  }

  /** What the last minute has so far. */
  @OnStop(StopStage.workers)
  async end(): Promise<void> {
    await this.flush();
  }

  private async writeServer(): Promise<void> {
    const { server, peaks } = this;
    this.server = NOTHING;
    this.peaks = NO_PEAKS;
    try {
      const levels = this.levels.ofMinute();
      const node = { node_id: this.nodes.self.nodeId, rss_bytes: process.memoryUsage.rss() };
      await this.repository.addServer({ ...levels, ...columns(server), ...peaks, ...node });
    } catch (error) {
      this.server = plus(this.server, server);
      this.peak(peaks);
      throw error;
    }
  }

  /** @param isAgain rows of one minute add up: connections that stand in it already are not counted once more */
  private async writeTenants(isAgain: boolean): Promise<void> {
    const waiting = this.tenants;
    this.tenants = new Map();
    if (!isAgain) for (const id of this.levels.connected()) if (!waiting.has(id)) waiting.set(id, NOTHING);
    try {
      for (let ids = firstOf(waiting); ids.length > 0; ids = firstOf(waiting)) {
        await this.repository.addTenants(ids.map((id) => this.row(id, waiting.get(id) ?? NOTHING, isAgain)));
        for (const id of ids) waiting.delete(id);
      }
    } finally {
      for (const [id, sums] of waiting) this.tenants.set(id, plus(this.tenants.get(id) ?? NOTHING, sums));
    }
  }

  private row(tenantId: string, sums: Sums, isAgain: boolean): TenantMinute {
    const levels = this.levels.ofMinute(tenantId);
    return { tenant_id: tenantId, ...levels, ...columns(sums), connections: isAgain ? 0 : levels.connections };
  }
}

function firstOf(waiting: ReadonlyMap<string, Sums>): string[] {
  return [...waiting.keys()].slice(0, MINUTES_AT_ONCE);
}

function columns({ messages: messages_sent, ...others }: Sums): Omit<Sums, 'messages'> & Pick<Minute, 'messages_sent'> {
  return { messages_sent, ...others };
}
