import type { MetricDefinition } from '../platform/metrics';
import { code, generatedFrom, page, prose, table } from './markdown';

/** docs/metrics.md: the series of /metrics. */
export function metricsPage(definitions: Readonly<Record<string, MetricDefinition>>, prefix: string): string {
  const rows = Object.entries(definitions).map(([name, metric]) => [
    code(name),
    metric.type,
    metric.labels.map(code).join(', ') || '–',
    prose(metric.help),
  ]);
  return page([
    generatedFrom('src/platform/metrics/definitions.ts'),
    '# Metrics',
    'Served on `/metrics` in the text format of Prometheus. No label holds a tenant, a user or a room: the number of ' +
      `series is bounded by the code. The process's own series (memory, CPU, event loop delay, garbage collection) ` +
      `are there too, as ${code(`${prefix}process_…`)} and ${code(`${prefix}nodejs_…`)}.`,
    table(['Name', 'Type', 'Labels', 'Meaning'], rows),
    ...buckets(definitions),
  ]);
}

function buckets(definitions: Readonly<Record<string, MetricDefinition>>): string[] {
  const lines = Object.entries(definitions).flatMap(([name, metric]) =>
    metric.type === 'histogram' ? [`- ${code(name)}: ${metric.buckets.join(', ')}`] : [],
  );
  return lines.length === 0 ? [] : ['## Upper bounds of the buckets', lines.join('\n')];
}
