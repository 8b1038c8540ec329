import type { ErrorRow } from '../common/errors';
import type { MetricDefinition } from '../platform/metrics';
import { code, generatedFrom, page, prose, table } from './markdown';

const SHAPE = `\`\`\`json
{
  "success": false,
  "data": null,
  "error": { "code": "…", "message": "…", "field": "…", "details": {}, "request_id": "…" }
}
\`\`\``;

/** docs/errors.md: what each error code means to a client. */
export function errorsPage(catalogue: Readonly<Record<string, ErrorRow>>): string {
  const rows = Object.entries(catalogue).map(([name, row]) => [
    code(name),
    String(row.status),
    String(row.closeCode),
    row.retryable ? 'yes' : 'no',
    prose(row.meaning),
    prose(row.hint),
  ]);
  return page([
    generatedFrom('src/common/errors/catalogue.ts'),
    '# Error codes',
    'Every error answer of the three APIs has one shape; `field` is there when one is to blame:',
    SHAPE,
    'Programs go by `code`; `message` is for people and may change, as is ' +
      '`details.hint`: what to do about it, as the table says or better. "Retry" says whether the same request may succeed ' +
      'later without a change: wait for `Retry-After` seconds where it is given. The close code is that of a socket ' +
      'which is refused or closed for this reason.',
    table(['Code', 'Status', 'Close code', 'Retry', 'Meaning', 'What to do'], rows),
  ]);
}

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
