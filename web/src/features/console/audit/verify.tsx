import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useApi } from '../../../api/client';
import { Badge, Button, CopyButton, FaultNote } from '../../../ui';
import { type Proof, prove, type Verified } from './data';

const NUMBER = new Intl.NumberFormat();
const WHY: Readonly<Record<NonNullable<Verified['fault']>['why'], string>> = {
  missing: 'it is missing',
  altered: 'it was altered',
  inserted: 'it was put in',
  head: 'the end of the log is not the one that was written',
  unknown_key: 'it was written under a key that this server does not have',
};

/** Proves the log when it is asked to, and says how far it holds. */
export function Verify({ of }: { readonly of: string }): ReactNode {
  const api = useApi();
  const [proof, setProof] = useState<Proof>();
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const stop = useRef(new AbortController());
  useEffect(() => {
    stop.current = new AbortController();
    return () => stop.current.abort();
  }, []);
  const run = (): void => {
    const { signal } = stop.current;
    setBusy(true);
    setFault(undefined);
    setProof(undefined);
    prove(api, of, setProof, signal)
      .catch((error: unknown) => {
        if (!signal.aborted) setFault(error);
      })
      .finally(() => setBusy(false));
  };
  return (
    <>
      <div className="result">
        <Button isBusy={isBusy} onClick={run}>
          Verify
        </Button>
        <div role="status">
          {proof === undefined ? (
            <span className="muted">Proves that no row was altered, removed or put in since it was written.</span>
          ) : (
            <Told proof={proof} isBusy={isBusy} />
          )}
        </div>
      </div>
      {fault !== undefined && <FaultNote fault={fault} />}
    </>
  );
}

function Told({ proof: { rows, last }, isBusy }: { readonly proof: Proof; readonly isBusy: boolean }): ReactNode {
  if (last.fault !== null)
    return (
      <>
        <Badge tone="bad">broken</Badge> It holds up to row {NUMBER.format(last.checked_to)}. Row{' '}
        {NUMBER.format(last.fault.n)}: {WHY[last.fault.why]}.
      </>
    );
  const counted = rows === 1 ? '1 row' : `${NUMBER.format(rows)} rows`;
  if (isBusy) return <>{counted} hold so far …</>;
  return (
    <div className="row">
      <Badge tone="good">holds</Badge> {counted} proven, up to row {NUMBER.format(last.checked_to)}.
      {last.head !== null && (
        <>
          <span className="muted small">Keep its end somewhere else now and then:</span>
          <CopyButton text={headOf(last.head)} label="Copy the end" />
        </>
      )}
    </div>
  );
}

function headOf({ n, mac }: NonNullable<Verified['head']>): string {
  return `${n} ${mac}`;
}
