import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { METRIC_DEFINITIONS, METRIC_PREFIX, type MetricDefinition } from '../../src/platform/metrics/definitions';

const ROOT = join(__dirname, '..', '..');
/** Swagger's, which writes /docs-yaml with it. */
const yaml = createRequire(require.resolve('@nestjs/swagger'))('js-yaml') as { load(text: string): unknown };

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const { groups } = yaml.load(read('examples/alerts.yml')) as { groups: readonly { readonly rules: readonly Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

const own: Readonly<Record<string, MetricDefinition>> = METRIC_DEFINITIONS;
const registry = new Registry();
collectDefaultMetrics({ register: registry, prefix: METRIC_PREFIX });
const ofProcess = new Set(registry.getMetricsAsArray().map(({ name }) => name));
afterAll(() => registry.clear());

/** What is wrong with a name of a series and the labels that are asked of it; undefined where nothing is. */
function fault(series: string, selectors: string): string | undefined {
  if (ofProcess.has(series)) return undefined;
  const [, base = series, part] = /^(.+)_(bucket|sum|count)$/.exec(series) ?? [];
  const definition = own[base];
  if (definition === undefined) return `there is no ${series}`;
  if ((definition.type === 'histogram') !== (part !== undefined))
    return `${series} is no series of a ${definition.type}`;
  const labels = [...selectors.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label);
  const unknown = labels.filter((label) => !definition.labels.includes(label));
  return unknown.length === 0 ? undefined : `${series} has no label ${unknown.join()}`;
}

const faultsOf = (expr: string): string[] =>
  [...expr.matchAll(/\b(chatapi_\w+)(?:\{([^}]*)\})?/g)].flatMap(
    ([, series = '', selectors = '']) => fault(series, selectors) ?? [],
  );

describe('examples/alerts.yml', () => {
  it.each(rules.map((rule) => [rule.alert, rule] as const))('%s asks for series that a server has', (_, rule) => {
    expect(faultsOf(rule.expr)).toEqual([]);
    expect(rule.expr).toMatch(/chatapi_|up\{job="chatapi"\}/);
    for (const [open, close] of ['()', '{}', '[]'])
      expect(rule.expr.split(open ?? '').length).toBe(rule.expr.split(close ?? '').length);
    expect(rule.annotations.summary).not.toBe('');
  });

  it.each([
    ['chatapi_nothing_total > 0', /there is no chatapi_nothing_total/],
    ['rate(chatapi_append_seconds[5m])', /no series of a histogram/],
    ['chatapi_jobs_bucket', /no series of a gauge/],
    ['chatapi_jobs{status="queued"}', /has no label status/],
  ])('a rule that asks for what there is not is found out: %s', (expr, expected) => {
    expect(faultsOf(expr)).toEqual([expect.stringMatching(expected)]);
  });

  it('has each of its alerts on docs/alerts.md, with its severity, and none is there that it has not', () => {
    const rows = [...read('docs/alerts.md').matchAll(/^\| `(\w+)` +\| (\w+) +\|/gm)];
    expect(rows.map(([, name, severity]) => [name, severity])).toEqual(
      rules.map(({ alert, labels }) => [alert, labels.severity]),
    );
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});
