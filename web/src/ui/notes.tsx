import type { ReactNode } from 'react';
import { CopyButton } from './button';

type Tone = 'plain' | 'good' | 'warn' | 'bad';

export function Badge({ tone = 'plain', children }: { readonly tone?: Tone; readonly children: ReactNode }): ReactNode {
  return (
    <span className="badge" data-tone={tone}>
      {children}
    </span>
  );
}

interface EmptyProps {
  readonly title: string;
  /** What to do next, with the command or the button for it. */
  readonly children: ReactNode;
}

/** Where a list has nothing to show. */
export function Empty({ title, children }: EmptyProps): ReactNode {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** What is known of an error by whoever shows it. */
interface Told {
  readonly message: string;
  readonly code?: string;
  readonly requestId?: string | undefined;
}

/** An error in words, with the id under which the server's log has it. */
export function FaultNote({ fault }: { readonly fault: unknown }): ReactNode {
  const { message, code, requestId }: Told = fault instanceof Error ? fault : { message: String(fault) };
  return (
    <div className="fault" role="alert">
      <p>{message}</p>
      {requestId !== undefined && (
        <p className="row small">
          <code>
            {code} · {requestId}
          </code>
          <CopyButton text={requestId} label="Copy id" />
        </p>
      )}
    </div>
  );
}

export function Loading({ what = 'Loading' }: { readonly what?: string }): ReactNode {
  return (
    <p className="loading muted" role="status">
      {what} …
    </p>
  );
}
