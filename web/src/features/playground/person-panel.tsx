import type { ReactNode } from 'react';
import { FaultNote, IconButton } from '../../ui';
import { ChatView } from './chat-view';
import { Ended, State } from './connection-state';
import type { Person } from './person';
import { Rail } from './rail';
import { Switch } from './switch';
import { Talk } from './talk';
import { useChanges } from './use-changes';

/** Each way. */
const SLOW_MS = 1500;

interface PersonPanelProps {
  readonly person: Person;
  /** Of the people, from 0: gives the colour. */
  readonly index: number;
  /** On narrow screens one panel is shown at a time. */
  readonly isShown: boolean;
  readonly onRemove: () => void;
}

export function PersonPanel({ person, index, isShown, onRemove }: PersonPanelProps): ReactNode {
  useChanges(person.changes);
  const { opened, fault } = person;
  return (
    <section className="person" aria-label={person.userId} data-shown={isShown}>
      <PersonHeader person={person} index={index} onRemove={onRemove} />
      {fault !== undefined && <FaultNote fault={fault} />}
      <Ended connection={person.client.connection} />
      <div className="person-body">
        <Rail person={person} />
        {opened?.kind === 'room' && <Talk key={opened.id} person={person} roomId={opened.id} />}
        {opened?.kind === 'chat' && <ChatView key={opened.id} person={person} />}
        {opened === undefined && <Nothing isLoaded={person.rooms.isLoaded} />}
      </div>
    </section>
  );
}

function Nothing({ isLoaded }: { readonly isLoaded: boolean }): ReactNode {
  return (
    <p className="nothing muted" role="status">
      {isLoaded
        ? 'No room is open. Join a channel that is listed, or make a room with “New room” and name somebody who is here.'
        : 'Reading the rooms …'}
    </p>
  );
}

function PersonHeader({ person, index, onRemove }: Omit<PersonPanelProps, 'isShown'>): ReactNode {
  const { userId, network, client } = person;
  return (
    <header className="person-header">
      <span className="avatar" data-person={index} aria-hidden="true">
        {userId.slice(0, 1).toUpperCase()}
      </span>
      <h2>{userId}</h2>
      <State connection={client.connection} isCut={network.isCut} />
      <span className="spring" />
      <Switch
        label={`Network of ${userId}`}
        isOn={!network.isCut}
        onSwitch={(isOn) => (isOn ? network.restore() : network.cut())}
      >
        Network
      </Switch>
      <Switch
        label={`Slow network of ${userId}, 1.5 seconds each way`}
        tone="warn"
        isOn={network.delayMs > 0}
        onSwitch={(isOn) => network.setDelay(isOn ? SLOW_MS : 0)}
      >
        Slow
      </Switch>
      <IconButton label={`Remove ${userId}`} onClick={onRemove}>
        ×
      </IconButton>
    </header>
  );
}
