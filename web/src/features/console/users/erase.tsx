import type { ReactNode } from 'react';
import { Badge, Confirm, FaultNote, Time, useUrlState } from '../../../ui';
import { counted, figure, isGone } from '../records/pieces';
import { type Erasure, type OneUser, useConnectionCount, useErase, useErasure, type UserDetail } from './data';

interface EraseProps {
  readonly user: OneUser;
  readonly detail: UserDetail;
  readonly onClose: () => void;
}

/** Says what will go, in numbers, and asks for the id. */
export function EraseUser({ user, detail, onClose }: EraseProps): ReactNode {
  const erase = useErase(user);
  const [, setErasureId] = useUrlState('erasure');
  const open = useConnectionCount(user);
  const more = detail.next === null ? '' : 'more than ';
  return (
    <Confirm
      title={`Erase ${user.userId}?`}
      name={user.userId}
      action="Erase"
      onConfirm={async () => setErasureId(await erase())}
      onClose={onClose}
    >
      <p>
        <strong>
          {open === undefined
            ? 'Their connections are closed'
            : `${open.more ? 'More than ' : ''}${counted(open.count, 'connection')} of theirs ${open.count === 1 ? 'is' : 'are'} closed`}
          , and they leave {more}
          {counted(detail.memberships.length, 'room')}.
        </strong>
      </p>
      <p>
        All that they have written goes: messages become empty places, chats go whole, and where an id has to stand it
        is one that names nobody. What others wrote stays. Calls as this user are refused for 24 hours. Nothing brings
        it back.
      </p>
      {detail.legal_hold && (
        <p className="warning">A legal hold is on this user: the erase is refused as long as it lasts.</p>
      )}
    </Confirm>
  );
}

const STATES: Readonly<Record<Erasure['state'], readonly ['good' | 'warn' | 'bad', string]>> = {
  refusing: ['warn', 'calls are refused, nothing has gone yet'],
  erasing: ['warn', 'under way'],
  done: ['good', 'done: nothing of this user is left'],
  failed: ['bad', 'given up'],
};

interface ErasurePanelProps {
  readonly user: OneUser;
  readonly erasureId: string;
}

/** How far an erase is, and afterwards what has gone. */
export function ErasurePanel({ user, erasureId }: ErasurePanelProps): ReactNode {
  const { data, error } = useErasure(user.tenantId, erasureId);
  if (isGone(error)) return <p className="muted">The erase that the address names is not known.</p>;
  return (
    <section className="card panel stack" aria-labelledby="erasure">
      <div className="row">
        <h2 id="erasure">Erase</h2>
        <span role="status">{data !== undefined && <StateBadge state={data.state} />}</span>
      </div>
      {error !== null && <FaultNote fault={error} />}
      {data !== undefined && <Progress erasure={data} />}
    </section>
  );
}

function StateBadge({ state }: Pick<Erasure, 'state'>): ReactNode {
  const [tone, words] = STATES[state];
  return <Badge tone={tone}>{words}</Badge>;
}

function Progress({ erasure }: { readonly erasure: Erasure }): ReactNode {
  const counts = Object.entries(erasure.counts).filter(([, count]) => count > 0);
  return (
    <>
      <p className="muted small">
        Asked for <Time at={erasure.requested_at} />
        {erasure.finished_at !== null && (
          <>
            , ended <Time at={erasure.finished_at} />
          </>
        )}
        . Certificate: <code>{erasure.erasure_id}</code>
      </p>
      {erasure.error !== null && <p className="warning">{erasure.error}. Ask for it again.</p>}
      {counts.length > 0 && (
        <ul className="kinds" aria-label="What has gone or was changed">
          {counts.map(([kind, count]) => (
            <li key={kind}>
              <span>{kind.replaceAll('_', ' ')}</span> <span>{figure(count)}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
