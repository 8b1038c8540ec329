import { explorerOf } from '../../../test/support/providers';
import { SilentLog } from '../logging';
import { Gauge, type GaugeSample, METRIC_DEFINITIONS, METRIC_PREFIX, Metrics, SendTimes } from '.';
import { Gauges } from './metrics';

class RecordingLog extends SilentLog {
  readonly warnings: object[] = [];

  override warn(fields?: object): void {
    if (fields) this.warnings.push(fields);
  }
}

/** The lines of one series name, without help and type. */
async function series(metrics: Metrics, name: string): Promise<string[]> {
  return (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith(name) && /[ {]/.test(line[name.length] ?? ''));
}

describe('Metrics', () => {
  it('exports every definition with its help and type, and the process metrics under the same prefix', async () => {
    const metrics = new Metrics(new SilentLog());
    const text = await metrics.text();
    for (const [name, { help, type }] of Object.entries(METRIC_DEFINITIONS)) {
      expect(text).toContain(`# HELP ${name} ${help}\n`);
      expect(text).toContain(`# TYPE ${name} ${type}\n`);
    }
    expect(text).toContain('chatapi_nodejs_eventloop_lag_p99_seconds ');
    expect(text).toContain('chatapi_process_resident_memory_bytes ');
    expect(text.match(/^# TYPE (?!chatapi_)/m)).toBeNull();
    expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  it('keeps two servers in one process apart', async () => {
    const [a, b] = [new Metrics(new SilentLog()), new Metrics(new SilentLog())];
    a.errors('NOT_FOUND');
    expect(await series(a, 'chatapi_errors_total')).toEqual(['chatapi_errors_total{code="NOT_FOUND"} 1']);
    expect(await series(b, 'chatapi_errors_total')).toEqual([]);
  });

  it('counts through a child that is kept', async () => {
    const metrics = new Metrics(new SilentLog());
    const child = metrics.counter('chatapi_rate_limited_total').labels({ family: 'rooms' });
    child.inc();
    child.inc(4);
    metrics.counter('chatapi_rate_limited_total').labels({ family: 'rooms' }).inc();
    expect(await series(metrics, 'chatapi_rate_limited_total')).toEqual([
      'chatapi_rate_limited_total{family="rooms"} 6',
    ]);
  });

  it('sets gauges and observes histograms without labels directly', async () => {
    const metrics = new Metrics(new SilentLog());
    metrics.gauge('chatapi_database_up').set(1);
    metrics.gauge('chatapi_append_queue_items').inc(5);
    metrics.gauge('chatapi_append_queue_items').dec(2);
    for (const size of [1, 3, 1000]) metrics.histogram('chatapi_append_batch_size').observe(size);
    expect(await series(metrics, 'chatapi_database_up')).toEqual(['chatapi_database_up 1']);
    expect(await series(metrics, 'chatapi_append_queue_items')).toEqual(['chatapi_append_queue_items 3']);
    const buckets = await series(metrics, 'chatapi_append_batch_size_bucket');
    expect(buckets).toContain('chatapi_append_batch_size_bucket{le="1"} 1');
    expect(buckets).toContain('chatapi_append_batch_size_bucket{le="512"} 2');
    expect(buckets).toContain('chatapi_append_batch_size_bucket{le="+Inf"} 3');
    expect(await series(metrics, 'chatapi_append_batch_size_sum')).toEqual(['chatapi_append_batch_size_sum 1004']);
  });
});

describe('Metrics: requests', () => {
  it('counts requests by method, pattern and status, and their time by pattern', async () => {
    const metrics = new Metrics(new SilentLog());
    metrics.request('GET', '/rooms/:room_id', 200, 0.002);
    metrics.request('GET', '/rooms/:room_id', 200, 0.002);
    metrics.request('GET', '/rooms/:room_id', 404, 0.002);
    metrics.request('POST', '/rooms', 201, 0.2);
    expect((await series(metrics, 'chatapi_http_requests_total')).sort()).toEqual([
      'chatapi_http_requests_total{method="GET",route="/rooms/:room_id",status="200"} 2',
      'chatapi_http_requests_total{method="GET",route="/rooms/:room_id",status="404"} 1',
      'chatapi_http_requests_total{method="POST",route="/rooms",status="201"} 1',
    ]);
    expect(await series(metrics, 'chatapi_http_request_seconds_count')).toEqual([
      'chatapi_http_request_seconds_count{route="/rooms/:room_id"} 3',
      'chatapi_http_request_seconds_count{route="/rooms"} 1',
    ]);
  });
});

describe('Metrics: types', () => {
  it('does not compile with a wrong name, a wrong label, a missing label or the wrong kind', () => {
    const metrics = new Metrics(new SilentLog());
    const wrong = (): void => {
      // @ts-expect-error no such metric
      void metrics.counter('chatapi_nothing_total');
      // @ts-expect-error a gauge is not a counter
      void metrics.counter('chatapi_jobs');
      // @ts-expect-error no such label
      metrics.counter('chatapi_errors_total').labels({ cod: 'NOT_FOUND' });
      // @ts-expect-error two labels are missing
      metrics.counter('chatapi_http_requests_total').labels({ method: 'GET' });
      // @ts-expect-error its labels are left out
      void (metrics.counter('chatapi_errors_total') satisfies { inc(): void });
      // @ts-expect-error it has no labels
      void (metrics.gauge('chatapi_database_up') satisfies { labels: unknown });
      // @ts-expect-error no such label
      metrics.collect('chatapi_jobs', () => [{ labels: { tenant: 'a' }, value: 1 }]);
    };
    expect(wrong).toThrow();
  });
});

describe('Metrics: collected gauges', () => {
  it('asks the owner at each scrape and forgets what is gone', async () => {
    const metrics = new Metrics(new SilentLog());
    let jobs: Record<string, number> = { waiting: 3, failed: 1 };
    metrics.collect('chatapi_jobs', () => Object.entries(jobs).map(([state, value]) => ({ labels: { state }, value })));
    metrics.collect('chatapi_append_queue_items', () => [{ labels: {}, value: 7 }]);
    expect(await series(metrics, 'chatapi_jobs')).toEqual([
      'chatapi_jobs{state="waiting"} 3',
      'chatapi_jobs{state="failed"} 1',
    ]);
    jobs = { waiting: 2 };
    const [first, second] = await Promise.all([series(metrics, 'chatapi_jobs'), series(metrics, 'chatapi_jobs')]);
    expect(first).toEqual(['chatapi_jobs{state="waiting"} 2']);
    expect(second).toEqual(first);
    expect(await series(metrics, 'chatapi_append_queue_items')).toEqual(['chatapi_append_queue_items 7']);
  });

  it('a failing owner is logged and leaves out its gauge alone, with and without labels', async () => {
    const log = new RecordingLog();
    const metrics = new Metrics(log);
    metrics.gauge('chatapi_database_up').set(1);
    metrics.collect('chatapi_jobs', () => Promise.reject(new Error('database is away')));
    metrics.collect('chatapi_append_queue_items', () => {
      throw new Error('broken');
    });
    expect(await series(metrics, 'chatapi_jobs')).toEqual([]);
    expect(log.warnings).toMatchObject([
      { metric: 'chatapi_append_queue_items', error: { message: 'broken' } },
      { metric: 'chatapi_jobs', error: { message: 'database is away' } },
    ]);
    expect(await series(metrics, 'chatapi_append_queue_items')).toEqual([]);
    expect(await series(metrics, 'chatapi_database_up')).toEqual(['chatapi_database_up 1']);
  });

  it('refuses a second owner', () => {
    const metrics = new Metrics(new SilentLog());
    metrics.collect('chatapi_jobs', () => []);
    expect(() => metrics.collect('chatapi_jobs', () => [])).toThrow('chatapi_jobs is collected already');
  });
});

describe('METRIC_DEFINITIONS', () => {
  it.each(Object.entries(METRIC_DEFINITIONS))(
    '%s follows the naming rules and identifies nobody',
    (name, definition) => {
      expect(name.startsWith(METRIC_PREFIX)).toBe(true);
      expect(name.endsWith('_total')).toBe(definition.type === 'counter');
      expect(definition.help).toMatch(/^[A-Z0-9].*\.$/);
      for (const label of definition.labels) expect(label).not.toMatch(/tenant|user|room|key|id$/);
      if (definition.type === 'histogram')
        expect([...definition.buckets]).toEqual([...definition.buckets].sort((a, b) => a - b));
    },
  );
});

describe('@Gauge', () => {
  class Live {
    @Gauge('chatapi_runs_live')
    size(): number {
      return 7;
    }
  }

  class States {
    @Gauge('chatapi_jobs')
    states(): Promise<GaugeSample<'chatapi_jobs'>[]> {
      return Promise.resolve([{ labels: { state: 'queued' }, value: 3 }]);
    }
  }

  it('is asked at each scrape, once for each gauge', async () => {
    const metrics = new Metrics(new SilentLog());
    new Gauges(explorerOf(new Live(), new States()), metrics).onModuleInit();
    const text = await metrics.text();
    expect(text).toContain('chatapi_runs_live 7');
    expect(text).toContain('chatapi_jobs{state="queued"} 3');
    const twice = new Gauges(explorerOf(new Live(), new (class extends Live {})()), new Metrics(new SilentLog()));
    expect(() => twice.onModuleInit()).toThrow('chatapi_runs_live is collected already');
  });
});

describe('SendTimes', () => {
  it('says within what step the median and the 99th of a hundred lie, a third too high at most', () => {
    const times = new SendTimes();
    expect(times.quantiles(0)).toBeUndefined();
    for (let ms = 1; ms <= 100; ms++) times.add(ms, 0);
    const { p50, p99 } = times.quantiles(0) ?? { p50: 0, p99: 0 };
    for (const [found, real] of [
      [p50, 50],
      [p99, 99],
    ] as const) {
      expect(found).toBeGreaterThanOrEqual(real);
      expect(found).toBeLessThan(real * 1.36);
    }
    times.add(1e9, 0);
    expect(times.quantiles(0)?.p99).toBeLessThanOrEqual(60_001);
  });

  it('forgets what is older than a minute, slot by slot, also after a long silence', () => {
    const times = new SendTimes();
    times.add(1000, 5_000);
    for (let i = 0; i < 9; i++) times.add(1, 25_000);
    expect(times.quantiles(59_999)?.p99).toBeGreaterThan(999);
    expect(times.quantiles(60_000)?.p99).toBeLessThan(2);
    times.add(7, 3_600_000);
    expect(times.quantiles(3_600_000)?.p50).toBeGreaterThan(6);
    expect(times.quantiles(3_660_000)).toBeUndefined();
  });
});

describe('Metrics: counts of tenants', () => {
  it('gives each tenant its own, and says once which have moved', () => {
    const metrics = new Metrics(new SilentLog());
    metrics.tenant('a').refused++;
    metrics.tenant('a').tokens += 3;
    metrics.sent('b', 5, 0);
    expect(metrics.takeMoved(0).map(({ tenantId }) => tenantId)).toEqual(['a', 'b']);
    expect(metrics.takeMoved(1)).toEqual([]);
    expect(metrics.countsOf('a')).toMatchObject({ messages: 0, refused: 1, tokens: 3, sends: undefined });
    expect(metrics.countsOf('b')).toMatchObject({ messages: 1 });
    expect(metrics.takeMoved(2)).toEqual([]);
    expect(metrics.sends.quantiles(0)).toEqual(metrics.countsOf('b')?.sends?.quantiles(0));
  });

  it('forgets a tenant that did nothing for ten minutes, and the idlest beyond ten thousand', () => {
    const metrics = new Metrics(new SilentLog());
    const minute = 60_000;
    metrics.tenant('idle').messages++;
    metrics.takeMoved(0);
    metrics.tenant('busy').messages++;
    metrics.takeMoved(9 * minute);
    expect(metrics.countsOf('idle')?.messages).toBe(1);
    metrics.takeMoved(10 * minute);
    expect(metrics.countsOf('idle')).toBeUndefined();
    for (let i = 0; i < 10_000; i++) metrics.tenant(`tenant ${i}`).messages++;
    expect(metrics.takeMoved(10 * minute)).toHaveLength(10_000);
    expect(metrics.countsOf('busy')).toBeUndefined();
    expect(metrics.countsOf('tenant 0')?.messages).toBe(1);
  });
});
