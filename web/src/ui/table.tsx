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

/** A list that is fetched page by page; on narrow screens it scrolls sideways by itself. */
export function Table<T>({ label, columns, rows, keyOf, onMore, isFetching = false }: TableProps<T>): ReactNode {
  return (
    <div className="table" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map(({ title, isFigure }) => (
              <th key={title} scope="col" data-figure={isFigure}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, cell, isFigure }) => (
                <td key={title} data-figure={isFigure}>
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
