import { type ReactNode, useState } from 'react';
import { ApiFault } from '../../../api/client';
import { useSession } from '../../../api/session';
import { Badge, Empty, FaultNote, Loading, useUrlChoice } from '../../../ui';
import '../work/work.css';
import { Channels } from './channels';
import { useEnvironment } from './data';
import { Faults } from './faults';
import { Presets } from './presets';

const NOT_FOUND = 404;
const TABS = [
  ['channels', 'Channels'],
  ['presets', 'Presets'],
] as const;

/** The ways to models, and how assistants are asked to behave. */
export default function ModelsPage(): ReactNode {
  const { credential } = useSession();
  const [tab, setTab] = useUrlChoice('tab', ['channels', 'presets']);
  const [said, setSaid] = useState<string>();
  return (
    <>
      <div className="page-head">
        <h1>Models</h1>
      </div>
      {credential.kind === 'master' ? (
        <Environment />
      ) : (
        <>
          <div className="tabs" role="group" aria-label="Of models">
            {TABS.map(([one, title]) => (
              <button key={one} type="button" aria-pressed={one === tab} onClick={() => setTab(one)}>
                {title}
              </button>
            ))}
          </div>
          <div role="status">{said !== undefined && <p className="result">{said}</p>}</div>
          {tab === 'channels' ? <Channels onSaid={setSaid} /> : <Presets onSaid={setSaid} />}
        </>
      )}
    </>
  );
}

/** What the master key may see. */
function Environment(): ReactNode {
  const { data, error } = useEnvironment();
  const isNone = error instanceof ApiFault && error.status === NOT_FOUND;
  return (
    <>
      <Empty title="Channels and presets are a tenant’s own">
        <p>To see and change them, sign in with a key of that tenant that has the scope admin.</p>
      </Empty>
      <section className="stack">
        <h2>The server’s own channel</h2>
        {data === undefined && error === null && <Loading />}
        {isNone && (
          <p className="muted">
            There is none: tenants without channels are answered by the echo. <code>OPENAI_API_KEY</code> or{' '}
            <code>OPENAI_BASE_URL</code> in the server’s environment sets one.
          </p>
        )}
        {error !== null && !isNone && <FaultNote fault={error} />}
        {data !== undefined && (
          <>
            <dl className="facts">
              <dt>Name</dt>
              <dd>{data.name}</dd>
              <dt>Provider</dt>
              <dd>
                <Badge>{data.provider}</Badge>
              </dd>
              <dt>Address</dt>
              <dd className="wrapped">{data.baseUrl}</dd>
              <dt>Model</dt>
              <dd>{data.model}</dd>
            </dl>
            <Faults faults={data.lastFaults} />
          </>
        )}
      </section>
    </>
  );
}
