import { type KeyboardEvent, type ReactNode, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import { CopyButton } from '../../ui';
import type { FrameLog, FrameRecord } from './frame-log';
import { useChanges } from './use-changes';

/** As the style has it: rows of one height make the window a division. */
const ROW_PX = 26;
const MORE_ROWS = 6;
const FIRST_HEIGHT_PX = 600;
/** A row names the type already. */
const TYPE_FIRST = /^{"(?:event_)?type":"[^"]*",?/;
const ARROWS = { in: '↓', out: '↑', state: '•' } as const;
const SAID = { in: 'received by', out: 'sent by', state: 'connection of' } as const;

interface FrameListProps {
  readonly log: FrameLog;
  readonly people: readonly string[];
  readonly selected: FrameRecord | undefined;
  readonly onSelect: (frame: FrameRecord) => void;
}

/** A window on all frames: as many rows are rendered as are seen, however many there are. */
export function FrameList({ log, people, selected, onSelect }: FrameListProps): ReactNode {
  useChanges(log.changes);
  const frames = log.visible;
  const { list, first, visible, scrolled } = useWindow(frames.length);
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = selected === undefined ? frames.length : frames.indexOf(selected);
    const next = frames[Math.max(0, Math.min(frames.length - 1, at + step))];
    if (next !== undefined) onSelect(next);
  };
  return (
    <div
      className="frames"
      ref={list}
      role="listbox"
      aria-label="Frames"
      aria-activedescendant={selected && `frame-${selected.n}`}
      tabIndex={0}
      onScroll={scrolled}
      onKeyDown={move}
    >
      <div className="frames-all" role="presentation" style={{ height: frames.length * ROW_PX }}>
        {frames.slice(first, first + visible).map((frame, offset) => (
          <Row
            key={frame.n}
            frame={frame}
            index={first + offset}
            total={frames.length}
            since={frame.at - (frames[first + offset - 1]?.at ?? frame.at)}
            person={people.indexOf(frame.person)}
            isSelected={selected?.n === frame.n}
            onSelect={onSelect}
          />
        ))}
      </div>
    </div>
  );
}

interface Window {
  readonly list: RefObject<HTMLDivElement | null>;
  readonly first: number;
  readonly visible: number;
  readonly scrolled: () => void;
}

/** Which of the rows are seen. Whoever is at the end stays there while rows come. */
function useWindow(count: number): Window {
  const list = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(FIRST_HEIGHT_PX);
  useLayoutEffect(() => {
    const shown = list.current;
    if (shown !== null && follows) shown.scrollTop = shown.scrollHeight;
  });
  const scrolled = (): void => {
    const shown = list.current;
    if (shown === null) return;
    setFollows(shown.scrollHeight - shown.scrollTop - shown.clientHeight < ROW_PX * 2);
    setTop(shown.scrollTop);
    setHeight(shown.clientHeight);
  };
  const visible = Math.ceil(height / ROW_PX) + 2 * MORE_ROWS;
  // While it follows, the end is what will be seen, before the scrolling is told.
  const first = Math.min(Math.max(0, Math.floor(top / ROW_PX) - MORE_ROWS), Math.max(0, count - visible));
  return { list, first: follows ? Math.max(0, count - visible) : first, visible, scrolled };
}

interface RowProps {
  readonly frame: FrameRecord;
  readonly index: number;
  readonly total: number;
  /** Milliseconds since the one above. */
  readonly since: number;
  /** Which of the people: its colour. */
  readonly person: number;
  readonly isSelected: boolean;
  readonly onSelect: (frame: FrameRecord) => void;
}

function Row({ frame, index, total, since, person, isSelected, onSelect }: RowProps): ReactNode {
  const { n, at, direction, type, text, endpoint } = frame;
  return (
    <div
      id={`frame-${n}`}
      className="frame-row"
      role="option"
      aria-selected={isSelected}
      aria-setsize={total}
      aria-posinset={index + 1}
      data-direction={direction}
      data-type={type}
      data-n={n}
      style={{ transform: `translateY(${index * ROW_PX}px)` }}
      onClick={() => onSelect(frame)}
    >
      <span className="frame-at">{clock(at)}</span>
      <span className="frame-since">{between(since)}</span>
      <span className="frame-person" data-person={person} title={frame.person}>
        {frame.person}
      </span>
      <span className="frame-arrow" aria-hidden="true">
        {ARROWS[direction]}
      </span>
      <span className="hidden-text">
        {SAID[direction]} {frame.person}
      </span>
      <span className="frame-type" title={`${type} on ${endpoint}`}>
        {type}
      </span>
      <span className="frame-text">{text.replace(TYPE_FIRST, '{').slice(0, 200)}</span>
    </div>
  );
}

function clock(at: number): string {
  const date = new Date(at);
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

const SECOND_MS = 1000;

function between(ms: number): string {
  return ms < SECOND_MS ? `+${ms}` : `+${(ms / SECOND_MS).toFixed(1)}s`;
}

interface FrameDetailProps {
  readonly frame: FrameRecord;
  readonly onEdit: (frame: FrameRecord) => void;
  readonly onClose: () => void;
}

/** One frame, to be read, copied, and sent once more with changes. */
export function FrameDetail({ frame, onEdit, onClose }: FrameDetailProps): ReactNode {
  const { person, endpoint, direction, type, text } = frame;
  return (
    <section className="frame-detail" aria-label="Frame">
      <header>
        <strong className="mono">{type}</strong>
        <span className="muted">
          {SAID[direction]} {person}, {endpoint}, {text.length} characters
        </span>
        <span className="spring" />
        <CopyButton text={text} />
        {direction === 'out' && (
          <button type="button" className="text-button" onClick={() => onEdit(frame)}>
            Edit and send
          </button>
        )}
        <button type="button" className="text-button" onClick={onClose}>
          Close
        </button>
      </header>
      <pre tabIndex={0} aria-label="The frame, readable">
        {readable(text)}
      </pre>
    </section>
  );
}

const MOST_SHOWN = 20_000;

function readable(text: string): string {
  if (!text.startsWith('{') || text.length > MOST_SHOWN) return text.slice(0, MOST_SHOWN);
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
