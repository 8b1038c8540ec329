import uPlot from 'uplot';
import { onColours } from '../../../ui';
import type { ChartSpec } from './charts';
import type { Feed } from './feed';
import { clock } from './format';

const DAY_SECONDS = 86_400;
const FONT = '11px system-ui, sans-serif';
const HEADROOM = 1.15;
/** Added to a colour of six digits: hardly to be seen. */
const FAINT = '1c';
const DASH = [3, 3];

/** The tokens of ui/base.css as they are now: a canvas knows no variables. */
let tokens: Record<string, string> = {};
onColours(() => {
  tokens = {};
});

function token(name: string): string {
  return (tokens[name] ??= getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
}

/** One chart of a feed: it draws by itself what comes. All of them show the same time under the pointer. */
export function plotOf(spec: ChartSpec, feed: Feed, box: HTMLElement, onCursor: (plot: uPlot) => void): uPlot {
  const lines = spec[feed.source];
  return new uPlot(
    {
      width: Math.max(box.clientWidth, 1),
      height: Math.max(box.clientHeight, 1),
      padding: [8, 24, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: 'console-live', setSeries: false },
        drag: { x: false, y: false },
        y: false,
        points: { size: 6 },
      },
      scales: {
        x: { time: true, range: () => [...feed.window] },
        y: { range: (_plot, _min, max) => [0, Math.max(max ?? 0, spec.least) * HEADROOM] },
      },
      series: [
        {},
        ...lines.map(({ label, colour }, at) => ({
          label,
          stroke: () => token(colour),
          fill: lines.length === 1 ? () => token(colour) + FAINT : () => 'transparent',
          width: 1.5,
          points: { show: false },
          ...(at > 0 && lines.length > 2 ? { dash: DASH.map((length) => length * at) } : {}),
        })),
      ],
      axes: [timeAxis(feed), valueAxis(spec)],
      hooks: { setCursor: [onCursor] },
    },
    feed.dataOf(spec),
    box,
  );
}

function timeAxis(feed: Feed): uPlot.Axis {
  return {
    ...{ font: FONT, stroke: () => token('muted'), size: 28, gap: 8, space: 80 },
    ...{ grid: { show: false }, ticks: { show: false } },
    values: (_plot, splits) => {
      const [from, to] = feed.window;
      const isLong = to - from > DAY_SECONDS;
      return splits.map((seconds) => (isLong ? clock(seconds, true).replace(/,[^,]*$/, '') : hour(seconds)));
    },
  };
}

function valueAxis({ format }: ChartSpec): uPlot.Axis {
  return {
    ...{ font: FONT, stroke: () => token('muted'), size: 54, gap: 6, space: 34 },
    ...{ grid: { stroke: () => token('line'), width: 1 }, ticks: { show: false } },
    values: (_plot, splits) => splits.map((value) => format(value)),
  };
}

const HOUR = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

function hour(seconds: number): string {
  return HOUR.format(seconds * 1000);
}
