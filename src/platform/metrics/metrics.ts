import { Injectable, type OnModuleInit } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge as PromGauge, Histogram, Registry } from 'prom-client';
import type { ErrorCode } from '../../common/errors';
import { Explorer, markMethod } from '../discovery';
import { describeError, Log } from '../logging';
import { METRIC_DEFINITIONS, METRIC_PREFIX, type MetricDefinition } from './definitions';

type Collector = () => readonly GaugeSample<NamesOf<'gauge'>>[] | Promise<readonly GaugeSample<NamesOf<'gauge'>>[]>;

/** Of ten seconds each: together the last minute. */
const SLOTS = 6;
const SLOT_MS = 10_000;
const BUCKETS = 40;
const FASTEST_MS = 0.5;
/** From half a millisecond to a minute in 40 steps, each a good third longer than the one before. */
const STEP = (60_000 / FASTEST_MS) ** (1 / (BUCKETS - 1));
const LOG_STEP = Math.log(STEP);

/** How long sends of the last minute took, from their arrival to the answer of their commit. 960 bytes. */
export class SendTimes {
  private readonly counts = new Uint32Array(SLOTS * BUCKETS);
  /** Number of the newest slot since the clock's zero. */
  private slot = -SLOTS;

  /** @param nowMs of the monotonic clock, as of `quantiles` */
  add(ms: number, nowMs: number): void {
    this.turn(nowMs);
    const step = ms <= FASTEST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / FASTEST_MS) / LOG_STEP));
    const at = (this.slot % SLOTS) * BUCKETS + step;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
  }

  /** The upper ends of the steps in which they lie, in ms; undefined where nothing was sent within the minute. */
  quantiles(nowMs: number): { readonly p50: number; readonly p99: number } | undefined {
    this.turn(nowMs);
    const sums = new Array<number>(BUCKETS).fill(0);
    this.counts.forEach((count, i) => (sums[i % BUCKETS] = (sums[i % BUCKETS] ?? 0) + count));
    const all = sums.reduce((sum, count) => sum + count, 0);
    return all === 0 ? undefined : { p50: endOf(sums, all * 0.5), p99: endOf(sums, all * 0.99) };
  }

  /** Empties the slots that time has passed over. */
  private turn(nowMs: number): void {
    const now = Math.floor(nowMs / SLOT_MS);
    for (let slot = Math.max(this.slot + 1, now - SLOTS + 1); slot <= now; slot++)
      this.counts.fill(0, (slot % SLOTS) * BUCKETS, (slot % SLOTS) * BUCKETS + BUCKETS);
    if (now > this.slot) this.slot = now;
  }
}

function endOf(sums: readonly number[], rank: number): number {
  let seen = 0;
  const step = sums.findIndex((count) => (seen += count) >= rank && count > 0);
  return FASTEST_MS * STEP ** Math.max(step, 0);
}

/** What one tenant has had here since its entry was made. The numbers only grow. */
export class TenantCounts {
  /** Stored in the log. */
  messages = 0;
  /** Messages written to connections: one per message and connection. */
  deliveries = 0;
  /** Requests and frames refused by a rate limit. */
  refused = 0;
  /** Tokens of models' answers. */
  tokens = 0;
  /** Attempts at webhooks. */
  posts = 0;
  sends: SendTimes | undefined;
  isMoved = false;
  movedAtMs = 0;

  constructor(readonly tenantId: string) {}
}

/** Entries of tenants that did nothing for so long go. */
const KEPT_MS = 10 * 60_000;
/** And the idlest beyond so many: 12 MB. */
const MOST_TENANTS = 10_000;

/** The series of this server, in a registry of their own: two servers in one process do not mix. */
@Injectable()
export class Metrics {
  /** Of all tenants. */
  readonly sends = new SendTimes();
  /** The idlest first, but for those that have moved since `takeMoved`. */
  private readonly tenants = new Map<string, TenantCounts>();
  private moved: TenantCounts[] = [];
  private readonly registry = new Registry();
  private readonly counters = new Map<string, Counter>();
  private readonly gauges = new Map<string, PromGauge>();
  private readonly histograms = new Map<string, Histogram>();
  private readonly collectors = new Map<string, Collector>();
  private readonly requestChildren = new Map<string, Counter.Internal>();
  private readonly durationChildren = new Map<string, Histogram.Internal<string>>();

  constructor(private readonly log: Log) {
    collectDefaultMetrics({ register: this.registry, prefix: METRIC_PREFIX });
    for (const [name, definition] of Object.entries(METRIC_DEFINITIONS)) this.define(name, definition);
  }

  /** Content type of `text()`. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** All series in Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  counter<N extends NamesOf<'counter'>>(name: N): CounterHandle<N> {
    return found(this.counters, name);
  }

  gauge<N extends NamesOf<'gauge'>>(name: N): GaugeHandle<N> {
    return found(this.gauges, name);
  }

  histogram<N extends NamesOf<'histogram'>>(name: N): HistogramHandle<N> {
    return found(this.histograms, name);
  }

  /** Asks `fn` for all values of a gauge at each scrape, instead of setting them. A gauge has one such owner. */
  collect<N extends NamesOf<'gauge'>>(
    name: N,
    fn: () => readonly GaugeSample<N>[] | Promise<readonly GaugeSample<N>[]>,
  ): void {
    if (this.collectors.has(name)) throw new Error(`${name} is collected already`);
    this.collectors.set(name, fn as Collector);
  }

  /** Counts an answered HTTP request. `route` is the pattern, or one fixed word when no route matched. */
  request(method: string, route: string, status: number, seconds: number): void {
    const key = `${status} ${method} ${route}`;
    let requests = this.requestChildren.get(key);
    if (!requests) {
      requests = this.counter('chatapi_http_requests_total').labels({ method, route, status });
      this.requestChildren.set(key, requests);
    }
    requests.inc();
    let durations = this.durationChildren.get(route);
    if (!durations) {
      durations = found(this.histograms, 'chatapi_http_request_seconds').labels({ route });
      this.durationChildren.set(route, durations);
    }
    durations.observe(seconds);
  }

  /**
   * The tenant's counts, to be added to at once. Not to be kept: an entry that is idle is replaced. No label of a series
   * holds a tenant, so these are on the admin API alone.
   */
  tenant(tenantId: string): TenantCounts {
    let counts = this.tenants.get(tenantId);
    if (counts === undefined) this.tenants.set(tenantId, (counts = new TenantCounts(tenantId)));
    if (!counts.isMoved) {
      counts.isMoved = true;
      this.moved.push(counts);
    }
    return counts;
  }

  /** The tenant's counts where it has any, to be looked at: it has done nothing by that. */
  countsOf(tenantId: string): Readonly<TenantCounts> | undefined {
    return this.tenants.get(tenantId);
  }

  /** Counts a message that was stored. @param ms from its arrival until it was known to be */
  sent(tenantId: string, ms: number, nowMs: number): void {
    const counts = this.tenant(tenantId);
    counts.messages++;
    (counts.sends ??= new SendTimes()).add(ms, nowMs);
    this.sends.add(ms, nowMs);
  }

  /** The tenants whose counts were asked for since the call before; forgets those that are idle. For one caller. */
  takeMoved(nowMs: number): readonly TenantCounts[] {
    const { moved } = this;
    this.moved = [];
    for (const counts of moved) {
      counts.isMoved = false;
      counts.movedAtMs = nowMs;
      this.tenants.delete(counts.tenantId);
      this.tenants.set(counts.tenantId, counts);
    }
    for (const [tenantId, { movedAtMs }] of this.tenants) {
      if (movedAtMs > nowMs - KEPT_MS && this.tenants.size <= MOST_TENANTS) break;
      this.tenants.delete(tenantId);
    }
    return moved;
  }

  /** The counts of all tenants that did something lately, to be looked at. */
  *countsOfAll(): IterableIterator<Readonly<TenantCounts>> {
    yield* this.tenants.values();
  }

  /** Counts an error that a client was answered with. */
  errors(code: ErrorCode): void {
    this.counter('chatapi_errors_total').labels({ code }).inc();
  }

  private define(name: string, definition: MetricDefinition): void {
    const common = { name, help: definition.help, labelNames: definition.labels, registers: [this.registry] };
    if (definition.type === 'histogram')
      this.histograms.set(name, new Histogram({ ...common, buckets: [...definition.buckets] }));
    else if (definition.type === 'counter') this.counters.set(name, new Counter(common));
    else this.gauges.set(name, new PromGauge({ ...common, collect: () => this.refresh(name) }));
  }

  /** A scrape must answer above all while something is wrong: a collector that fails leaves its gauge without values. */
  private async refresh(name: string): Promise<void> {
    const collector = this.collectors.get(name);
    if (!collector) return;
    const gauge = found(this.gauges, name);
    let samples: Awaited<ReturnType<Collector>> = [];
    try {
      samples = await collector();
    } catch (error) {
      this.log.warn({ metric: name, error: describeError(error) }, 'metric could not be collected');
    }
    gauge.reset();
    // Without labels, reset leaves a 0, which would be a false value.
    gauge.remove({});
    for (const { labels, value } of samples) gauge.set({ ...labels }, value);
  }
}

/** Every defined name is in one of the maps, by construction. */
function found<T>(metrics: ReadonlyMap<string, T>, name: string): T {
  const metric = metrics.get(name);
  if (metric === undefined) throw new Error(`no such metric: ${name}`);
  return metric;
}

type Definitions = typeof METRIC_DEFINITIONS;
type Type = Definitions[keyof Definitions]['type'];

/** The names of the metrics of one type. */
export type NamesOf<T extends Type> = {
  [N in keyof Definitions]: Definitions[N]['type'] extends T ? N : never;
}[keyof Definitions];

type LabelName<N extends keyof Definitions> = Definitions[N]['labels'][number];

/** The labels of a metric, all of them required. */
export type LabelsOf<N extends keyof Definitions> = { readonly [L in LabelName<N>]: string | number };

/** A metric without labels is used directly; one with labels gives a child per set of them. */
type Handle<N extends keyof Definitions, Child> = [LabelName<N>] extends [never]
  ? Child
  : {
      /** The series of these labels. Hot paths keep it: making one costs more than counting. */
      labels(labels: LabelsOf<N>): Child;
    };

export type CounterHandle<N extends NamesOf<'counter'>> = Handle<N, { inc(by?: number): void }>;

export type GaugeHandle<N extends NamesOf<'gauge'>> = Handle<
  N,
  { set(value: number): void; inc(by?: number): void; dec(by?: number): void }
>;

export type HistogramHandle<N extends NamesOf<'histogram'>> = Handle<N, { observe(value: number): void }>;

/** One value of a gauge that is collected at a scrape. */
export interface GaugeSample<N extends NamesOf<'gauge'>> {
  readonly labels: LabelsOf<N>;
  readonly value: number;
}

type GaugeName = NamesOf<'gauge'>;
type Samples = readonly GaugeSample<GaugeName>[];

const GAUGE = Symbol('@Gauge');

/**
 * Asks the method for the values of a gauge at each scrape: a number where it has no labels. A gauge has one such method.
 */
export function Gauge<N extends GaugeName>(
  name: N,
): <M extends () => number | readonly GaugeSample<N>[] | Promise<readonly GaugeSample<N>[]>>(
  target: object,
  property: string,
  descriptor: TypedPropertyDescriptor<M>,
) => void {
  return (_target, _property, descriptor) => markMethod(GAUGE, name)(descriptor);
}

/** Finds what `@Gauge` marks. */
@Injectable()
export class Gauges implements OnModuleInit {
  constructor(
    private readonly explorer: Explorer,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    for (const { options: name, call } of this.explorer.methods<GaugeName>(GAUGE))
      this.metrics.collect(name, () => {
        const value = call() as number | Samples | Promise<Samples>;
        return typeof value === 'number' ? [{ labels: {} as LabelsOf<GaugeName>, value }] : value;
      });
  }
}
