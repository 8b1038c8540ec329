import { roomKey } from '../../../common/ids';
/** A message on its way into the log. */
export interface NewMessage {
  readonly tenantId: string;
  readonly roomId: string;
  /** Made by the server; also tells after a lost connection whether the message was committed. */
  readonly messageId: string;
  readonly senderId: string;
  /** A repeat with the same one by the same sender in the same room is the same message. */
  readonly clientMessageId: string | null;
  /** SHA-256 of what a repeat must be equal to. */
  readonly bodyHash: Buffer;
  readonly content: string;
  /** A JSON object as text, kept byte for byte. */
  readonly metaText: string | null;
  /** Written in the message's transaction, if the message is new. */
  readonly jobs?: readonly MessageJob[];
  /** Of a model's answer; its messageId is its run's. */
  readonly answer?: Answer;
  /** Called once it is known to be stored, before anybody else hears of it; neither throws nor waits. */
  readonly onStored?: (stored: Stored) => void;
}

/** What a model's answer has beyond a message. */
export interface Answer {
  readonly status: string;
  /** The user's message that it answers. */
  readonly replyToSeq: number;
  /** Columns of the run that ends with it. */
  readonly run: object;
}

export interface MessageJob {
  readonly kind: string;
  readonly key: string;
  readonly payload: object;
}

/** Where a message stands in the log. */
export interface Stored {
  readonly status: 'new' | 'duplicate';
  readonly messageId: string;
  readonly seq: number;
  readonly rev: number;
  readonly createdAt: Date;
}

/** Why a message was not stored. */
export interface Refused {
  readonly status: 'mismatch' | 'no_room' | 'not_member' | 'posting' | 'ai';
}

export type Appended = Stored | Refused;

export function isStored(result: { readonly status: string }): result is Stored {
  return result.status === 'new' || result.status === 'duplicate';
}

/** What two sends of the same message share; undefined where the message has no client_message_id. */
export function repeatKey(message: NewMessage): string | undefined {
  if (message.clientMessageId === null) return undefined;
  return `${roomKey(message.tenantId, message.roomId)}/${message.senderId}/${message.clientMessageId}`;
}
