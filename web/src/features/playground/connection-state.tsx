import { type ReactNode, useEffect, useState } from 'react';
import { Badge, Button, FaultNote } from '../../ui';
import type { Connection, ConnectionState } from '../../socket';

const STATES: Readonly<Record<ConnectionState, readonly ['plain' | 'good' | 'warn' | 'bad', string]>> = {
  idle: ['plain', 'Not connected'],
  connecting: ['plain', 'Connecting'],
  syncing: ['warn', 'Catching up'],
  recovering: ['warn', 'Reading anew'],
  live: ['good', 'Live'],
  lost: ['bad', 'Lost'],
  waiting: ['bad', 'Lost'],
  closed: ['plain', 'Left'],
  unrecoverable: ['bad', 'Ended'],
};

interface StateProps {
  readonly connection: Connection;
  readonly isCut: boolean;
}

/** Where the connection stands, in a word; where it waits, how long. */
export function State({ connection, isCut }: StateProps): ReactNode {
  const { state, nextAttemptAt } = connection;
  const [tone, words] = STATES[state];
  return (
    <span role="status" className="state-badge">
      <Badge tone={tone}>
        {isCut && state !== 'closed' ? 'Cut' : words}
        {!isCut && state === 'waiting' && nextAttemptAt !== undefined && <Countdown until={nextAttemptAt} />}
      </Badge>
    </span>
  );
}

const SECOND_MS = 1000;

function Countdown({ until }: { readonly until: number }): ReactNode {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), SECOND_MS / 4);
    return () => clearInterval(timer);
  }, []);
  return `, again in ${Math.max(0, Math.ceil((until - now) / SECOND_MS))} s`;
}

/** A connection that does not come back by itself: why, and how it may be tried again. */
export function Ended({ connection }: { readonly connection: Connection }): ReactNode {
  if (connection.state !== 'unrecoverable') return null;
  return (
    <div className="ended">
      <FaultNote fault={connection.fault} />
      <Button className="small" onClick={() => connection.connect()}>
        Connect again
      </Button>
    </div>
  );
}
