import type { ReactNode } from 'react';
import { Button } from './button';

interface PagerProps {
  /** Rows before the first that is shown. */
  readonly offset: number;
  readonly shown: number;
  readonly total: number;
  readonly limit: number;
  readonly onOffset: (offset: number) => void;
}

const NUMBER = new Intl.NumberFormat();

/** Which rows of how many are shown, and the way to the others. */
export function Pager({ offset, shown, total, limit, onOffset }: PagerProps): ReactNode {
  if (total === 0) return null;
  return (
    <nav className="pager" aria-label="Pages of the list">
      <span className="muted" role="status">
        {shown === 0 ? 'None' : `${NUMBER.format(offset + 1)}–${NUMBER.format(offset + shown)}`} of{' '}
        {NUMBER.format(total)}
      </span>
      {(offset > 0 || offset + shown < total) && (
        <span className="row">
          <Button className="small" disabled={offset === 0} onClick={() => onOffset(Math.max(0, offset - limit))}>
            Previous
          </Button>
          <Button className="small" disabled={offset + shown >= total} onClick={() => onOffset(offset + limit)}>
            Next
          </Button>
        </span>
      )}
    </nav>
  );
}
