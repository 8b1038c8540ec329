/**
 * Metrics: the series that a server exports on /metrics. `definitions.ts` lists them all; docs/metrics.md is made
 * from it.
 *
 * Invariants: no label ever holds a tenant, a user, a room or anything else that clients choose, so the number of
 * series is bounded by the code. A name or label that is not defined does not compile.
 *
 * Beside the series it counts what single tenants have (`Metrics.tenant`), bounded in number, and knows who can tell the
 * levels of this moment (`@Stat`): the stats of the admin API are made of these.
 *
 * Concurrency: increments are synchronous. Gauges that are collected are asked once per scrape; one that fails is
 * left out of that scrape and fails nothing else.
 */
import { Module } from '@nestjs/common';
import { Gauges, Metrics } from './metrics';
import { Stats } from './stats';

export { METRIC_DEFINITIONS, METRIC_PREFIX, type MetricDefinition } from './definitions';
export {
  type CounterHandle,
  Gauge,
  type GaugeHandle,
  type GaugeSample,
  type HistogramHandle,
  type LabelsOf,
  Metrics,
  type NamesOf,
  SendTimes,
  type TenantCounts,
} from './metrics';
export { type AppendLevels, type DatabaseLevels, Stat, Stats, type StatValues } from './stats';

@Module({ providers: [Metrics, Gauges, Stats], exports: [Metrics, Stats] })
export class MetricsModule {}
