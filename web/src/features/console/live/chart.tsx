import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type uPlot from 'uplot';
import { onColours } from '../../../ui';
import type { ChartSpec, Stats } from './charts';
import type { Feed } from './feed';
import { clock, NONE } from './format';
import { plotOf } from './plot';
import type { Pointer } from './readout';

interface ChartProps {
  readonly spec: ChartSpec;
  readonly feed: Feed;
  /** Where the figure of now comes from, whatever the chart shows. */
  readonly live: Feed;
  readonly onPointer: (pointer: Pointer | undefined) => void;
}

/** A figure, and how it came to be. */
export function Chart({ spec, feed, live, onPointer }: ChartProps): ReactNode {
  const lines = spec[feed.source];
  return (
    <section className="card chart" aria-label={spec.title}>
      <h2>{spec.title}</h2>
      <Now spec={spec} live={live} />
      {lines.length > 1 && (
        <p className="legend small">
          {lines.map(({ id, label, colour }) => (
            <span key={id}>
              <i className="swatch" data-colour={colour} /> {label}
            </span>
          ))}
        </p>
      )}
      <Plot spec={spec} feed={feed} onPointer={onPointer} />
    </section>
  );
}

export function useLatest(live: Feed): Stats | undefined {
  return useSyncExternalStore(
    (tell) => live.onData(tell),
    () => live.latest,
  );
}

function Now({ spec, live }: Pick<ChartProps, 'spec' | 'live'>): ReactNode {
  const stats = useLatest(live);
  return (
    <>
      <p className="now">{stats === undefined ? NONE : spec.now(stats)}</p>
      <p className="note muted small">{stats === undefined ? 'waiting for the first figures' : spec.note(stats)}</p>
    </>
  );
}

interface Drawn {
  readonly box: RefObject<HTMLDivElement | null>;
  readonly plot: RefObject<uPlot | undefined>;
  /** Only the chart that is pointed at says where the pointer is; the others follow it. */
  readonly setPointedAt: (isPointedAt: boolean) => void;
}

/** A chart in a box: it has the box's size, and draws what the feed brings. */
function useDrawn({ spec, feed, onPointer }: Omit<ChartProps, 'live'>): Drawn {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot>(undefined);
  const isPointedAt = useRef(false);
  useEffect(() => {
    const within = box.current;
    if (within === null) return undefined;
    const plot = plotOf(spec, feed, within, (moved) => {
      if (isPointedAt.current) onPointer(pointerOf(moved));
    });
    drawn.current = plot;
    const size = new ResizeObserver(() => plot.setSize({ width: within.clientWidth, height: within.clientHeight }));
    size.observe(within);
    const ends = [
      feed.onData(() => plot.setData(feed.dataOf(spec))),
      onColours(() => plot.redraw(false, true)),
      () => size.disconnect(),
      () => plot.destroy(),
    ];
    return () => ends.forEach((end) => end());
  }, [spec, feed, onPointer]);
  const setPointedAt = (isHere: boolean): void => {
    isPointedAt.current = isHere;
    if (isHere) return;
    onPointer(undefined);
    drawn.current?.setCursor({ left: -10, top: -10 });
  };
  return { box, plot: drawn, setPointedAt };
}

/** The drawing; it can be walked through by the arrow keys. */
function Plot(props: Omit<ChartProps, 'live'>): ReactNode {
  const { spec, feed } = props;
  const { box, plot, setPointedAt } = useDrawn(props);
  const [at, setAt] = useState<number>();
  const last = Math.max(feed.length - 1, 0);
  const press = (event: KeyboardEvent): void => {
    const drawn = plot.current;
    const step = STEPS[event.key];
    if (drawn === undefined || step === undefined || feed.length === 0) return;
    event.preventDefault();
    const newest = feed.length - 1;
    const next = Math.min(Math.max((at ?? newest) + step, 0), newest);
    setAt(next);
    setPointedAt(true);
    drawn.setCursor({ left: drawn.valToPos(drawn.data[0][next] ?? 0, 'x'), top: 1 });
  };
  return (
    <div
      ref={box}
      className="plot"
      {...{ role: 'slider', tabIndex: 0, 'aria-label': `${spec.title}: a point in time` }}
      {...{ 'aria-valuemin': 0, 'aria-valuemax': last, 'aria-valuenow': Math.min(at ?? last, last) }}
      aria-valuetext={at === undefined ? 'now' : textAt(spec, feed, at)}
      onPointerEnter={() => setPointedAt(true)}
      onPointerLeave={() => setPointedAt(false)}
      onBlur={() => setPointedAt(false)}
      onKeyDown={press}
    />
  );
}

/** By how many points a key moves. */
const STEPS: Readonly<Record<string, number | undefined>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageDown: -30,
  PageUp: 30,
  Home: -Infinity,
  End: Infinity,
};

function pointerOf(plot: uPlot): Pointer | undefined {
  const { idx, left } = plot.cursor;
  if (idx === null || idx === undefined || left === undefined || left < 0) return undefined;
  const { left: from, top } = plot.over.getBoundingClientRect();
  return { idx, x: from + left, y: top };
}

function textAt(spec: ChartSpec, feed: Feed, at: number): string {
  const [times, ...columns] = feed.dataOf(spec);
  const values = spec[feed.source].map(({ label }, i) => `${label} ${spec.format(columns[i]?.[at])}`);
  return `${clock(times[at] ?? 0, feed.source === 'past')}: ${values.join(', ')}`;
}
