import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../../common/time';
import { NodeRegistry } from '../../platform/cluster';
import { OnStop, StopStage } from '../../platform/lifecycle';
import { Metrics, Stats, type TenantCounts } from '../../platform/metrics';
import { Counts } from './counts';
import { Levels } from './levels';
import { Minutes } from './minutes';
import { NO_NUMBERS, Peers, TOLD_TENANTS } from './peers';
import { type Numbers, Ring } from './ring';
import { NOTHING, plus, type Sums } from './sums';
import type { NodeNumbers, Sample, TenantNumbers } from './views';

const SECOND_MS = 1000;
/** The bytes that wait at all sockets are added up every so many samples. */
const QUEUES_EVERY = 5;
/** Tenants of a sample about all. */
const TOP = 20;
const LOOP_RESOLUTION_MS = 10;

/** How late the event loop is. */
@Injectable()
export class LoopDelay implements OnModuleInit {
  private readonly histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });

  onModuleInit(): void {
    this.histogram.enable();
  }

  /** Beyond the interval of the timer that measures it, since the call before, in ms. */
  take(): number {
    const p99 = this.histogram.count === 0 ? 0 : this.histogram.percentile(99) / 1e6;
    this.histogram.reset();
    return Math.max(0, p99 - LOOP_RESOLUTION_MS);
  }

  @OnStop(StopStage.log)
  end(): void {
    this.histogram.disable();
  }
}

/** What samples are taken of, and when. */
@Injectable()
export class SampledNode {
  constructor(
    readonly clock: Clock,
    readonly metrics: Metrics,
    private readonly stats: Stats,
    private readonly nodes: NodeRegistry,
    private readonly loop: LoopDelay,
  ) {}

  now(): NodeNumbers {
    return {
      ...this.nodes.self,
      loopP99Ms: this.loop.take(),
      rssBytes: process.memoryUsage.rss(),
      database: this.stats.level('database'),
    };
  }
}

/**
 * Takes a sample each second, of all and of every tenant that has a place in the ring, and says so. Samples are about all nodes,
 * minutes about this one.
 *
 * Its cost follows what has happened within the second and the places of the ring, never how many tenants, rooms or
 * messages there are; the database is asked once in ten seconds.
 */
@Injectable()
export class Sampler {
  private readonly seen = new WeakMap<TenantCounts, Sums>();
  /** What each tenant did per second between the last two samples; no entry where it did nothing. */
  private rates = new Map<string, Sums>();
  private readonly queues = new Map<string, number>();
  private allQueues = 0;
  private lastMs: number | undefined;
  private newest: Sample | undefined;

  constructor(
    private readonly levels: Levels,
    private readonly ring: Ring,
    private readonly counts: Counts,
    private readonly minutes: Minutes,
    private readonly node: SampledNode,
    private readonly peers: Peers,
  ) {}

  /** The newest sample about all; one is taken where there is none yet. */
  get latest(): Sample {
    return this.newest ?? this.sample();
  }

  /** How a tenant is now, with the rates of the newest sample. */
  tenantNow(tenantId: string): Omit<Sample, 'counts'> {
    const { id, atMs } = this.latest;
    const queue = this.queues.get(tenantId) ?? this.levels.queueBytes(tenantId);
    return { id, atMs, tenantId, numbers: this.peers.withOthers(this.numbers(tenantId, queue), tenantId) };
  }

  /** @param watched tenants whose samples are wanted whatever they do */
  sample(watched: Iterable<string> = []): Sample {
    const { clock, metrics } = this.node;
    const nowMs = clock.monotonicMs();
    const total = this.measure(metrics.takeMoved(nowMs), nowMs);
    for (const tenantId of this.rates.keys()) this.ring.touch(tenantId);
    for (const tenantId of watched) this.ring.touch(tenantId, true);
    const atMs = clock.wallMs();
    const id = Math.max(Math.floor(atMs / SECOND_MS), (this.newest?.id ?? 0) + 1);
    this.ring.begin(id, atMs);
    const places = this.ring.places((tenantId) => !this.levels.isConnected(tenantId));
    this.addQueues(places);
    const tenants = [...places.map((tenantId) => this.write(tenantId)), ...this.withoutPlace(new Set(places))];
    const numbers: Numbers = { ...this.levels.now(), ...total, queue_bytes: this.allQueues };
    const node = this.node.now();
    this.minutes.peak({
      queue_bytes: this.allQueues,
      append_items: numbers.append_items,
      append_oldest_ms: numbers.append_oldest_ms,
      loop_p99_ms: node.loopP99Ms,
    });
    const counts = this.counts.latest();
    this.newest = { id, atMs, tenantId: undefined, counts, ...this.ofAllNodes(node, numbers, tenants) };
    return this.newest;
  }

  /** Tells the others what this node saw, and puts theirs to it. @param tenants of this node */
  private ofAllNodes(
    node: NodeNumbers,
    numbers: Numbers,
    tenants: TenantNumbers[],
  ): Pick<Sample, 'numbers' | 'tenants' | 'nodes'> {
    this.peers.publish(node, numbers, busiest(tenants, TOLD_TENANTS));
    const here = new Set(tenants.map(({ tenantId }) => tenantId));
    const elsewhere = Array.from(this.peers.elsewhere(here), (tenantId) => ({ tenantId, numbers: NO_NUMBERS }));
    const all = [...tenants, ...elsewhere].map(({ tenantId, numbers: own }) => ({
      tenantId,
      numbers: this.peers.withOthers(own, tenantId),
    }));
    return {
      numbers: this.peers.withOthers(numbers),
      tenants: busiest(all, TOP),
      nodes: [node, ...this.peers.nodes()],
    };
  }

  /** What has been counted since the sample before, per second: in all, and in `rates`. */
  private measure(moved: readonly TenantCounts[], nowMs: number): Sums {
    const seconds = Math.max(nowMs - (this.lastMs ?? nowMs - SECOND_MS), 1) / SECOND_MS;
    this.lastMs = nowMs;
    this.rates = new Map();
    let total = NOTHING;
    for (const counts of moved) {
      const { tenantId, messages, deliveries, refused, tokens } = counts;
      const now = { messages, deliveries, refused, tokens };
      const more = plus(now, this.seen.get(counts) ?? NOTHING, -1);
      this.seen.set(counts, now);
      this.minutes.add(tenantId, more);
      this.rates.set(tenantId, plus(NOTHING, more, 1 / seconds));
      total = plus(total, more, 1 / seconds);
    }
    return total;
  }

  /** The busiest of those that the ring has no place for. */
  private withoutPlace(places: ReadonlySet<string>): TenantNumbers[] {
    const others = [...this.rates].filter(([tenantId]) => !places.has(tenantId));
    const top = others.sort(([, a], [, b]) => scoreOf(b) - scoreOf(a)).slice(0, TOP);
    return top.map(([tenantId]) => ({ tenantId, numbers: this.numbers(tenantId, 0) }));
  }

  private addQueues(places: readonly string[]): void {
    if (this.ring.newest % QUEUES_EVERY !== 0) return;
    this.allQueues = this.levels.queueBytes();
    this.queues.clear();
    for (const tenantId of places) this.queues.set(tenantId, this.levels.queueBytes(tenantId));
  }

  private write(tenantId: string): TenantNumbers {
    const numbers = this.numbers(tenantId, this.queues.get(tenantId) ?? 0);
    this.ring.write(tenantId, this.peers.withOthers(numbers, tenantId));
    return { tenantId, numbers };
  }

  private numbers(tenantId: string, queue_bytes: number): Numbers {
    return { ...this.levels.now(tenantId), ...(this.rates.get(tenantId) ?? NOTHING), queue_bytes };
  }
}

function scoreOf({ messages, deliveries, tokens }: Sums): number {
  return messages + deliveries + tokens;
}

/** Those that send and get most; among those that do nothing, those with most connections. */
function busiest(tenants: TenantNumbers[], most: number): TenantNumbers[] {
  const open = ({ numbers: n }: TenantNumbers): number => n.ws + n.ws_chat + n.sse;
  return tenants.sort((a, b) => scoreOf(b.numbers) - scoreOf(a.numbers) || open(b) - open(a)).slice(0, most);
}
