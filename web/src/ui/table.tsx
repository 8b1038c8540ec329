import type { ReactNode } from 'react';

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
  /** There are more rows: what fetches them. */
  readonly onMore?: (() => void) | undefined;
  readonly isFetching?: boolean;
}

/** What can be done with a row: it stands at the right, and its title is for who cannot see that. */
const ACTIONS = 'Actions';

/**
 * A list that is fetched page by page. On narrow screens each row is a card of names and values; rows of figures, which
 * are to be compared, stay a table that scrolls sideways under its first column.
 */
export function Table<T>({ label, columns, rows, keyOf, onMore, isFetching = false }: TableProps<T>): ReactNode {
  const isOfFigures = columns.filter(({ isFigure }) => isFigure).length * 2 > columns.length;
  return (
    <div className="table" data-kind={isOfFigures ? 'figures' : 'rows'} role="region" aria-label={label} tabIndex={0}>
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ title, isFigure }) => (
              <th key={title} role="columnheader" scope="col" data-figure={isFigure} data-actions={title === ACTIONS}>
                <span className={title === ACTIONS ? 'hidden-text' : undefined}>{title}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={keyOf(row)} role="row">
              {columns.map(({ title, cell, isFigure }) => (
                <td key={title} role="cell" data-title={title} data-figure={isFigure} data-actions={title === ACTIONS}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
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
