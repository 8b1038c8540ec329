import type { components } from '../../../api/client';
import { bytes, duration, figure } from './format';

export type Stats = components['schemas']['StatsDto'];
export type History = components['schemas']['StatsHistoryDto'];
export type Point = components['schemas']['StatsPointDto'];

/** A line of a chart, of the seconds that stream in or of the minutes that were kept. */
export interface Line<T> {
  readonly id: string;
  readonly label: string;
  /** The token of ui/base.css that it has the colour of. */
  readonly colour: 'accent' | 'good' | 'warn' | 'bad';
  readonly value: (of: T) => number | null;
}

export interface ChartSpec {
  readonly id: string;
  readonly title: string;
  readonly format: (value: number | null | undefined) => string;
  /** What is so much that it fills the chart, where nothing is more. */
  readonly least: number;
  readonly live: readonly Line<Stats>[];
  /** @param seconds of the step */
  readonly past: readonly Line<{ readonly point: Point; readonly seconds: number }>[];
  readonly now: (stats: Stats) => string;
  readonly note: (stats: Stats) => string;
  /** Where it is not known of one tenant: never, or of what was kept. */
  readonly unknownOfTenant?: 'always' | 'past';
}

interface RateOf {
  readonly id: string;
  readonly title: string;
  readonly rate: keyof Pick<
    Stats['figures'],
    'messages_per_second' | 'deliveries_per_second' | 'refused_per_second' | 'tokens_per_second'
  >;
  readonly sum: keyof Pick<Point, 'messages' | 'deliveries' | 'refused' | 'tokens'>;
  readonly colour: Line<Stats>['colour'];
  readonly note: string;
}

/** How often a second something happens. */
function rateChart({ id, title, rate, sum, colour, note }: RateOf): ChartSpec {
  const line = { id, label: title, colour };
  return {
    ...{ id, title, format: figure, least: 1 },
    live: [{ ...line, value: ({ figures }) => figures[rate] }],
    past: [{ ...line, value: ({ point, seconds }) => point[sum] / seconds }],
    now: ({ figures }) => figure(figures[rate]),
    note: () => note,
  };
}

/** The slowest of the nodes. */
export function loopDelay({ nodes }: Stats): number | null {
  if (nodes === null || nodes.length === 0) return null;
  return Math.max(...nodes.map(({ loop_delay_p99_ms: ms }) => ms));
}

export const CHARTS: readonly ChartSpec[] = [
  {
    ...{ id: 'connections', title: 'Connections', format: figure, least: 1 },
    live: [
      { id: 'ws', label: '/ws', colour: 'accent', value: ({ figures }) => figures.connections.ws },
      { id: 'ws_chat', label: '/ws/chat', colour: 'good', value: ({ figures }) => figures.connections.ws_chat },
      { id: 'sse', label: 'Server-sent events', colour: 'warn', value: ({ figures }) => figures.connections.sse },
    ],
    past: [{ id: 'all', label: 'Connections', colour: 'accent', value: ({ point }) => point.connections }],
    now: ({ figures: { connections } }) => figure(connections.ws + connections.ws_chat + connections.sse),
    note: ({ figures }) => `${figure(figures.online)} users online, ${figure(figures.rooms_live)} rooms live`,
  },
  rateChart({
    ...{ id: 'messages', title: 'Messages per second', rate: 'messages_per_second', sum: 'messages' },
    ...{ colour: 'accent', note: 'stored' },
  }),
  rateChart({
    ...{ id: 'deliveries', title: 'Deliveries per second', rate: 'deliveries_per_second', sum: 'deliveries' },
    ...{ colour: 'accent', note: 'written to connections, one for each' },
  }),
  {
    ...{ id: 'sends', title: 'Time of a send', format: duration, least: 10 },
    live: [
      { id: 'p50', label: 'p50', colour: 'accent', value: ({ figures }) => figures.send_p50_ms },
      { id: 'p99', label: 'p99', colour: 'warn', value: ({ figures }) => figures.send_p99_ms },
    ],
    past: [
      { id: 'p50', label: 'p50', colour: 'accent', value: ({ point }) => point.send_p50_ms },
      { id: 'p99', label: 'p99', colour: 'warn', value: ({ point }) => point.send_p99_ms },
    ],
    now: ({ figures }) => duration(figures.send_p99_ms),
    note: ({ figures }) => `p99 of a minute; p50 ${duration(figures.send_p50_ms)}`,
  },
  {
    ...{ id: 'queue', title: 'Messages that wait to be stored', format: figure, least: 10, unknownOfTenant: 'past' },
    live: [{ id: 'items', label: 'Messages', colour: 'accent', value: ({ figures }) => figures.append.items }],
    past: [{ id: 'items', label: 'Messages', colour: 'accent', value: ({ point }) => point.append_items }],
    now: ({ figures }) => figure(figures.append.items),
    note: ({ figures }) =>
      `oldest ${duration(figures.append.oldest_ms)}; ${bytes(figures.queue_bytes)} wait for clients`,
  },
  {
    ...{ id: 'loop', title: 'Event loop delay', format: duration, least: 10, unknownOfTenant: 'always' },
    live: [{ id: 'loop', label: 'p99', colour: 'accent', value: loopDelay }],
    past: [{ id: 'loop', label: 'p99', colour: 'accent', value: ({ point }) => point.loop_delay_p99_ms }],
    now: (stats) => duration(loopDelay(stats)),
    note: () => 'p99 of a second, slowest server',
  },
  rateChart({
    ...{ id: 'refused', title: 'Refused per second', rate: 'refused_per_second', sum: 'refused' },
    ...{ colour: 'bad', note: 'requests and frames over a rate limit' },
  }),
  rateChart({
    ...{ id: 'tokens', title: 'Tokens per second', rate: 'tokens_per_second', sum: 'tokens' },
    ...{ colour: 'good', note: 'of models’ answers' },
  }),
];
