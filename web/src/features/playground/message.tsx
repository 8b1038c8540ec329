import { memo, type ReactNode, useState } from 'react';
import { Button, FaultNote } from '../../ui';
import type { OutgoingMessage, RoomMessage } from '../../socket';
import type { Rooms } from './rooms';

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

interface MessageRowProps {
  readonly rooms: Rooms;
  readonly message: RoomMessage;
  readonly isMine: boolean;
  /** How far it went: stored, acked, read. */
  readonly mark: string;
}

/** One message, with its place in the log and how far it went; its own author may change it. */
export const MessageRow = memo(function MessageRow({ rooms, message, isMine, mark }: MessageRowProps): ReactNode {
  const [doing, setDoing] = useState<'edit' | 'delete'>();
  const { sender_id: sender, content, seq, created_at: at, edited_at: edited, deleted_at: deleted } = message;
  const isThere = deleted === null;
  const done = (): void => setDoing(undefined);
  return (
    <article className="message" data-mine={isMine} data-seq={seq} aria-label={`Message ${seq} of ${sender}`}>
      <header>
        <strong>{sender}</strong>
        <time dateTime={at}>{CLOCK.format(new Date(at))}</time>
        {edited !== null && isThere && <span>edited</span>}
        {isMine && isThere && doing === undefined && (
          <span className="message-actions">
            <button type="button" className="text-button" onClick={() => setDoing('edit')}>
              Edit<span className="hidden-text"> message {seq}</span>
            </button>
            <button type="button" className="text-button" onClick={() => setDoing('delete')}>
              Delete<span className="hidden-text"> message {seq}</span>
            </button>
          </span>
        )}
      </header>
      {doing === 'edit' ? (
        <Editing rooms={rooms} message={message} onDone={done} />
      ) : (
        <p className="content">{isThere ? content : <em className="muted">deleted; its place stays</em>}</p>
      )}
      {doing === 'delete' && <Deleting rooms={rooms} message={message} onDone={done} />}
      <footer>
        <span className="mono">#{seq}</span> <span data-mark={mark.split(' ', 1)[0]}>{mark}</span>
      </footer>
    </article>
  );
});

interface ChangingProps {
  readonly rooms: Rooms;
  readonly message: RoomMessage;
  readonly onDone: () => void;
}

function useChange(onDone: () => void): readonly [unknown, boolean, (work: Promise<void>) => void] {
  const [fault, setFault] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const run = (work: Promise<void>): void => {
    setBusy(true);
    setFault(undefined);
    work.then(onDone, (error: unknown) => {
      setFault(error);
      setBusy(false);
    });
  };
  return [fault, isBusy, run];
}

function Editing({ rooms, message: { room_id: roomId, message_id: id, content }, onDone }: ChangingProps): ReactNode {
  const [text, setText] = useState(content);
  const [fault, isBusy, run] = useChange(onDone);
  return (
    <form
      className="editing"
      onSubmit={(event) => {
        event.preventDefault();
        run(rooms.edit(roomId, id, text));
      }}
    >
      <textarea
        aria-label="New text"
        rows={2}
        autoFocus
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onDone();
        }}
      />
      {fault !== undefined && <FaultNote fault={fault} />}
      <div className="actions">
        <Button className="small" onClick={onDone}>
          Keep as it was
        </Button>
        <Button className="small" tone="main" type="submit" isBusy={isBusy} disabled={text.trim() === ''}>
          Save
        </Button>
      </div>
    </form>
  );
}

function Deleting({ rooms, message: { room_id: roomId, message_id: id, seq }, onDone }: ChangingProps): ReactNode {
  const [fault, isBusy, run] = useChange(onDone);
  return (
    <div className="editing" role="group" aria-label={`Delete message ${seq}`}>
      <p className="small">Its text goes for everybody and does not come back; its number stays.</p>
      {fault !== undefined && <FaultNote fault={fault} />}
      <div className="actions">
        <Button className="small" onClick={onDone} autoFocus>
          Keep
        </Button>
        <Button className="small" tone="danger" isBusy={isBusy} onClick={() => run(rooms.remove(roomId, id))}>
          Delete message
        </Button>
      </div>
    </div>
  );
}

interface OutgoingRowProps {
  readonly outbox: { drop(clientMessageId: string): void };
  readonly message: OutgoingMessage;
}

/** What is not stored yet: it goes out with the next connection, or was refused. */
export function OutgoingRow({
  outbox,
  message: { content, state, fault, clientMessageId },
}: OutgoingRowProps): ReactNode {
  return (
    <article className="message" data-mine="true" data-state={state}>
      <p className="content">{content.slice(0, 2000)}</p>
      {state === 'failed' && <FaultNote fault={fault} />}
      <footer>
        {state === 'pending' ? (
          <span data-mark="pending">on its way</span>
        ) : (
          <button type="button" className="text-button" onClick={() => outbox.drop(clientMessageId)}>
            Take back
          </button>
        )}
      </footer>
    </article>
  );
}
