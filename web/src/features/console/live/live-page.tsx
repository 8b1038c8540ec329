import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { type ApiFault, bodyOf, checkSession, useApi } from '../../../api/client';
import { subscribe } from '../../../api/events';
import { headersOf, useSession } from '../../../api/session';
import { FaultNote, useUrlChoice } from '../../../ui';
import { useTenant } from '../tenant';
import { Chart } from './chart';
import { CHARTS, type Stats } from './charts';
import { Feed } from './feed';
import './live.css';
import { type Pointer, Readout } from './readout';
import { BusyTenants, Counts, Nodes } from './tables';
import 'uplot/dist/uPlot.min.css';

const RANGES = [
  ['10m', '10 min'],
  ['1h', '1 hour'],
  ['24h', '24 hours'],
  ['7d', '7 days'],
] as const;
type Range = (typeof RANGES)[number][0];
const KEPT_MS = 60_000;
/** All that the server remembers. */
const FROM_THE_FIRST = '0';

type LiveState = 'opening' | 'open' | 'lost';

interface Live {
  readonly feed: Feed;
  readonly state: LiveState;
  readonly fault: ApiFault | undefined;
}

/** What the server does each second, with its last ten minutes. */
function useLive(tenant: string | undefined): Live {
  const session = useSession();
  const [feed] = useState(() => new Feed('live'));
  const [{ state, fault }, setState] = useState<Omit<Live, 'feed'>>({ state: 'opening', fault: undefined });
  useEffect(
    () =>
      subscribe({
        url: `/admin/stats/stream${tenant === undefined ? '' : `?tenant_id=${encodeURIComponent(tenant)}`}`,
        headers: headersOf(session.credential),
        lastEventId: FROM_THE_FIRST,
        onEvent: (data) => feed.add(JSON.parse(data) as Stats),
        onState: (isOpen, why) => {
          setState({ state: isOpen ? 'open' : 'lost', fault: why });
          if (why !== undefined) void checkSession(session, why);
        },
      }),
    [feed, tenant, session],
  );
  return { feed, state, fault };
}

interface Past {
  readonly feed: Feed;
  readonly error: Error | null;
}

/** What was kept of a range. */
function usePast(tenant: string | undefined, range: Range): Past {
  const api = useApi();
  const [feed] = useState(() => new Feed('past'));
  const query = { ...(tenant === undefined ? {} : { tenant_id: tenant }), ...(range === '10m' ? {} : { range }) };
  const { data, error } = useQuery({
    queryKey: ['stats', 'history', query],
    queryFn: () => bodyOf(api.GET('/admin/stats/history', { params: { query } })),
    enabled: range !== '10m',
    refetchInterval: KEPT_MS,
  });
  useEffect(() => {
    if (data !== undefined) feed.fill(data);
  }, [data, feed]);
  return { feed, error };
}

/** What the server does now, and did. */
export default function LivePage(): ReactNode {
  const [tenant] = useTenant();
  return <LiveOf key={tenant ?? ''} tenant={tenant} />;
}

function LiveOf({ tenant }: { readonly tenant: string | undefined }): ReactNode {
  const [range, setRange] = useUrlChoice<Range>('range', ['10m', '1h', '24h', '7d']);
  const live = useLive(tenant);
  const past = usePast(tenant, range);
  const feed = range === '10m' ? live.feed : past.feed;
  const [pointer, setPointer] = useState<Pointer>();
  const charts = CHARTS.filter(
    ({ unknownOfTenant: unknown }) =>
      tenant === undefined || unknown === undefined || (unknown === 'past' && range === '10m'),
  );
  return (
    <>
      <div className="page-head">
        <div className="row">
          <h1>Live</h1>
          <StateOf state={live.state} />
        </div>
        <div className="segments" role="group" aria-label="How far back">
          {RANGES.map(([value, title]) => (
            <button key={value} type="button" aria-pressed={value === range} onClick={() => setRange(value)}>
              {title}
            </button>
          ))}
        </div>
      </div>
      {live.fault !== undefined && live.fault.status !== 0 && <FaultNote fault={live.fault} />}
      {range !== '10m' && past.error !== null && <FaultNote fault={past.error} />}
      <div className="charts">
        {charts.map((spec) => (
          <Chart key={`${spec.id} ${feed.source}`} spec={spec} feed={feed} live={live.feed} onPointer={setPointer} />
        ))}
        <Counts live={live.feed} />
      </div>
      <BusyTenants live={live.feed} />
      <Nodes live={live.feed} />
      {pointer !== undefined && pointer.idx < feed.length && <Readout charts={charts} feed={feed} pointer={pointer} />}
    </>
  );
}

const STATES: Readonly<Record<LiveState, readonly [tone: string, words: string]>> = {
  opening: ['warn', 'connecting'],
  open: ['good', 'each second'],
  lost: ['bad', 'interrupted; goes on by itself'],
};

function StateOf({ state }: { readonly state: LiveState }): ReactNode {
  const [tone, words] = STATES[state];
  return (
    <span className="muted small" role="status">
      <span className="dot" data-tone={tone} /> {words}
    </span>
  );
}
