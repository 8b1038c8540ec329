import { type ReactNode, type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { Button } from '../../ui';
import type { Room, RoomLog, RoomMessage } from '../../socket';
import { Composer } from './composer';
import { MessageRow, OutgoingRow } from './message';
import type { Person } from './person';

/** As many messages are rendered at the end, however many there are; scrolling up adds as many again. */
const ROWS_AT_END = 50;
const NEAR_TOP_PX = 300;
/** Who is so near the end follows what comes. */
const NEAR_END_PX = 80;

interface TalkProps {
  readonly person: Person;
  readonly roomId: string;
}

/** One room: its messages, who types, and what the person says. */
export function Talk({ person, roomId }: TalkProps): ReactNode {
  const { client, rooms } = person;
  const room = client.room(roomId);
  const entry = rooms.entry(roomId);
  if (room === undefined || entry === undefined)
    return <p className="nothing muted">This room is gone, or {person.userId} is not in it any more.</p>;
  return (
    <div className="talk">
      <TalkHeader person={person} roomId={roomId} name={entry.name} />
      <Messages person={person} room={room} />
      <Typists room={room} />
      <Composer
        label={`Message to ${entry.name} as ${person.userId}`}
        placeholder={`Message ${entry.name}`}
        draft={person.drafts.get(roomId) ?? ''}
        onDraft={(text) => {
          person.drafts.set(roomId, text);
          if (text === '') client.stopTyping();
          else client.typing(roomId);
        }}
        onSend={(text) => client.send(roomId, text)}
      />
    </div>
  );
}

function TalkHeader({ person, roomId, name }: TalkProps & { readonly name: string }): ReactNode {
  const members = person.rooms.members(roomId);
  const isOnline = (user: string): boolean =>
    user === person.userId ? person.client.connection.isOpen : person.client.online.has(user);
  return (
    <header className="talk-header">
      <h3>{name}</h3>
      <ul aria-label="Members">
        {members.slice(0, 8).map(({ user_id: user }) => (
          <li key={user} className="member">
            <span className="dot" data-tone={isOnline(user) ? 'good' : undefined} />
            {user}
            <span className="hidden-text">{isOnline(user) ? ' online' : ' offline'}</span>
          </li>
        ))}
        {members.length > 8 && <li className="muted">and {members.length - 8} more</li>}
      </ul>
    </header>
  );
}

function Messages({ person, room }: { readonly person: Person; readonly room: Room }): ReactNode {
  const { log } = room;
  const { messages } = log;
  const outgoing = person.client.outbox.of(room.roomId);
  const { list, from, scrolled } = useTail(log);
  return (
    <div className="messages" ref={list} role="log" aria-label="Messages" tabIndex={0} onScroll={scrolled}>
      {log.hasEarlier && from === 0 && <Earlier person={person} roomId={room.roomId} />}
      {messages.length + outgoing.length === 0 && !log.hasEarlier && (
        <p className="nothing muted">Nothing was said yet. Write the first message.</p>
      )}
      {messages.slice(from).map((message) => (
        <LoggedRow key={keyOf(message)} person={person} room={room} message={message} />
      ))}
      {outgoing.map((message) => (
        <OutgoingRow
          key={`${person.userId} ${message.clientMessageId}`}
          outbox={person.client.outbox}
          message={message}
        />
      ))}
    </div>
  );
}

/** One row, whether it is on its way or stored. */
function keyOf({ sender_id: sender, client_message_id: clientId, message_id: id }: RoomMessage): string {
  return clientId === null ? id : `${sender} ${clientId}`;
}

interface Tail {
  readonly list: RefObject<HTMLDivElement | null>;
  /** Index of the first message that is rendered. */
  readonly from: number;
  readonly scrolled: () => void;
}

/**
 * The rows that are rendered: at the end the newest few, which follow what comes; whoever scrolls up gets more, and what
 * they read stays where it is.
 */
function useTail({ messages, oldestSeq }: RoomLog): Tail {
  const list = useRef<HTMLDivElement>(null);
  const [firstSeq, setFirstSeq] = useState<number>();
  const follows = firstSeq === undefined;
  const from = follows ? Math.max(0, messages.length - ROWS_AT_END) : Math.max(0, firstSeq - oldestSeq);
  const shownFirst = oldestSeq + from;
  const before = useRef({ first: shownFirst, height: 0 });
  useLayoutEffect(() => {
    const shown = list.current;
    if (shown === null) return;
    const { first, height } = before.current;
    if (follows) shown.scrollTop = shown.scrollHeight;
    else if (shownFirst < first) shown.scrollTop += shown.scrollHeight - height;
    before.current = { first: shownFirst, height: shown.scrollHeight };
  });
  const scrolled = (): void => {
    const shown = list.current;
    if (shown === null) return;
    const isNearEnd = shown.scrollHeight - shown.scrollTop - shown.clientHeight < NEAR_END_PX;
    if (isNearEnd) setFirstSeq(undefined);
    else if (shown.scrollTop < NEAR_TOP_PX && from > 0) setFirstSeq(shownFirst - ROWS_AT_END);
    else setFirstSeq(shownFirst);
  };
  return { list, from, scrolled };
}

interface LoggedRowProps {
  readonly person: Person;
  readonly room: Room;
  readonly message: RoomMessage;
}

function LoggedRow({ person, room, message }: LoggedRowProps): ReactNode {
  const { seq, sender_id: sender } = message;
  const isMine = sender === person.userId;
  const readers = isMine ? [...room.readBy].filter(([user, upTo]) => user !== sender && upTo >= seq) : [];
  const mark = seq <= room.read ? 'read' : seq <= room.acked ? 'acked' : 'not acked yet';
  return (
    <>
      <CameTogether absence={room.log.absences.find(({ fromSeq }) => fromSeq === seq)} userId={person.userId} />
      <MessageRow
        rooms={person.rooms}
        message={message}
        isMine={isMine}
        mark={isMine ? (readers.length === 0 ? 'stored' : `read by ${readers.map(([user]) => user).join(', ')}`) : mark}
      />
    </>
  );
}

interface CameTogetherProps {
  readonly absence: { readonly fromSeq: number; readonly toSeq: number } | undefined;
  readonly userId: string;
}

/** Stands where a catch-up begins. */
function CameTogether({ absence, userId }: CameTogetherProps): ReactNode {
  if (absence === undefined) return null;
  const { fromSeq, toSeq } = absence;
  const count = toSeq - fromSeq + 1;
  return (
    <p className="came-together">
      {count === 1 ? '1 message' : `${count} messages`} caught up when {userId} came back: #{fromSeq}
      {count > 1 && ` to #${toSeq}`}, no gap
    </p>
  );
}

function Earlier({ person, roomId }: TalkProps): ReactNode {
  const [isBusy, setBusy] = useState(false);
  const fetch = (): void => {
    setBusy(true);
    person.attempt(person.rooms.earlier(roomId).finally(() => setBusy(false)));
  };
  return (
    <p className="earlier">
      <Button className="small" isBusy={isBusy} onClick={fetch}>
        {isBusy ? 'Fetching …' : 'Show earlier messages'}
      </Button>
    </p>
  );
}

const LOOK_AGAIN_MS = 1000;

function Typists({ room }: { readonly room: Room }): ReactNode {
  const [now, setNow] = useState(() => Date.now());
  // Typing ends by the clock where no end is told.
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const typists = room.typing(now);
  return (
    <div className="typists muted small" role="status">
      {typists.length > 0 && `${typists.join(', ')} ${typists.length === 1 ? 'is' : 'are'} typing …`}
      {room.drafts.map(({ senderId, text }) => (
        <p key={senderId}>
          {senderId}: {text}
        </p>
      ))}
    </div>
  );
}
