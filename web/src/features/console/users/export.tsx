import { type ReactNode, useState } from 'react';
import { Badge, Button, FaultNote, Time, useUrlState } from '../../../ui';
import { bytes, counted, isGone } from '../records/pieces';
import { type Export, type OneUser, useAskExport, useDownload, useExport } from './data';

const STATES: Readonly<Record<Export['state'], readonly ['plain' | 'good' | 'warn' | 'bad', string]>> = {
  queued: ['warn', 'waits'],
  running: ['warn', 'is written'],
  ready: ['good', 'ready'],
  failed: ['bad', 'failed'],
  expired: ['plain', 'expired'],
};

/** A file with all that there is of a user. Which one is asked about stands in the address. */
export function ExportPanel({ user }: { readonly user: OneUser }): ReactNode {
  const [exportId, setExportId] = useUrlState('export');
  const ask = useAskExport(user);
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const begin = (): void => {
    setBusy(true);
    setFault(undefined);
    ask()
      .then(setExportId, setFault)
      .finally(() => setBusy(false));
  };
  return (
    <section className="card panel stack" aria-labelledby="export">
      <div className="page-head">
        <h2 id="export">Their data as a file</h2>
        <Button isBusy={isBusy} onClick={begin}>
          {exportId === '' ? 'Ask for the file' : 'Ask for a new file'}
        </Button>
      </div>
      {exportId === '' && (
        <p className="muted">
          Profile, memberships, own messages, positions, notifications and chats, as lines of JSON (gzip). Nothing that
          others have written to them.
        </p>
      )}
      {fault !== undefined && <FaultNote fault={fault} />}
      {exportId !== '' && <Progress key={exportId} user={user} exportId={exportId} />}
    </section>
  );
}

interface ProgressProps {
  readonly user: OneUser;
  readonly exportId: string;
}

function Progress({ user, exportId }: ProgressProps): ReactNode {
  const { data, error } = useExport(user, exportId);
  if (isGone(error)) return <p className="muted">The file that the address names is not known any more.</p>;
  if (data === undefined) return error === null ? null : <FaultNote fault={error} />;
  const [tone, word] = STATES[data.state];
  return (
    <div className="row">
      <span role="status">
        <Badge tone={tone}>{word}</Badge>
      </span>
      {data.state === 'ready' && (
        <>
          <Download user={user} exportId={exportId} />
          <span>
            {counted(data.lines ?? 0, 'line')}, {bytes(data.bytes ?? 0)}
          </span>
          <span className="muted small">
            kept until <Time at={data.expires_at} isExact />
          </span>
        </>
      )}
      {data.state === 'failed' && <span>{data.error}</span>}
      {data.state === 'expired' && <span className="muted">The file is gone; ask for a new one.</span>}
      {(data.state === 'queued' || data.state === 'running') && (
        <span className="muted small">
          asked for <Time at={data.created_at} />
        </span>
      )}
    </div>
  );
}

function Download({ user, exportId }: ProgressProps): ReactNode {
  const download = useDownload(user, exportId);
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const start = (): void => {
    setBusy(true);
    setFault(undefined);
    download()
      .catch(setFault)
      .finally(() => setBusy(false));
  };
  return (
    <>
      <Button tone="main" isBusy={isBusy} onClick={start}>
        Download
      </Button>
      {fault !== undefined && <FaultNote fault={fault} />}
    </>
  );
}
