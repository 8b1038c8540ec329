import { Injectable } from '@nestjs/common';
import { type Preview, preview, PREVIEW_READ } from '../../common/text';
import { Database } from '../../platform/database';
import { Appender } from './appender/appender';
import type { Answer, Appended, Stored } from './appender/item';
import { bodyHash } from './messages.service';
import { MessageFeed } from './message-feed';
import { FIRST_SEQ } from './messages.repository';
import { CHAT_COLUMNS, type MessageRow } from './views';

/** A message with what only chats with a model show of it. */
export interface LoggedMessage extends Pick<MessageRow, 'message_id' | 'room_id' | 'seq' | 'sender_id' | 'content'> {
  readonly meta: Record<string, unknown> | null;
  readonly kind: 'user' | 'assistant' | 'system';
  /** Of an answer. */
  readonly status: string | null;
  readonly reply_to_seq: number | null;
  readonly client_message_id: string | null;
  readonly created_at: Date;
  readonly deleted_at: Date | null;
}

/** A model's answer on its way into the log. */
export interface NewAnswer extends Answer {
  readonly tenantId: string;
  /** UUIDs. The id is the run's: a run is answered once. */
  readonly roomId: string;
  readonly runId: string;
  readonly senderId: string;
  readonly content: string;
  readonly meta: object;
  readonly onStored: (stored: Stored) => void;
}

/** What is sent to a model, of what the room keeps: nothing that was deleted, superseded or empty, and no answer to what was deleted. */
const TOLD = `m.deleted_at IS NULL AND m.content <> '' AND m.status IS DISTINCT FROM 'superseded'
  AND m.status IS DISTINCT FROM 'failed' AND NOT EXISTS (SELECT 1 FROM messages q WHERE q.tenant_id = m.tenant_id
    AND q.room_id = m.room_id AND q.seq = m.reply_to_seq AND q.deleted_at IS NOT NULL)`;

/** An answer without text does not count as a message of the conversation; a deleted message does. */
const SAID = `(m.content <> '' OR m.kind <> 'assistant' OR m.deleted_at IS NOT NULL)`;

const CONTEXT = `
(SELECT ${CHAT_COLUMNS} FROM messages m WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.seq <= $3 AND m.seq > $4
   AND m.seq >= ${FIRST_SEQ} AND COALESCE(m.reply_to_seq, m.seq) > $4 AND ${TOLD} ORDER BY m.seq DESC LIMIT $5)
UNION ALL
(SELECT ${CHAT_COLUMNS} FROM messages m WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.seq > $3
   AND m.seq >= ${FIRST_SEQ} AND m.reply_to_seq < $3 AND m.reply_to_seq > $4 AND ${TOLD} ORDER BY m.seq DESC LIMIT $5)`;

/** The log of chats with a model: no caller and no access rule, one tenant; the chats module knows the rules of access. */
@Injectable()
export class ChatLog {
  constructor(
    private readonly database: Database,
    private readonly appender: Appender,
    private readonly feed: MessageFeed,
  ) {}

  /** A page from either end, in that end's order; deleted messages are tombstones. */
  pageOfChat(
    tenantId: string,
    roomId: string,
    newest: boolean,
    limit: number,
    offset: number,
  ): Promise<LoggedMessage[]> {
    return this.database.query<LoggedMessage>(
      'chat messages',
      tenantId,
      `SELECT ${CHAT_COLUMNS} FROM messages m WHERE m.tenant_id = $1 AND m.room_id = $2
         AND m.seq >= ${FIRST_SEQ} ORDER BY m.seq ${newest ? 'DESC' : 'ASC'} LIMIT $3 OFFSET $4`,
      [tenantId, roomId, limit, offset],
    );
  }

  /** What a chat has after a seq, in order, deleted messages as tombstones; at most so many. */
  messagesAfter(tenantId: string, roomId: string, afterSeq: number, limit: number): Promise<LoggedMessage[]> {
    return this.database.query<LoggedMessage>(
      'chat messages after',
      tenantId,
      `SELECT ${CHAT_COLUMNS} FROM messages m WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.seq > $3
         AND m.seq >= ${FIRST_SEQ} ORDER BY m.seq LIMIT $4`,
      [tenantId, roomId, afterSeq, limit],
    );
  }

  async findMessage(tenantId: string, roomId: string, messageId: string): Promise<LoggedMessage | undefined> {
    const [row] = await this.database.query<LoggedMessage>(
      'chat message',
      tenantId,
      `SELECT ${CHAT_COLUMNS} FROM messages m WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.message_id = $3
         AND m.seq >= ${FIRST_SEQ}`,
      [tenantId, roomId, messageId],
    );
    return row;
  }

  async ofSeq(tenantId: string, roomId: string, seq: number): Promise<LoggedMessage | undefined> {
    const [row] = await this.database.query<LoggedMessage>(
      'chat message by seq',
      tenantId,
      `SELECT ${CHAT_COLUMNS} FROM messages m WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.seq = $3
         AND m.seq >= ${FIRST_SEQ}`,
      [tenantId, roomId, seq],
    );
    return row;
  }

  /** Whether a sender has sent a message under an id of their own: as the append finds it, also one that is kept no more. */
  async isBound(tenantId: string, roomId: string, senderId: string, clientId: string): Promise<boolean> {
    const rows = await this.database.query(
      'chat message by client id',
      tenantId,
      `SELECT 1 FROM messages m WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.sender_id = $3
       AND m.client_message_id = $4`,
      [tenantId, roomId, senderId, clientId],
    );
    return rows.length > 0;
  }

  /** Messages, newest first; answers without a word are left out. */
  said(tenantId: string, roomId: string, limit: number, offset: number): Promise<LoggedMessage[]> {
    return this.database.query<LoggedMessage>(
      'chat turns',
      tenantId,
      `SELECT ${CHAT_COLUMNS} FROM messages m WHERE m.tenant_id = $1 AND m.room_id = $2 AND ${SAID}
         AND m.seq >= ${FIRST_SEQ} ORDER BY m.seq DESC LIMIT $3 OFFSET $4`,
      [tenantId, roomId, limit, offset],
    );
  }

  /** How the last message of each room begins, by room; answers without a word are left out. */
  async lastSaid(tenantId: string, roomIds: readonly string[]): Promise<ReadonlyMap<string, Preview>> {
    const rows = await this.database.query<{ room_id: string; content: string }>(
      'last said in chats',
      tenantId,
      `SELECT q.room_id, l.content FROM unnest($2::uuid[]) q(room_id) CROSS JOIN LATERAL (
         SELECT left(m.content, ${PREVIEW_READ}) AS content FROM messages m
         WHERE m.tenant_id = $1 AND m.room_id = q.room_id AND ${SAID}
           AND m.seq >= (SELECT k.first_seq FROM room_keeps($1, q.room_id) k) ORDER BY m.seq DESC LIMIT 1) l`,
      [tenantId, roomIds],
    );
    return new Map(rows.map(({ room_id, content }) => [room_id, preview(content)]));
  }

  /**
   * What a model may see when it answers the message at `seq`: at most the newest `limit` messages after `afterSeq`, each
   * question followed by its answers, in order. What was asked later is not among them.
   */
  async context(
    tenantId: string,
    roomId: string,
    seq: number,
    afterSeq: number,
    limit: number,
  ): Promise<LoggedMessage[]> {
    const rows = await this.database.query<LoggedMessage>('chat context', tenantId, CONTEXT, [
      tenantId,
      roomId,
      seq,
      afterSeq,
      limit,
    ]);
    return rows.sort((a, b) => placeOf(a) - placeOf(b) || a.seq - b.seq).slice(-limit);
  }

  /**
   * What an agent of a room may see when it answers the message at `seq`: at most the newest `limit` after `afterSeq`, in their
   * order, that one last. What was said later is not among them, but what the agent has answered meanwhile is.
   */
  async contextIn(
    tenantId: string,
    roomId: string,
    seq: number,
    afterSeq: number,
    limit: number,
    agentId: string,
  ): Promise<LoggedMessage[]> {
    const args = [tenantId, roomId, seq, afterSeq, limit];
    const rows = await this.database.query<LoggedMessage>('room context', tenantId, CONTEXT, args);
    const place = (row: LoggedMessage): number => (row.seq === seq ? Infinity : row.seq);
    return rows
      .filter((row) => row.seq <= seq || row.sender_id === agentId)
      .sort((a, b) => place(a) - place(b))
      .slice(-limit);
  }

  /** Stores an answer and ends its run, in one transaction. A run that has an answer gets no other: 'mismatch'. */
  appendAnswer({
    tenantId,
    roomId,
    runId,
    senderId,
    content,
    meta,
    onStored,
    ...answer
  }: NewAnswer): Promise<Appended> {
    const metaText = JSON.stringify(meta);
    return this.appender.append({
      tenantId,
      roomId,
      messageId: runId,
      senderId,
      clientMessageId: runId,
      bodyHash: bodyHash(content, metaText),
      content,
      metaText,
      answer,
      onStored,
    });
  }

  /** Answers became superseded: tells the room's connections. */
  superseded(tenantId: string, roomId: string, rows: readonly MessageRow[]): void {
    for (const row of rows) this.feed.changed(tenantId, roomId, row);
  }
}

function placeOf(message: LoggedMessage): number {
  return message.reply_to_seq ?? message.seq;
}
