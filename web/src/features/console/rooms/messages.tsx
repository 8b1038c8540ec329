import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { Badge, Button, FaultNote, Table, Time } from '../../../ui';
import { useHref } from '../records/address';
import { UserLink } from '../records/pieces';
import { type Message, type OneRoom, useContent } from './data';

/** What was said: shown after a press alone, since a look is written to the audit log. */
export function Messages({ room }: { readonly room: OneRoom }): ReactNode {
  const href = useHref();
  const { data, error, isFetching, refetch } = useContent(room);
  return (
    <section className="stack">
      <div className="page-head">
        <h2>Messages</h2>
        <Button className="wraps" isBusy={isFetching} onClick={() => void refetch()}>
          {data === undefined ? 'Show messages' : 'Show them anew'} (this is written to the audit log)
        </Button>
      </div>
      {error !== null && <FaultNote fault={error} />}
      {data?.length === 0 && <p className="muted">Nothing that was said in this room is kept.</p>}
      {data !== undefined && data.length > 0 && (
        <>
          <p className="muted small">The newest {data.length}, the last one first.</p>
          <Table
            label="Messages"
            rows={data}
            keyOf={({ message_id: id }) => id}
            columns={[
              { title: 'From', cell: ({ sender_id: id }) => <UserLink id={id} /> },
              { title: 'Message', cell: (message) => <Said message={message} /> },
              { title: 'Place', isFigure: true, cell: ({ seq }) => seq },
              { title: 'Sent', cell: ({ created_at: at }) => <Time at={at} isExact /> },
              {
                title: 'Trace',
                cell: ({ message_id: id, seq }) => (
                  <Link href={href(`/rooms/${room.roomId}/messages/${id}`)} aria-label={`Trace of message ${seq}`}>
                    Trace
                  </Link>
                ),
              },
            ]}
          />
        </>
      )}
    </section>
  );
}

/** A text of so many characters is scrolled through; by the keyboard, too. */
const LONG_CHARS = 600;

function Said({
  message: { content, deleted_at: deleted, edited_at: edited },
}: {
  readonly message: Message;
}): ReactNode {
  if (deleted !== null)
    return (
      <span className="muted">
        deleted, <Time at={deleted} />
      </span>
    );
  return (
    <div className="said" tabIndex={content.length > LONG_CHARS ? 0 : undefined}>
      {content} {edited !== null && <Badge>edited</Badge>}
    </div>
  );
}
