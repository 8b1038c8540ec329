import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import { ApiFault } from '../../../../api/client';
import { Badge, Button, Empty, FaultNote, FormDialog, Loading, Time } from '../../../../ui';
import { bytes } from '../../live/format';
import { useSendings } from '../../sending';
import type { Tenant } from '../../tenant';
import { type Import, type ImportRef, kindWords, pathOf, SOURCES, STATES, useImport, useImportActing } from './data';
import { ImportFaults } from './faults';
import { FileStep } from './file-step';

const NOT_FOUND = 404;
const NUMBER = new Intl.NumberFormat();

interface OneImportProps {
  readonly tenant: Tenant;
  readonly importId: string;
}

/** One import, from the file to what it has made. It may be left at any time, and stands where it is. */
export function OneImport({ tenant, importId }: OneImportProps): ReactNode {
  const ref = { tenantId: tenant.tenant_id, importId };
  const { data, error } = useImport(ref);
  const all = <Link href={`/tenants/${tenant.tenant_id}/imports`}>All imports</Link>;
  if (error instanceof ApiFault && error.status === NOT_FOUND)
    return (
      <Empty title="The tenant has no import with this id">
        <p>{all}</p>
      </Empty>
    );
  return (
    <section className="stack">
      <p className="small">{all}</p>
      {error !== null && <FaultNote fault={error} />}
      {data === undefined && error === null && <Loading />}
      {data !== undefined && <Steps tenant={tenant} importRef={ref} now={data} />}
    </section>
  );
}

interface StepsProps {
  readonly tenant: Tenant;
  readonly importRef: ImportRef;
  readonly now: Import;
}

function Steps({ tenant, importRef, now }: StepsProps): ReactNode {
  const sending = useSendings().get(now.import_id);
  const [tone, words] = STATES[now.state];
  return (
    <>
      <div className="page-head">
        <div className="row">
          <h2>Import from {SOURCES[now.source][0]}</h2>
          <Badge tone={tone}>{words}</Badge>
        </div>
        <span className="muted small">
          begun <Time at={now.created_at} />
        </span>
      </div>
      <ol className="card steps">
        <FileStep importRef={importRef} now={now} sending={sending} />
        <CheckStep now={now} importRef={importRef} />
        <LoadStep now={now} importRef={importRef} tenant={tenant} />
      </ol>
      {now.fault_count > 0 && <ImportFaults now={now} />}
    </>
  );
}

interface StepProps {
  readonly now: Import;
  readonly importRef: ImportRef;
}

function CheckStep({ now, importRef }: StepProps): ReactNode {
  const { state, fault_count: faults, error, keeps_ids: ids } = now;
  const { act, fault, isBusy } = useAct(importRef);
  const isFailed = state === 'failed' && ids === null;
  const validate = (): void =>
    act((api) =>
      api.POST('/admin/tenants/{tenant_id}/imports/{import_id}/validate', { params: { path: pathOf(importRef) } }),
    );
  const isPassed = ['valid', 'running', 'done'].includes(state) || (state === 'failed' && !isFailed);
  return (
    <li
      data-step={isPassed ? 'done' : state === 'invalid' || isFailed ? 'bad' : state === 'validating' ? 'now' : 'next'}
    >
      <h3>Check</h3>
      <div role="status">
        {state === 'validating' && (
          <>
            <p>Every line is looked at. Nothing is written.</p>
            <progress aria-label="The file is being checked" />
          </>
        )}
        {isPassed && <p>No fault found: the file can be taken in.</p>}
        {state === 'invalid' && (
          <p>
            <strong>{faults === 1 ? '1 fault' : `${NUMBER.format(faults)} faults`}</strong>, listed below. Nothing was
            written. Put the file right, and begin a new import with it.
          </p>
        )}
      </div>
      {state === 'uploading' && <p className="muted">Begins by itself when the file is there.</p>}
      {isFailed && (
        <>
          <p className="warning">{error}</p>
          <Button isBusy={isBusy} onClick={validate}>
            Check it again
          </Button>
        </>
      )}
      {fault !== undefined && <FaultNote fault={fault} />}
    </li>
  );
}

function LoadStep({ now, importRef, tenant }: StepProps & { readonly tenant: Tenant }): ReactNode {
  const { state, error, keeps_ids: ids, finished_at: ended } = now;
  const [isAsking, setAsking] = useState(false);
  const isFailed = state === 'failed' && ids !== null;
  const hasBegun = state === 'running' || state === 'done' || isFailed;
  return (
    <li
      data-step={
        state === 'done' ? 'done' : isFailed ? 'bad' : state === 'running' || state === 'valid' ? 'now' : 'next'
      }
    >
      <h3>Take in</h3>
      {!hasBegun && state !== 'valid' && <p className="muted">When the file was found good, you say so.</p>}
      {state === 'valid' && (
        <Button tone="main" onClick={() => setAsking(true)}>
          Take it in …
        </Button>
      )}
      {state === 'running' && (
        <>
          <p>A room is seen when it is whole. You may leave this page: it goes on without you.</p>
          <progress aria-label="The file is being taken in" />
        </>
      )}
      {isFailed && (
        <>
          <p className="warning">{error}</p>
          <Button tone="main" onClick={() => setAsking(true)}>
            Go on where it was …
          </Button>
        </>
      )}
      {state === 'done' && (
        <p>
          All of it is there since <Time at={ended} />
          {ids === true ? ', with the ids of the file.' : ', with new ids: the tenant had rooms before.'}
        </p>
      )}
      {hasBegun && <Made counts={now.counts} isOver={state === 'done'} />}
      {isAsking && <Start {...{ now, importRef, tenant }} onClose={() => setAsking(false)} />}
    </li>
  );
}

interface MadeProps {
  readonly counts: Import['counts'];
  readonly isOver: boolean;
}

/** What the import has made so far, by kinds. */
function Made({ counts, isOver }: MadeProps): ReactNode {
  const made = Object.entries(counts).filter(([, count]) => count > 0);
  if (made.length === 0)
    return isOver ? <p className="muted">Everything in the file was there already: nothing was made.</p> : null;
  return (
    <dl className="made" aria-label="What it has made">
      {made.map(([kind, count]) => (
        <div key={kind}>
          <dt>{kindWords(kind, count)}</dt>
          <dd>{NUMBER.format(count)}</dd>
        </div>
      ))}
    </dl>
  );
}

interface StartProps extends StepProps {
  readonly tenant: Tenant;
  readonly onClose: () => void;
}

function Start({ now, importRef, tenant, onClose }: StartProps): ReactNode {
  const acting = useImportActing(importRef);
  const start = async (): Promise<void> => {
    await acting((api) =>
      api.POST('/admin/tenants/{tenant_id}/imports/{import_id}/start', { params: { path: pathOf(importRef) } }),
    );
    onClose();
  };
  return (
    <FormDialog {...{ title: `Take this file into ${tenant.name}?`, action: 'Take it in', onSubmit: start, onClose }}>
      <p>
        <strong>{bytes(now.bytes)} were checked, with no fault.</strong> All of it becomes part of {tenant.name}, room
        by room. What is there already is never changed, and the same file again changes nothing.
      </p>
      <p>
        Into a tenant without a room the ids of the file are kept; else what is made gets new ones. Nobody is told, no
        webhook is posted, and all members have read everything. There is no way back but to delete the rooms, or the
        tenant.
      </p>
    </FormDialog>
  );
}

interface Acting {
  readonly act: (call: Parameters<ReturnType<typeof useImportActing>>[0]) => void;
  readonly isBusy: boolean;
  readonly fault: unknown;
}

function useAct(ref: ImportRef): Acting {
  const acting = useImportActing(ref);
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  return {
    isBusy,
    fault,
    act: (call) => {
      setBusy(true);
      setFault(undefined);
      acting(call)
        .catch(setFault)
        .finally(() => setBusy(false));
    },
  };
}
