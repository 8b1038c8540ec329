import { type ReactNode, useMemo, useState } from 'react';
import { Button, CopyButton, Table } from '../../../../ui';
import type { Import, ImportFault } from './data';

const NUMBER = new Intl.NumberFormat();
/** So many kinds are counted above the list. */
const MOST_KINDS = 8;

/** What is wrong with a file: how often which fault is there, then line by line. */
export function ImportFaults({ now: { faults, fault_count: count } }: { readonly now: Import }): ReactNode {
  const [kind, setKind] = useState<string>();
  const kinds = useMemo(() => kindsOf(faults), [faults]);
  const fitting = kind === undefined ? faults : faults.filter((fault) => kindOf(fault) === kind);
  return (
    <section className="stack">
      <div className="page-head">
        <h3>
          {count === 1 ? '1 fault' : `${NUMBER.format(count)} faults`}
          {faults.length < count && (
            <span className="muted"> – the first {NUMBER.format(faults.length)} are listed</span>
          )}
        </h3>
        <CopyButton label="Copy the list" text={() => fitting.map(lineOf).join('\n')} />
      </div>
      {kinds.length > 1 && <Kinds {...{ kinds, kind }} onKind={setKind} />}
      <Table
        label="Faults"
        rows={fitting}
        keyOf={(fault) => lineOf(fault)}
        columns={[
          { title: 'Where', cell: (fault) => <Where fault={fault} /> },
          {
            title: 'Field',
            cell: ({ field }) => (field === '' ? <span className="muted">–</span> : <code>{field}</code>),
          },
          { title: 'What is wrong', cell: ({ message }) => <div className="fault-words">{message}</div> },
        ]}
      />
    </section>
  );
}

interface KindsProps {
  readonly kinds: readonly (readonly [message: string, times: number])[];
  readonly kind: string | undefined;
  readonly onKind: (kind: string | undefined) => void;
}

/** How often which fault is there; a press leaves the others out. */
function Kinds({ kinds, kind, onKind }: KindsProps): ReactNode {
  return (
    <div className="row" role="group" aria-label="By kind">
      <Button className="small" aria-pressed={kind === undefined} onClick={() => onKind(undefined)}>
        All
      </Button>
      {kinds.slice(0, MOST_KINDS).map(([message, times]) => (
        <Button
          key={message}
          className="small fault-kind"
          aria-pressed={kind === message}
          onClick={() => onKind(message)}
        >
          {message} · {NUMBER.format(times)}
        </Button>
      ))}
    </div>
  );
}

function Where({ fault: { line, file } }: { readonly fault: ImportFault }): ReactNode {
  const inFile = line === 0 ? 'the file as a whole' : `line ${NUMBER.format(line)}`;
  if (file === '') return inFile;
  return (
    <>
      {line === 0 ? 'the entry as a whole' : inFile}
      <div className="muted small fault-words">{file}</div>
    </>
  );
}

/** The same fault at different places may name different numbers. */
function kindOf({ message }: ImportFault): string {
  return message.replace(/\d+/g, '…');
}

function kindsOf(faults: readonly ImportFault[]): readonly (readonly [string, number])[] {
  const times = new Map<string, number>();
  for (const fault of faults) times.set(kindOf(fault), (times.get(kindOf(fault)) ?? 0) + 1);
  return [...times].sort(([, one], [, other]) => other - one);
}

function lineOf({ file, line, field, message }: ImportFault): string {
  return [file, line === 0 ? '' : `line ${line}`, field, message].filter((part) => part !== '').join(': ');
}
