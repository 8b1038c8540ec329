import { unavailable } from '../../../common/errors';
import { roomKey } from '../../../common/ids';
import type { Bounds } from './fair-queue';

/** A message that is to be stored, checked and not yet numbered. */
export interface MessageDraft {
  /** UUIDs. */
  readonly tenantId: string;
  readonly roomId: string;
  /** Made by the server; also tells after a lost connection whether the message was committed. */
  readonly messageId: string;
  readonly senderId: string;
  /** A repeat with the same one by the same sender in the same room is the same message. */
  readonly clientMessageId: string | null;
  readonly content: string;
  /** A JSON object as text, kept byte for byte. */
  readonly metaText: string | null;
  /** What a repeat must be equal to besides content and meta, in a canonical form; unset: nothing. */
  readonly alsoEqual?: string;
}

/** A message on its way into the log. */
export interface NewMessage extends Omit<MessageDraft, 'alsoEqual'> {
  /** SHA-256 of what a repeat must be equal to. */
  readonly bodyHash: Buffer;
  /** Written in the message's transaction, if the message is new. */
  readonly jobs?: readonly MessageJob[];
  /** It is refused (`busy`) while an answer of its room is not over; default: its answer waits for its turn. */
  readonly onlyIfFree?: boolean;
  /** Of a model's answer; its messageId is its run's. */
  readonly answer?: Answer;
  /** Called once it is known to be stored, before its caller or a client hears of it; neither throws nor waits. */
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

/** A state of a message that is to be set or taken back, by a member (docs/adr/0043). */
export interface StateChange {
  /** UUIDs. */
  readonly tenantId: string;
  readonly roomId: string;
  /** null: an id that no message can have. */
  readonly messageId: string | null;
  readonly userId: string;
  readonly state: StateKind;
  /** Which of several; null where there is only one of the kind. */
  readonly key: string | null;
  readonly on: boolean;
}

export type StateKind = 'reaction' | 'pin';

/** What the function of the schema says of a state that was changed, or was so before (`unchanged`). */
export interface ChangedState {
  readonly seq: number;
  /** Of the last change; null where there was none ever. */
  readonly rev: number | null;
  readonly [detail: string]: unknown;
}

/** What a room's log is written: a message, or a state of one. */
export type LogWrite = NewMessage | StateChange;

export function isStateChange(write: LogWrite): write is StateChange {
  return 'state' in write;
}

export function isMessage(write: LogWrite): write is NewMessage {
  return !isStateChange(write);
}

/** How a change of a state fared. */
export interface StateOutcome {
  readonly status: 'state';
  readonly outcome: 'new' | 'unchanged' | StateRefusal;
  /** What it is now; empty where it was refused. */
  readonly state: ChangedState;
  /** A transaction of before may have made the change: nobody has been told of it. */
  readonly isDoubtful?: boolean;
}

export type StateRefusal = 'no_room' | 'not_member' | 'off' | 'admins' | 'no_message' | 'full';

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
  readonly status: 'mismatch' | 'no_room' | 'not_member' | 'posting' | 'ai' | 'busy';
}

export type Appended = Stored | Refused;

/** What became of one item of a batch, once that is known. */
export type Written = Appended | StateOutcome;

export function isStored(result: { readonly status: string }): result is Stored {
  return result.status === 'new' || result.status === 'duplicate';
}

/** What two sends of the same message share; undefined where the message has no client_message_id. */
export function repeatKey(message: LogWrite): string | undefined {
  // The same state twice is no repeat: the second one finds it set.
  if (isStateChange(message) || message.clientMessageId === null) return undefined;
  return `${roomKey(message.tenantId, message.roomId)}/${message.senderId}/${message.clientMessageId}`;
}

/** About what an empty message costs in memory. */
const BASE_BYTES = 512;

function textBytes({ content, metaText }: NewMessage): number {
  return 2 * (content.length + (metaText?.length ?? 0));
}

/** A message, or a change of a state, in the appender, with its caller, which is answered once, in time, whatever happens. */
export class Pending {
  /** Monotonic time of arrival, in ms. */
  readonly since = performance.now();
  /** About what it costs in memory. */
  readonly bytes: number;
  /** A call that may have stored it has been made; whether it did is not known before the log says so. */
  tried = false;
  private done = false;
  private readonly overdue: NodeJS.Timeout;

  constructor(
    readonly message: LogWrite,
    answerMs: number,
    private readonly onResult: (result: Written) => void,
    private readonly onError: (error: unknown) => void,
  ) {
    this.bytes = BASE_BYTES + (isStateChange(message) ? 0 : textBytes(message));
    this.overdue = setTimeout(() => this.giveUp(), answerMs);
  }

  /** The caller has its answer: what has not been written must not be. */
  get answered(): boolean {
    return this.done;
  }

  resolve(result: Written): void {
    if (this.end()) this.onResult(result);
  }

  reject(error: unknown): void {
    if (this.end()) this.onError(error);
  }

  private giveUp(): void {
    this.reject(unavailable('The database did not answer in time', { outcome: this.tried ? 'unknown' : 'none' }));
  }

  private end(): boolean {
    if (this.done) return false;
    this.done = true;
    clearTimeout(this.overdue);
    return true;
  }
}

/** A batch being filled: no two items of it repeat each other. */
export class Batch {
  readonly items: Pending[] = [];
  private readonly seen = new Set<string>();
  private readonly byTenant = new Map<string, { items: number; bytes: number }>();
  private bytes = 0;

  /**
   * @param limits where it ends; a single message may be larger
   * @param share of one tenant; the message that reaches it is the last one
   */
  constructor(
    private readonly limits: Bounds,
    private readonly share: Bounds = limits,
  ) {}

  get isFull(): boolean {
    return reaches(this.items.length, this.bytes, this.limits);
  }

  /** The tenant has its share. */
  isServed(tenant: string): boolean {
    const used = this.byTenant.get(tenant);
    return used !== undefined && reaches(used.items, used.bytes, this.share);
  }

  /** false: the item repeats one that is in the batch. */
  add(item: Pending): boolean {
    const key = repeatKey(item.message);
    if (key !== undefined) {
      if (this.seen.has(key)) return false;
      this.seen.add(key);
    }
    this.items.push(item);
    this.bytes += item.bytes;
    this.count(item);
    return true;
  }

  private count({ message: { tenantId }, bytes }: Pending): void {
    const used = this.byTenant.get(tenantId);
    if (!used) {
      this.byTenant.set(tenantId, { items: 1, bytes });
      return;
    }
    used.items++;
    used.bytes += bytes;
  }
}

function reaches(items: number, bytes: number, bounds: Bounds): boolean {
  return items >= bounds.items || bytes >= bounds.bytes;
}
