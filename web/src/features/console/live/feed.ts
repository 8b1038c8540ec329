import type uPlot from 'uplot';
import { CHARTS, type ChartSpec, type History, type Point, type Stats } from './charts';

/** Of which times the lines are. */
export type Source = 'live' | 'past';

type Values = (number | null)[];

const SECOND_MS = 1000;
/** As long as the server remembers its seconds. */
const LIVE_SECONDS = 600;
/** Samples further apart have a gap between them: nobody counted. */
const GAP_SECONDS = 4;
/** Samples that come at once, as at the beginning, are drawn once, but for the first. */
const DRAW_MS = 100;
export const RANGE_SECONDS: Readonly<Record<History['range'], number>> = { '1h': 3600, '24h': 86_400, '7d': 604_800 };

/** A step in which a tenant did nothing. */
const NOTHING: Point = {
  ...{ at: '', connections: 0, online: 0, messages: 0, deliveries: 0, refused: 0, tokens: 0 },
  ...{ send_p50_ms: null, send_p99_ms: null, queue_bytes: null, append_items: null, append_oldest_ms: null },
  ...{ loop_delay_p99_ms: null, rss_bytes: null },
};

/** The numbers behind the charts, kept outside of React: a second that comes changes arrays, and redraws. */
export class Feed {
  /** The newest sample; only of a live one. */
  latest: Stats | undefined;
  private readonly times: number[] = [];
  private readonly values = new Map<string, Values>();
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastId = 0;
  private span: readonly [number, number] = [0, 1];

  constructor(readonly source: Source) {
    for (const { id, [source]: lines } of CHARTS) for (const line of lines) this.values.set(`${id}.${line.id}`, []);
  }

  get window(): readonly [number, number] {
    return this.span;
  }

  get length(): number {
    return this.times.length;
  }

  /** Times, and of each line of a chart its values. */
  dataOf({ id, [this.source]: lines }: ChartSpec): uPlot.AlignedData {
    return [this.times, ...lines.map((line) => this.values.get(`${id}.${line.id}`) ?? [])];
  }

  /** One second more. */
  add(stats: Stats): void {
    if (stats.id <= this.lastId) return;
    this.lastId = stats.id;
    this.latest = stats;
    const time = Date.parse(stats.at) / SECOND_MS;
    const before = this.times.at(-1);
    if (before !== undefined && time - before > GAP_SECONDS) this.put(before + 1, () => null);
    this.put(time, (id, at) => CHARTS[at]?.live.find((line) => line.id === id)?.value(stats) ?? null);
    const from = time - LIVE_SECONDS;
    while ((this.times[0] ?? time) < from) {
      this.times.shift();
      for (const values of this.values.values()) values.shift();
    }
    this.span = [from, time];
    this.timer ??= setTimeout(this.tell, before === undefined ? 0 : DRAW_MS);
  }

  /** The minutes of a range, in place of those before. */
  fill({ points, range, step, tenant_id: tenantId }: History): void {
    this.times.length = 0;
    for (const values of this.values.values()) values.length = 0;
    const to = Math.floor(Date.now() / SECOND_MS);
    const from = to - RANGE_SECONDS[range];
    const byTime = new Map(points.map((point) => [Date.parse(point.at) / SECOND_MS, point]));
    for (let time = Math.ceil(from / step) * step; time + step <= to; time += step) {
      const point = byTime.get(time);
      // Of a tenant nothing is kept where nothing happened; of the server there is a row of every minute that it ran.
      const nothing = tenantId === null ? undefined : NOTHING;
      this.put(time, (id, at) => {
        const line = CHARTS[at]?.past.find((one) => one.id === id);
        const of = point ?? nothing;
        return of === undefined ? null : (line?.value({ point: of, seconds: step }) ?? null);
      });
    }
    this.span = [from, to];
    this.tell();
  }

  onData(tell: () => void): () => void {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  }

  private put(time: number, valueOf: (line: string, chart: number) => number | null): void {
    this.times.push(time);
    CHARTS.forEach(({ id, [this.source]: lines }, at) => {
      for (const line of lines) this.values.get(`${id}.${line.id}`)?.push(valueOf(line.id, at));
    });
  }

  private readonly tell = (): void => {
    this.timer = undefined;
    for (const tell of this.listeners) tell();
  };
}
