import { EventEmitter } from 'node:events';
import type { FastifyReply } from 'fastify';
import { ManualClock } from '../../src/common/time';
import { Counts } from '../../src/modules/stats/counts';
import { Levels } from '../../src/modules/stats/levels';
import { Minutes } from '../../src/modules/stats/minutes';
import { Peers } from '../../src/modules/stats/peers';
import { Ring } from '../../src/modules/stats/ring';
import { LoopDelay, SampledNode, Sampler } from '../../src/modules/stats/sampler';
import type { CountsRow } from '../../src/modules/stats/stats.functions';
import type { ServerMinute, TenantMinute } from '../../src/modules/stats/stats.repository';
import { StatsStreams } from '../../src/modules/stats/streams';
import { Caller } from '../../src/platform/auth';
import { type Bus, MemoryBus, type NodeRegistry } from '../../src/platform/cluster';
import { SseStreams } from '../../src/platform/http';
import { SilentLog } from '../../src/platform/logging';
import { type AppendLevels, type DatabaseLevels, Metrics, Stat, Stats } from '../../src/platform/metrics';
import { explorerOf } from './providers';

/** What the parts of a server know, as the test says it. */
export class FakeLevels {
  /** Open sockets by tenant. */
  readonly sockets = new Map<string, number>();
  append: AppendLevels = { items: 0, bytes: 0, oldestMs: 0 };
  queueBytesAsked = 0;

  @Stat('append')
  levels(): AppendLevels {
    return this.append;
  }

  @Stat('connected')
  connected(): readonly string[] {
    return [...this.sockets.keys()];
  }

  @Stat('connections')
  connections(tenantId?: string): Readonly<Record<string, number>> {
    const all = [...this.sockets.values()].reduce((sum, n) => sum + n, 0);
    return { '/ws': tenantId === undefined ? all : (this.sockets.get(tenantId) ?? 0) };
  }

  @Stat('database')
  database(): DatabaseLevels {
    return { isUp: true, inUse: 0, size: 8, waiting: 0 };
  }

  @Stat('online')
  online(tenantId?: string): number {
    return tenantId === undefined ? 9 : 1;
  }

  @Stat('queue_bytes')
  queueBytes(): number {
    return ++this.queueBytesAsked;
  }

  @Stat('rooms_live')
  rooms(): number {
    return 3;
  }

  @Stat('sse')
  sse(): number {
    return 0;
  }
}

const COUNTED: CountsRow = {
  jobs: [],
  runs: { queued: 0, streaming: 0 },
  dead_letters: { message: 0, notification: 0, webhook: 0 },
  capped: [],
};

/** The tables, in memory; it fails when told to. */
export class FakeStatsRepository {
  readonly tenants: TenantMinute[] = [];
  readonly servers: ServerMinute[] = [];
  asked: (string | undefined)[] = [];
  purges = 0;
  isAway = false;

  addTenants(rows: readonly TenantMinute[]): Promise<void> {
    return this.unlessAway(() => void this.tenants.push(...rows));
  }

  addServer(minute: ServerMinute): Promise<void> {
    return this.unlessAway(() => void this.servers.push(minute));
  }

  purge(): Promise<void> {
    return this.unlessAway(() => {
      this.purges++;
    });
  }

  counts(tenantId: string | undefined): Promise<CountsRow> {
    this.asked.push(tenantId);
    return this.unlessAway(() => COUNTED);
  }

  private unlessAway<T>(work: () => T): Promise<T> {
    return this.isAway ? Promise.reject(new Error('away')) : Promise.resolve(work());
  }
}

/** The connection of a reader, who takes nothing until the test does. */
export class FakeReader extends EventEmitter {
  destroyed = false;
  writableLength = 0;

  get reply(): FastifyReply {
    return { raw: this, headers: () => undefined, header: () => undefined } as unknown as FastifyReply;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

/** The module stats, on what a test says. */
export class StatsFixture {
  readonly clock = new ManualClock();
  readonly parts = new FakeLevels();
  readonly repository = new FakeStatsRepository();
  readonly metrics = new Metrics(new SilentLog());
  readonly sse = new SseStreams(this.metrics);
  readonly ring = new Ring();
  readonly counts = new Counts(this.repository, this.clock, new SilentLog());
  readonly minutes: Minutes;
  readonly sampler: Sampler;
  readonly streams: StatsStreams;

  /** @param bus that of a cluster, for a node of it */
  constructor(nodeId = 'node', bus: Bus = new MemoryBus(nodeId, () => undefined)) {
    const stats = new Stats(explorerOf(this.parts));
    stats.onModuleInit();
    const nodes = { self: { nodeId, startedAt: new Date(0) } } as NodeRegistry;
    const levels = new Levels(stats, this.metrics, this.clock);
    this.minutes = new Minutes(this.repository, levels, nodes, this.clock);
    const node = new SampledNode(this.clock, this.metrics, stats, nodes, new LoopDelay());
    const peers = new Peers(bus, nodes, this.clock);
    this.sampler = new Sampler(levels, this.ring, this.counts, this.minutes, node, peers);
    this.streams = new StatsStreams(this.sse, this.sampler, this.ring, this.counts);
  }

  /** A second passes. */
  second(): void {
    this.clock.advance(1000);
    this.streams.tick();
  }
}

/** With the master key, or a key of a tenant. */
export function callerOf(tenantId?: string): Caller {
  if (tenantId === undefined) return new Caller('master', 'r', undefined, undefined, undefined, []);
  const policy = { tenantId, status: 'active', limits: {}, settings: {} } as const;
  return new Caller('key', 'r', policy, undefined, 'key', ['admin']);
}
