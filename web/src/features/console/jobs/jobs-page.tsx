import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { bodyOf, type components, useApi } from '../../../api/client';
import { useSession } from '../../../api/session';
import {
  Badge,
  Button,
  Choice,
  Confirm,
  Empty,
  FaultNote,
  Id,
  Loading,
  Table,
  Time,
  useUrlChoice,
  useUrlState,
} from '../../../ui';
import { useTenant } from '../tenant';
import { type CursorList, PAGE_ROWS, useCursorList } from '../work/cursor';
import '../work/work.css';

type Job = components['schemas']['JobDto'];
type Kind = components['schemas']['JobKindDto'];
type Jobs = components['schemas']['JobsDto'];
type State = Job['state'];

const EVERY_MS = 5000;
const NUMBER = new Intl.NumberFormat();
const STATES = [
  ['dead', 'Given up'],
  ['running', 'Running'],
  ['queued', 'Waiting'],
] as const;
const TONES = { dead: 'bad', running: 'good', queued: 'plain' } as const;
const WORDS = { dead: 'given up', running: 'running', queued: 'waiting' } as const;

function useJobs(state: State, kind: string): CursorList<Job, Jobs> {
  const api = useApi();
  const [tenantId] = useTenant();
  return useCursorList(
    ['jobs', tenantId, state, kind],
    (cursor) => {
      const query = {
        ...{ state, limit: PAGE_ROWS },
        ...(tenantId !== undefined && { tenant_id: tenantId }),
        ...(kind !== '' && { kind }),
        ...(cursor !== undefined && { cursor }),
      };
      return bodyOf(api.GET('/admin/jobs', { params: { query } }));
    },
    EVERY_MS,
  );
}

/** What the server has to do, by kind, and what it gave up. */
export default function JobsPage(): ReactNode {
  const [tenantId] = useTenant();
  const [asked, setState] = useUrlChoice<State>('state', ['dead', 'running', 'queued']);
  const [kind, setKind] = useUrlState('kind');
  // Of all tenants what waits is counted, not listed.
  const state = tenantId === undefined && asked === 'queued' ? 'dead' : asked;
  const { items, first, error, onMore, isFetching } = useJobs(state, kind);
  const states = tenantId === undefined ? STATES.filter(([one]) => one !== 'queued') : STATES;
  return (
    <>
      <div className="page-head">
        <h1>Jobs</h1>
      </div>
      {error !== null && <FaultNote fault={error} />}
      {first === undefined && error === null && <Loading />}
      {first !== undefined && <Kinds kinds={first.kinds} kind={kind} onKind={setKind} />}
      <div className="page-head">
        <h2>{kind === '' ? 'One by one' : kind}</h2>
        <div className="filters" role="search" aria-label="Filter">
          <Choice label="State" value={state} options={states} onValue={setState} />
          {kind !== '' && <Button onClick={() => setKind('')}>All kinds</Button>}
        </div>
      </div>
      {items?.length === 0 && <Nothing state={state} />}
      {items !== undefined && items.length > 0 && <Rows {...{ items, onMore, isFetching }} />}
      {tenantId === undefined && (
        <p className="muted small">To see the jobs that wait one by one, choose a tenant at the top.</p>
      )}
    </>
  );
}

interface KindsProps {
  readonly kinds: readonly Kind[];
  readonly kind: string;
  readonly onKind: (kind: string) => void;
}

function Kinds({ kinds, kind, onKind }: KindsProps): ReactNode {
  if (kinds.length === 0)
    return (
      <Empty title="Nothing is to be done">
        <p>No job waits, runs or was given up{kind === '' ? '' : ` of the kind ${kind}`}.</p>
      </Empty>
    );
  return (
    <Table
      label="Jobs by kind"
      rows={kinds}
      keyOf={({ kind: name }) => name}
      columns={[
        {
          title: 'Kind',
          cell: ({ kind: name }) => (
            <button
              type="button"
              className="kind-button"
              aria-pressed={name === kind}
              onClick={() => onKind(name === kind ? '' : name)}
            >
              {name}
            </button>
          ),
        },
        { title: 'Waiting', isFigure: true, cell: ({ queued }) => NUMBER.format(queued) },
        { title: 'Running', isFigure: true, cell: ({ running }) => NUMBER.format(running) },
        {
          title: 'Given up',
          isFigure: true,
          cell: ({ dead }) => (dead === 0 ? '0' : <Badge tone="bad">{NUMBER.format(dead)}</Badge>),
        },
        { title: 'Oldest is due', cell: ({ oldest_due_at: at }) => <Time at={at} /> },
      ]}
    />
  );
}

function Nothing({ state }: { readonly state: State }): ReactNode {
  return (
    <Empty title={state === 'dead' ? 'No job was given up' : `No job is ${WORDS[state]}`}>
      <p>
        {state === 'dead'
          ? 'A job that fails is tried again; after its last attempt it is listed here, with its error.'
          : 'A job that is done is gone. Those that failed for good are under “Given up”.'}
      </p>
    </Empty>
  );
}

interface RowsProps {
  readonly items: readonly Job[];
  readonly onMore: (() => void) | undefined;
  readonly isFetching: boolean;
}

function Rows({ items, onMore, isFetching }: RowsProps): ReactNode {
  const { credential } = useSession();
  const [chosen, setChosen] = useState<Job>();
  const canRun = credential.kind === 'master';
  return (
    <>
      <Table
        label="Jobs"
        rows={items}
        keyOf={({ job_id: id }) => id}
        onMore={onMore}
        isFetching={isFetching}
        columns={[
          { title: 'Job', cell: What },
          { title: 'State', cell: ({ state }) => <Badge tone={TONES[state]}>{WORDS[state]}</Badge> },
          {
            title: 'Last error',
            cell: ({ last_error: error }) => (error === null ? '–' : <div className="wrapped">{error}</div>),
          },
          { title: 'Attempts', isFigure: true, cell: ({ attempts }) => attempts },
          { title: 'Due', cell: ({ due_at: at, state }) => <Time at={state === 'dead' ? null : at} /> },
          { title: 'Given up', cell: ({ dead_at: at }) => <Time at={at} /> },
          ...(canRun
            ? [
                {
                  title: 'Actions',
                  cell: (job: Job) =>
                    job.state !== 'running' && (
                      <Button className="small" aria-label={`Run now ${job.job_id}`} onClick={() => setChosen(job)}>
                        Run now
                      </Button>
                    ),
                },
              ]
            : []),
        ]}
      />
      {!canRun && <p className="muted small">To run a job at once, sign in with the master key.</p>}
      {chosen !== undefined && <RunJob job={chosen} onClose={() => setChosen(undefined)} />}
    </>
  );
}

function What({ kind, job_id: id, tenant_id: tenant, about }: Job): ReactNode {
  const told = Object.entries(about).map(([name, value]) => `${name} ${String(value)}`);
  return (
    <>
      <strong>{kind}</strong> <span className="muted small">{[tenant, ...told].join(' · ')}</span>
      <br />
      <Id id={id} />
    </>
  );
}

function RunJob({ job, onClose }: { readonly job: Job; readonly onClose: () => void }): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const run = async (): Promise<void> => {
    const params = { path: { job_id: job.job_id }, query: { tenant_id: job.tenant_id } };
    try {
      await api.POST('/admin/jobs/{job_id}/run', { params });
    } finally {
      await queries.invalidateQueries({ queryKey: ['jobs'] });
    }
  };
  return (
    <Confirm title={`Run ${job.kind} now?`} action="Run now" onConfirm={run} onClose={onClose}>
      <p>
        {job.state === 'dead'
          ? `It was given up after ${job.attempts} attempts. It gets all of them again and begins at once.`
          : 'It does not wait for its time, and begins at once.'}
      </p>
    </Confirm>
  );
}
