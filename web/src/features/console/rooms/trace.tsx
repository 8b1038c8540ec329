import type { ReactNode } from 'react';
import { Badge, CopyButton, FaultNote, Id, Loading, NodeLabel, Time } from '../../../ui';
import { useHref, usePlace } from '../records/address';
import { counted, CursorPager, figure, Gone, isGone, Trail, UserLink } from '../records/pieces';
import { type OneRoom, type Recipient, type Trace, useTrace } from './data';

interface TracePageProps {
  readonly room: OneRoom;
  readonly messageId: string;
}

/** What became of a message: how it was stored, and how far it is with each recipient. */
export function TracePage({ room, messageId }: TracePageProps): ReactNode {
  const place = usePlace();
  const href = useHref();
  const roomHref = href(`/rooms/${room.roomId}`);
  const { data, error } = useTrace(room, messageId, place.cursor);
  if (isGone(error)) return <Gone what="message" all={['All rooms', href('/rooms')]} />;
  if (data === undefined) return error === null ? <Loading /> : <FaultNote fault={error} />;
  return (
    <>
      <div className="stack record-head">
        <Trail
          pages={[
            ['Rooms', href('/rooms')],
            ['Room', roomHref],
          ]}
        />
        <h1>Trace of message {figure(data.committed.seq)}</h1>
        <div className="row small muted">
          <code>{data.message_id}</code> <CopyButton text={data.message_id} label="Copy id" />
        </div>
      </div>
      {error !== null && <FaultNote fault={error} />}
      <section className="card panel stack" aria-labelledby="stored">
        <h2 id="stored">
          From <UserLink id={data.sender_id} />
        </h2>
        <Stored trace={data} />
      </section>
      <section className="stack">
        <h2>Recipients</h2>
        {data.recipients.length === 0 && <p className="muted">Nobody who was in the room then is in it now.</p>}
        <div className="recipients">
          {data.recipients.map((recipient) => (
            <RecipientCard key={recipient.user_id} recipient={recipient} trace={data} />
          ))}
        </div>
        <CursorPager place={place} shown={data.recipients.length} next={data.next} label="Pages of the recipients" />
      </section>
      <Unknown sentences={data.unknown} />
    </>
  );
}

function Unknown({ sentences }: { readonly sentences: readonly string[] }): ReactNode {
  if (sentences.length === 0) return null;
  return (
    <section className="stack">
      <h2>What the server does not know</h2>
      <ul className="unknown">
        {sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </section>
  );
}

interface StepProps {
  readonly title: string;
  readonly tone?: 'good' | 'bad' | undefined;
  readonly at?: string | null;
  /** The time from which its own is counted. */
  readonly from?: string | null;
  readonly children?: ReactNode;
}

const SECOND = 1000;

/** How long after a time another one was. */
function after(from: string, at: string): string {
  const ms = Date.parse(at) - Date.parse(from);
  return ms < SECOND ? `+${figure(ms)} ms` : `+${figure(Math.round(ms / SECOND))} s`;
}

/** Something that has happened, or has not yet. */
function Step({ title, tone, at, from, children }: StepProps): ReactNode {
  return (
    <li data-tone={tone}>
      <span className="row">
        <strong>{title}</strong>
        {at !== undefined && at !== null && (
          <span className="muted small">
            <Time at={at} isExact /> {from !== undefined && from !== null && after(from, at)}
          </span>
        )}
      </span>
      {children !== undefined && <span className="muted small">{children}</span>}
    </li>
  );
}

function Stored({ trace: { accepted_at: accepted, committed, webhooks } }: { readonly trace: Trace }): ReactNode {
  const { rev, batch } = committed;
  return (
    <ol className="timeline">
      <Step title="Taken" tone={accepted === null ? undefined : 'good'} at={accepted}>
        {accepted === null ? 'When is not known.' : undefined}
      </Step>
      <Step title="Stored" tone="good" at={committed.at} from={accepted}>
        Place {figure(committed.seq)}
        {rev !== null && `, revision ${figure(rev)}`}
        {batch !== null &&
          `, in a batch of ${counted(batch.messages, 'message')} that waited ${batch.waited_ms} ms and took ${batch.took_ms} ms`}
      </Step>
      {webhooks.map((webhook) => (
        <WebhookStep key={webhook.webhook_id} webhook={webhook} />
      ))}
    </ol>
  );
}

const POSTS = {
  pending: 'Waits to be posted',
  delivered: 'Posted',
  dead: 'Post given up',
  failed: 'Post failed',
} as const;
const POST_TONES = { pending: undefined, delivered: 'good', dead: 'bad', failed: 'bad' } as const;

function WebhookStep({ webhook }: { readonly webhook: Trace['webhooks'][number] }): ReactNode {
  const { state, type, attempts, status, error, last_attempt_at: at } = webhook;
  return (
    <Step title={`${POSTS[state]}: ${type}`} tone={POST_TONES[state]} at={at}>
      {counted(attempts, 'attempt')}
      {status !== null && `, HTTP ${status}`}
      {error !== null && `, ${error}`}
    </Step>
  );
}

interface RecipientCardProps {
  readonly recipient: Recipient;
  readonly trace: Trace;
}

function RecipientCard({ recipient, trace }: RecipientCardProps): ReactNode {
  const { user_id: id, is_sender: isSender, connections, acked, read, dead_letter: letter } = recipient;
  const webhooks = trace.webhooks.filter(({ webhook_id: one }) => recipient.webhook_ids.includes(one));
  return (
    <article className="card panel stack" aria-label={id}>
      <h3 className="row">
        <UserLink id={id} /> {isSender && <Badge>has sent it</Badge>}
      </h3>
      <ol className="timeline">
        {connections.length === 0 && <Step title="Not connected now" />}
        {connections.map((connection) => (
          <ConnectionStep key={connection.connection_id} connection={connection} committedAt={trace.committed.at} />
        ))}
        {webhooks.map((webhook) => (
          <WebhookStep key={webhook.webhook_id} webhook={webhook} />
        ))}
        {letter !== null && (
          <Step title="Given up" tone="bad" at={letter.last_attempt_at}>
            {counted(letter.attempts, 'attempt')}: {letter.error}
          </Step>
        )}
        <Step
          title={acked.done ? 'Acknowledged' : 'Not acknowledged yet'}
          {...markOf(acked)}
          from={trace.committed.at}
        />
        <Step title={read.done ? 'Read' : 'Not read yet'} {...markOf(read)} from={trace.committed.at} />
      </ol>
    </article>
  );
}

function markOf({ done, at }: Recipient['acked']): Pick<StepProps, 'tone' | 'at'> {
  return { tone: done ? 'good' : undefined, at };
}

interface ConnectionStepProps {
  readonly connection: Recipient['connections'][number];
  readonly committedAt: string;
}

/** Who connected later has it from the catch-up, or had it before: the server does not know which. */
function ConnectionStep({ connection, committedAt }: ConnectionStepProps): ReactNode {
  const { sent, node_id: node, connection_id: id, opened_at: opened, redelivered } = connection;
  const isLater = Date.parse(opened) > Date.parse(committedAt);
  const title = isLater ? 'Sent by the catch-up, or there before' : 'Sent as it came';
  return (
    <Step title={sent ? title : 'Not sent yet'} tone={sent ? 'good' : undefined}>
      To <Id id={id} /> on node <NodeLabel id={node} />, open since <Time at={opened} isExact />
      {redelivered !== null && redelivered > 0 && `; sent again ${counted(redelivered, 'time')}`}
    </Step>
  );
}
