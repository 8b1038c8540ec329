import { type ReactNode, useState } from 'react';
import { Badge, Button } from '../../ui';
import { NewRoom } from './new-room';
import type { Person } from './person';

const SIGNS = { dm: '@', group: '◦', channel: '#', ai: '✦' } as const;

/** What a person can open: their rooms, channels to join, chats with the assistant. */
export function Rail({ person }: { readonly person: Person }): ReactNode {
  const [isMaking, setMaking] = useState(false);
  const { rooms, chats } = person;
  return (
    <nav className="person-rail" aria-label={`Rooms of ${person.userId}`}>
      <h3>Rooms</h3>
      <ul>
        {rooms.shown.map(({ roomId, kind, name }) => (
          <Item key={roomId} person={person} kind="room" id={roomId} sign={SIGNS[kind]} name={name} />
        ))}
        {rooms.joinable.map(({ roomId, name }) => (
          <Joinable key={roomId} person={person} roomId={roomId} name={name} />
        ))}
        {rooms.hasMore && <More onMore={() => rooms.more()} />}
        <li>
          <Button tone="quiet" className="small" onClick={() => setMaking(true)}>
            + New room
          </Button>
        </li>
      </ul>
      <h3>Assistant</h3>
      <ul>
        {chats.entries.map(({ id, title }) => (
          <Item key={id} person={person} kind="chat" id={id} sign={SIGNS.ai} name={title ?? 'Chat'} />
        ))}
        {chats.hasMore && <More onMore={() => chats.more()} />}
        <li>
          <NewChat person={person} />
        </li>
      </ul>
      {isMaking && <NewRoom person={person} onClose={() => setMaking(false)} />}
    </nav>
  );
}

interface ItemProps {
  readonly person: Person;
  readonly kind: 'room' | 'chat';
  readonly id: string;
  readonly sign: string;
  readonly name: string;
}

function Item({ person, kind, id, sign, name }: ItemProps): ReactNode {
  const isOpen = person.opened?.kind === kind && person.opened.id === id;
  const unread = kind === 'room' && !isOpen ? person.rooms.unread(id) : 0;
  return (
    <li>
      <button
        type="button"
        className="rail-item"
        aria-current={isOpen ? 'page' : undefined}
        onClick={() => person.open({ kind, id })}
      >
        <span className="sign" aria-hidden="true">
          {sign}
        </span>
        <span className="rail-name">{name}</span>
        {unread > 0 && (
          <span className="unread">
            {unread}
            <span className="hidden-text"> unread</span>
          </span>
        )}
      </button>
    </li>
  );
}

/** @returns what to do, what is under way, and a function for errors: they are the person's. */
function useWork(person: Person): readonly [boolean, (work: () => Promise<void>) => void] {
  const [isBusy, setBusy] = useState(false);
  const run = (work: () => Promise<void>): void => {
    setBusy(true);
    person.attempt(work().finally(() => setBusy(false)));
  };
  return [isBusy, run];
}

function Joinable({
  person,
  roomId,
  name,
}: {
  readonly person: Person;
  readonly roomId: string;
  readonly name: string;
}): ReactNode {
  const [isBusy, run] = useWork(person);
  const join = async (): Promise<void> => {
    await person.rooms.join(roomId);
    person.open({ kind: 'room', id: roomId });
  };
  return (
    <li>
      <button type="button" className="rail-item muted" disabled={isBusy} onClick={() => run(join)}>
        <span className="sign" aria-hidden="true">
          #
        </span>
        <span className="rail-name">{name}</span>
        <Badge>Join</Badge>
      </button>
    </li>
  );
}

function NewChat({ person }: { readonly person: Person }): ReactNode {
  const [isBusy, run] = useWork(person);
  const make = async (): Promise<void> => {
    const id = await person.chats.create(`Chat ${person.chats.entries.length + 1}`);
    person.open({ kind: 'chat', id });
  };
  return (
    <Button tone="quiet" className="small" isBusy={isBusy} onClick={() => run(make)}>
      + New chat
    </Button>
  );
}

function More({ onMore }: { readonly onMore: () => Promise<void> }): ReactNode {
  const [isBusy, setBusy] = useState(false);
  return (
    <li>
      <Button
        tone="quiet"
        className="small"
        isBusy={isBusy}
        onClick={() => {
          setBusy(true);
          void onMore()
            .catch(() => undefined)
            .finally(() => setBusy(false));
        }}
      >
        Show more
      </Button>
    </li>
  );
}
