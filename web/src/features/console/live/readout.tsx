import { type ReactNode, useSyncExternalStore } from 'react';
import type { ChartSpec } from './charts';
import type { Feed } from './feed';
import { clock } from './format';

/** Which point in time is pointed at, and where on the screen. */
export interface Pointer {
  readonly idx: number;
  readonly x: number;
  readonly y: number;
}

const WIDTH = 250;
const MARGIN = 16;
const ROW = 21;
const TOP = 64;

interface ReadoutProps {
  readonly charts: readonly ChartSpec[];
  readonly feed: Feed;
  readonly pointer: Pointer;
}

/** All lines of all charts at the time that is pointed at: what else happened when this one rose. */
export function Readout({ charts, feed, pointer: { idx, x, y } }: ReadoutProps): ReactNode {
  // The seconds go on under a pointer that stands still.
  useSyncExternalStore(
    (tell) => feed.onData(tell),
    () => feed.latest?.id ?? 0,
  );
  const rows = charts.flatMap((spec) => {
    const [times, ...columns] = feed.dataOf(spec);
    const lines = spec[feed.source];
    return lines.map(({ id, label, colour }, i) => ({
      key: `${spec.id}.${id}`,
      time: times[idx],
      colour,
      title: lines.length === 1 ? spec.title : `${spec.title}, ${label}`,
      text: spec.format(columns[i]?.[idx]),
    }));
  });
  const left = x + MARGIN + WIDTH < innerWidth ? x + MARGIN : Math.max(x - MARGIN - WIDTH, MARGIN);
  const top = Math.max(Math.min(y, innerHeight - TOP - rows.length * ROW), MARGIN);
  return (
    <div className="readout small" style={{ left, top, width: WIDTH }} aria-hidden="true">
      <strong>{clock(rows[0]?.time ?? 0, feed.source === 'past')}</strong>
      {rows.map(({ key, colour, title, text }) => (
        <p key={key}>
          <i className="swatch" data-colour={colour} /> <span>{title}</span> <b>{text}</b>
        </p>
      ))}
    </div>
  );
}
