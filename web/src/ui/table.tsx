import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, type RefObject, useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from 'react';

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => ReactNode;
  /** Figures stand at the right, one below the other. */
  readonly isFigure?: boolean;
}

interface TableProps<T> {
  /** What it lists, for who cannot see it. */
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  /** There are more rows: what fetches them. It is called by itself when the end of a long list comes near. */
  readonly onMore?: (() => void) | undefined;
  readonly isFetching?: boolean;
}

/** So many rows are all rendered; of more, those that are seen and a few on either side. */
const MOST_RENDERED = 60;
const MORE_ROWS = 12;
/** As one line of text makes it; what was seen is measured. */
const ROW_PX = 38;
/** The next page is fetched before who scrolls has to wait for it. */
const NEAR_END_ROWS = 30;

/** What can be done with a row: it stands at the right, and its title is for who cannot see that. */
const ACTIONS = 'Actions';

/**
 * A list that is fetched page by page. On narrow screens each row is a card of names and values; rows of figures, which
 * are to be compared, stay a table that scrolls sideways under its first column.
 */
export function Table<T>({ label, columns, rows, keyOf, onMore, isFetching = false }: TableProps<T>): ReactNode {
  const [focused, setFocused] = useState<string>();
  const { body, seen, after, measure } = useSeen(rows, keyOf, focused);
  useMore(rows.length > MOST_RENDERED && (seen.at(-1)?.index ?? 0) >= rows.length - NEAR_END_ROWS, rows.length, () => {
    if (!isFetching) onMore?.();
  });
  const region = useFocusKeeper(focused !== undefined && !rows.some((row) => keyOf(row) === focused));
  const isOfFigures = columns.filter(({ isFigure }) => isFigure).length * 2 > columns.length;
  return (
    <div
      className="table"
      data-kind={isOfFigures ? 'figures' : 'rows'}
      ref={region}
      role="region"
      aria-label={label}
      tabIndex={0}
    >
      <table role="table" aria-rowcount={onMore === undefined ? rows.length + 1 : -1}>
        <Head columns={columns} />
        <tbody role="rowgroup" ref={body} onBlur={() => setFocused(undefined)}>
          {seen.flatMap(({ row, index, gap }) => [
            gap > 0 && <Gap key={`before ${keyOf(row)}`} height={gap} />,
            <tr
              key={keyOf(row)}
              role="row"
              ref={measure}
              data-index={index}
              aria-rowindex={index + 2}
              onFocus={() => setFocused(keyOf(row))}
            >
              <Cells columns={columns} row={row} />
            </tr>,
          ])}
          {after > 0 && <Gap key="after" height={after} />}
        </tbody>
      </table>
      {onMore !== undefined && (
        <button type="button" className="button more" onClick={onMore} disabled={isFetching}>
          {isFetching ? 'Loading …' : 'Show more'}
        </button>
      )}
    </div>
  );
}

function Head<T>({ columns }: Pick<TableProps<T>, 'columns'>): ReactNode {
  return (
    <thead role="rowgroup">
      <tr role="row" aria-rowindex={1}>
        {columns.map(({ title, isFigure }) => (
          <th key={title} role="columnheader" scope="col" data-figure={isFigure} data-actions={title === ACTIONS}>
            <span className={title === ACTIONS ? 'hidden-text' : undefined}>{title}</span>
          </th>
        ))}
      </tr>
    </thead>
  );
}

function Cells<T>({ columns, row }: Pick<TableProps<T>, 'columns'> & { readonly row: T }): ReactNode {
  return columns.map(({ title, cell, isFigure }) => (
    <td key={title} role="cell" data-title={title} data-figure={isFigure} data-actions={title === ACTIONS}>
      {cell(row)}
    </td>
  ));
}

/** A row that is done with takes the focus along: the list has it then, and Tab goes on there. */
function useFocusKeeper(isFocusGone: boolean): RefObject<HTMLDivElement | null> {
  const region = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isFocusGone && document.activeElement === document.body) region.current?.focus();
  }, [isFocusGone]);
  return region;
}

/** Stands for the rows that are not rendered. */
function Gap({ height }: { readonly height: number }): ReactNode {
  return <tr className="gap" aria-hidden="true" style={{ height }} />;
}

interface Seen<T> {
  readonly body: RefObject<HTMLTableSectionElement | null>;
  /** The rows to render, each with the height of what is left out before it. */
  readonly seen: readonly { readonly row: T; readonly index: number; readonly gap: number }[];
  /** Height of what is left out behind them. */
  readonly after: number;
  readonly measure: ((row: HTMLTableRowElement | null) => void) | undefined;
}

/**
 * Which rows of a list are seen while the page scrolls.
 * @param focused the row with the focus: it stays, or the focus would be lost
 */
function useSeen<T>(rows: readonly T[], keyOf: (row: T) => string, focused: string | undefined): Seen<T> {
  const body = useRef<HTMLTableSectionElement>(null);
  const isWindow = rows.length > MOST_RENDERED;
  const top = useTop(body, isWindow);
  const kept = focused === undefined || !isWindow ? -1 : rows.findIndex((row) => keyOf(row) === focused);
  const virtualizer = useWindowVirtualizer<HTMLTableRowElement>({
    count: rows.length,
    enabled: isWindow,
    estimateSize: () => ROW_PX,
    overscan: MORE_ROWS,
    scrollMargin: top,
    useFlushSync: false,
    getItemKey: (index) => {
      const row = rows[index];
      return row === undefined ? index : keyOf(row);
    },
    rangeExtractor: ({ startIndex, endIndex, overscan, count }) => {
      const from = Math.max(0, startIndex - overscan);
      const to = Math.min(count - 1, endIndex + overscan);
      const range = Array.from({ length: to - from + 1 }, (_, at) => from + at);
      if (kept >= 0 && kept < from) return [kept, ...range];
      return kept > to ? [...range, kept] : range;
    },
  });
  if (!isWindow)
    return { body, seen: rows.map((row, index) => ({ row, index, gap: 0 })), after: 0, measure: undefined };
  const items = virtualizer.getVirtualItems();
  const seen = items.flatMap(({ index, start }, at) => {
    const row = rows[index];
    return row === undefined ? [] : [{ row, index, gap: start - (items[at - 1]?.end ?? top) }];
  });
  const end = items.at(-1)?.end ?? top;
  return { body, seen, after: virtualizer.getTotalSize() + top - end, measure: virtualizer.measureElement };
}

/** How far below the beginning of the page it begins: what stands above may come and go. */
function useTop(body: RefObject<HTMLElement | null>, isWanted: boolean): number {
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    if (!isWanted) return undefined;
    const measure = (): void => {
      if (body.current !== null) setTop(Math.round(body.current.getBoundingClientRect().top + scrollY));
    };
    measure();
    const changes = new ResizeObserver(measure);
    changes.observe(document.body);
    return () => changes.disconnect();
  }, [body, isWanted]);
  return top;
}

/** Asks for the next page once each time that the end is near: one that failed waits for the button. */
function useMore(isNearEnd: boolean, count: number, onMore: () => void): void {
  const more = useEffectEvent(onMore);
  useEffect(() => {
    if (isNearEnd) more();
  }, [isNearEnd, count]);
}
