import { encodeId } from '../../common/ids';
import type { Frame, FrameBatches, StreamPart, WireFrame } from '../transport';
import type { Position, RoomEvent } from './ports';

/** What the order of a room and its membership need of a change. */
export type ChangeHead = Pick<
  RoomEvent,
  'rev' | 'seq' | 'messageId' | 'changedSeq' | 'firstSeq' | 'joins' | 'leaves' | 'ends'
>;

/** A change on its way through this node: its text and its bytes are made once, when they are first needed. */
export class RoomChange {
  private json: string | undefined;
  private bytes: WireFrame | undefined;
  private bytesAgain: WireFrame | undefined;

  constructor(
    readonly head: ChangeHead,
    private readonly serialise: () => string,
    private readonly again?: () => Frame,
  ) {}

  static of(event: RoomEvent): RoomChange {
    return new RoomChange(event, event.text ?? (() => JSON.stringify(event.frame())), event.again);
  }

  get rev(): number {
    return this.head.rev;
  }

  /** The frame's JSON. */
  get text(): string {
    return (this.json ??= this.serialise());
  }

  wire(batches: FrameBatches): WireFrame {
    return (this.bytes ??= batches.encode(this.text));
  }

  /** The same for a connection that has all messages up to `seq`: one that it has was edited since. */
  wireAfter(seq: number, batches: FrameBatches): WireFrame {
    const isHad = this.head.seq !== undefined && this.head.seq <= seq;
    if (!isHad || this.again === undefined) return this.wire(batches);
    return (this.bytesAgain ??= batches.encode(JSON.stringify(this.again())));
  }
}

/** A part of a stream as clients get it. */
export function streamFrame(roomId: string, messageId: string, part: StreamPart): Frame {
  const ids = { room_id: encodeId('room', roomId), message_id: encodeId('message', messageId) };
  switch (part.type) {
    case 'start':
      return { type: 'message.stream.start', ...ids, sender_id: part.senderId };
    case 'delta':
      return { type: 'message.stream.delta', ...ids, text: part.text, index: part.index };
    case 'end':
      return {
        type: 'message.stream.end',
        ...ids,
        seq: part.seq,
        status: part.status,
        finish_reason: part.finishReason,
      };
    case 'error':
      return { type: 'message.stream.error', ...ids, code: part.code, message: part.message };
  }
}

/** A change at its place in the room's order. */
interface Placed<T> {
  readonly change: T;
  /** The revision at which it stands, which is not always its own. */
  readonly place: number;
}

/**
 * The order in which a room's changes are told, wherever they come from: the log and a sync (modules/messages/room-log), a
 * channel to a connection that is behind it (`newsAt`). Messages come in order of seq, other changes in order of rev. A
 * message that was edited since has a later revision than its place: it stands where the first message behind it stands
 * that has not a later one still, so that a user that had left before its edit and before that message does not get it.
 *
 * @param messages in order of seq; `others` in order of rev
 * @param beyond the lowest revision of the messages behind these; Infinity where there are none, or it is not known
 */
export function inRoomOrder<T extends { readonly rev: number }>(
  messages: readonly T[],
  others: readonly T[],
  beyond = Infinity,
): Placed<T>[] {
  const placed: Placed<T>[] = [];
  let [place, next] = [beyond, others.length - 1];
  // From the end, since a message's place depends on what is behind it.
  for (const message of messages.toReversed()) {
    place = Math.min(place, message.rev);
    for (let other = others[next]; other !== undefined && other.rev > place; other = others[--next])
      placed.push({ change: other, place: other.rev });
    placed.push({ change: message, place });
  }
  for (const other of others.slice(0, next + 1).reverse()) placed.push({ change: other, place: other.rev });
  return placed.reverse();
}

/**
 * Whether two positions are the same: one says that its holder has the messages up to `seq`, and what else changed up to
 * `rev`. Between two pages of the log a message may lie beyond a position that is older than its `rev`: one that was
 * edited since stands where its edit allows. So of two positions neither may be the further one, and only a connection at
 * the very same one lacks nothing.
 */
export function isSame(a: Position, b: Position): boolean {
  return a.rev === b.rev && a.seq === b.seq;
}

/** Whether a connection at `a` lacks something that one at `b` has. */
export function lacks(a: Position, b: Position): boolean {
  return a.rev < b.rev || a.seq < b.seq;
}

/** The position of a connection that has what lies before both. */
export function both(a: Position, b: Position): Position {
  return { rev: Math.max(a.rev, b.rev), seq: Math.max(a.seq, b.seq) };
}

/**
 * What of the changes up to a position is news for a connection at an earlier one, in the order in which it gets it: an
 * edit of a message that it has comes at its revision, not at the place that the message has for connections without it;
 * one that lies beyond comes once more when the log has got there.
 */
export function newsAt(at: Position, changes: readonly RoomChange[], upTo: Position): RoomChange[] {
  const isHad = ({ head: { seq } }: RoomChange): boolean => seq !== undefined && seq <= at.seq;
  const edits = changes.filter((change) => isHad(change) && change.rev > at.rev && change.rev <= upTo.rev);
  const others = changes.filter((change) => !isHad(change) && (change.head.seq !== undefined || change.rev > at.rev));
  return inRoomOrder(
    others,
    edits.sort((a, b) => a.rev - b.rev),
  ).map(({ change }) => change);
}

/** Changes that came early are kept up to here; beyond it the log has to tell them. */
const MAX_EARLY = 1000;

/**
 * Where a channel stands in its room's order: hands out changes one by one at position + 1, drops what was handed out,
 * keeps what came early. `isBehind` says that something is known to exist that has not been handed out.
 */
export class RoomOrder {
  private readonly early = new Map<number, RoomChange>();
  private highest: number;

  constructor(private at: Position) {
    this.highest = at.rev;
  }

  get position(): Position {
    return this.at;
  }

  get isBehind(): boolean {
    return this.highest > this.at.rev;
  }

  /** The highest revision that is known to exist. */
  get head(): number {
    return this.highest;
  }

  /** The room has got as far as this revision. */
  expect(rev: number): void {
    if (rev > this.highest) this.highest = rev;
  }

  /** Takes a change in, in any order; `next` tells what is due. */
  offer(change: RoomChange): void {
    this.expect(change.rev);
    if (change.rev > this.at.rev && this.early.size < MAX_EARLY) this.early.set(change.rev, change);
  }

  /** The change at position + 1, which becomes the position; undefined when it is not there. */
  next(): RoomChange | undefined {
    const rev = this.at.rev + 1;
    const change = this.early.get(rev);
    if (change === undefined) return undefined;
    this.early.delete(rev);
    this.at = { rev, seq: change.head.seq ?? this.at.seq };
    return change;
  }

  /** The log was read up to here. */
  moveTo(position: Position): void {
    this.at = position;
    this.expect(position.rev);
    for (const rev of this.early.keys()) if (rev <= position.rev) this.early.delete(rev);
  }

  /** All that was known up to `rev` has been looked for in the log: what is not there does not exist. */
  settle(rev: number): void {
    for (const early of this.early.keys()) if (early <= rev) this.early.delete(early);
    if (this.highest <= rev) this.highest = this.at.rev;
  }
}
