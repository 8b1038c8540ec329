import { Injectable } from '@nestjs/common';
import { timeOf } from '../../common/ids';
import { Appender } from './appender/appender';
import type { WrittenBatch } from './appender/group-commit';
import { MessageFacts } from './messages.repository';

/** How a message came into the log. */
export interface MessageTrace {
  /** UUID. */
  readonly messageId: string;
  readonly seq: number;
  readonly senderId: string;
  /** When its call came in; undefined where it is not known: an answer of a model is named when it is begun. */
  readonly acceptedAt: Date | undefined;
  readonly committedAt: Date;
  /** The room's revision at its commit; undefined where the message was changed since. */
  readonly rev: number | undefined;
  /** undefined where this node does not remember it. */
  readonly batch: WrittenBatch | undefined;
}

/** UUIDs of this version hold the time at which they were made. */
const WITH_TIME = '7';
const VERSION_AT = 14;

/** The way of messages into the log: what is stored of it, and what this node remembers. */
@Injectable()
export class MessageTraces {
  constructor(
    private readonly facts: MessageFacts,
    private readonly appender: Appender,
  ) {}

  /** undefined where the room has none of that id, or keeps it no more. Ids are UUIDs. */
  async trace(tenantId: string, roomId: string, messageId: string): Promise<MessageTrace | undefined> {
    const row = await this.facts.find(tenantId, roomId, messageId);
    if (row === undefined) return undefined;
    const isUnchanged = row.edited_at === null && row.deleted_at === null;
    const isNamedAtOnce = row.kind === 'user' && messageId[VERSION_AT] === WITH_TIME;
    return {
      messageId,
      seq: row.seq,
      senderId: row.sender_id,
      acceptedAt: isNamedAtOnce ? timeOf(messageId) : undefined,
      committedAt: row.created_at,
      rev: isUnchanged ? row.rev : undefined,
      batch: this.appender.batchOf(row.created_at),
    };
  }
}
