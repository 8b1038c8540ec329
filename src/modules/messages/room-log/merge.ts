import {
  type Frame,
  inRoomOrder,
  type MissedPage,
  type MissedPart,
  type PageLimits,
  type Position,
  type RoomEvent,
} from '../../../realtime';
import { messageChangeFrame, messageFrame, type MessageRow, messageText, roomEventFrame } from '../views';
import { changesMessage } from '../states/state-frames';
import type { LogRow, MissedRow } from './room-log.repository';

export interface MergedPage {
  readonly rows: readonly LogRow[];
  readonly more: boolean;
  readonly position: Position;
}

/**
 * Puts rows into the room's order (`inRoomOrder`), as far as one page goes.
 *
 * `changed`, `event` and `state` rows come in order of rev, at most `limit + 1` of each; `new` ones in order of seq, at most
 * `limit`. The position of a page that is not the last lies before the first row that is missing; a message whose edit
 * lies beyond it comes once more, as changed.
 */
export function mergeLog(position: Position, rows: readonly LogRow[], limit: number): MergedPage {
  const of = (kind: LogRow['kind']): LogRow[] => rows.filter((row) => row.kind === kind);
  const beyond = of('beyond')[0]?.rev ?? Infinity;
  const lists = [of('changed'), of('event'), of('state')];
  // Of a list that was cut, nothing is known after its last row.
  const cut = Math.min(...lists.map((list) => (list.length > limit ? revOf(list[limit]) : Infinity)));
  const others = lists.flat().sort((a, b) => a.rev - b.rev);
  const placed = inRoomOrder(of('new'), others, beyond);
  const count = Math.min(limit, placed.filter(({ place }) => place <= beyond && place < cut).length);
  const taken = placed.slice(0, count).map(({ change }) => change);
  const first = Math.min(placed[count]?.place ?? Infinity, beyond, cut);
  const seq = Math.max(position.seq, ...taken.map(throughSeq));
  const more = first !== Infinity;
  const last = Math.max(position.rev, ...taken.map((row) => row.rev));
  return { rows: taken, more, position: { rev: more ? Math.max(position.rev, first - 1) : last, seq } };
}

/** A row of the log as the feed delivers it. */
export function eventOf(tenantId: string, roomId: string, row: LogRow): RoomEvent {
  const event = { tenantId, roomId, rev: row.rev, frame: () => frameOf(roomId, row) };
  if (row.kind === 'new' && row.seq !== null) {
    const message = (row.payload ?? {}) as unknown as MessageRow;
    return { ...event, seq: row.seq, messageId: message.message_id, again: () => messageChangeFrame(message) };
  }
  const isChanged = row.kind === 'changed' || (row.kind === 'state' && changesMessage(row.type ?? ''));
  if (isChanged && row.seq !== null) return { ...event, changedSeq: row.seq };
  const user = row.payload?.['user_id'];
  const firstSeq = row.payload?.['first_seq'];
  if (row.type === 'member.joined' && typeof user === 'string') return { ...event, joins: user };
  if (row.type === 'member.left' && typeof user === 'string') return { ...event, leaves: user };
  if (row.type === 'room.deleted') return { ...event, ends: true };
  if (row.type === 'room.trimmed' && typeof firstSeq === 'number') return { ...event, firstSeq };
  return event;
}

/** Up to which message a reader misses nothing after this row. */
function throughSeq({ kind, seq, type, payload }: LogRow): number {
  if (kind === 'new') return seq ?? 0;
  return type === 'room.trimmed' ? Number(payload?.['first_seq'] ?? 1) - 1 : 0;
}

function revOf(row: LogRow | undefined): number {
  return row?.rev ?? Infinity;
}

function frameOf(roomId: string, { kind, rev, type, payload }: LogRow): Frame {
  const content = payload ?? {};
  if (kind === 'new') return messageFrame(content as unknown as MessageRow);
  if (kind === 'changed') return messageChangeFrame(content as unknown as MessageRow);
  return roomEventFrame(roomId, rev, type ?? '', content);
}

type NewRow = Extract<MissedRow, { kind: 'new' | 'changed' }>;
type ChangeRow = Exclude<MissedRow, { kind: null } | { kind: 'mark' } | { kind: 'named' }>;

/**
 * Makes a part's rows a page, in the room's order (`inRoomOrder`). Messages and other changes go on from page to page
 * each by their own number; where one of the lists was cut the page ends with it: what comes next is not known.
 */
export function missedPage(
  tenantId: string,
  part: MissedPart,
  rows: readonly MissedRow[],
  limits: PageLimits,
): MissedPage {
  const messages = rows.filter(isNew).sort((a, b) => a.seq - b.seq);
  const changes = knownChanges(rows, limits.changes);
  const [lastMessage, lastChange] = [messages.at(-1), changes.rows.at(-1)];
  const ordered = inRoomOrder<ChangeRow>(messages, changes.rows).map(({ change }) => change);
  const ends: number[] = [];
  // Every seq exists: what is missing at the end was cut, by number or by bytes.
  if (lastMessage !== undefined && lastMessage.seq < part.throughSeq) ends.push(ordered.indexOf(lastMessage));
  if (lastChange !== undefined && changes.isCut) ends.push(ordered.indexOf(lastChange));
  const taken = ordered.slice(0, Math.min(...ends) + 1);
  return {
    access: accessOf(rows),
    firstSeq: rows[0]?.first_seq ?? undefined,
    firstRev: rows[0]?.first_rev ?? undefined,
    namedId: rows.find((row) => row.kind === 'named')?.message_id,
    marks: rows.flatMap((row) => (row.kind === 'mark' ? [{ userId: row.sender_id, seq: row.seq }] : [])),
    events: taken.map((row) => missedEvent(tenantId, part.roomId, row)),
    afterSeq: taken.findLast(isNew)?.seq ?? part.afterSeq,
    afterRev: taken.findLast((row) => !isNew(row))?.rev ?? part.afterRev,
    more: ends.length > 0,
  };
}

function isNew(row: MissedRow): row is NewRow {
  return row.kind === 'new';
}

/** The list that is cut first ends what is known. */
function knownChanges(rows: readonly MissedRow[], limit: number): { rows: ChangeRow[]; isCut: boolean } {
  const lists = (['changed', 'event', 'state'] as const).map((kind) =>
    rows.filter((row): row is ChangeRow => row.kind === kind).sort((a, b) => a.rev - b.rev),
  );
  const ends = lists.filter((list) => list.length >= limit).map((list) => list.at(-1)?.rev ?? Infinity);
  const end = Math.min(...ends);
  const known = lists.flat().filter(({ rev }) => rev <= end);
  return { rows: known.sort((a, b) => a.rev - b.rev), isCut: ends.length > 0 };
}

function accessOf(rows: readonly MissedRow[]): MissedPage['access'] {
  const row = rows[0];
  if (row?.allowed !== true) return 'none';
  return row.role === null ? 'listener' : 'member';
}

function missedEvent(tenantId: string, roomId: string, row: ChangeRow): RoomEvent {
  const { rev } = row;
  if (row.kind === 'event' || row.kind === 'state') {
    const { type, payload } = row;
    return { tenantId, roomId, rev, frame: () => roomEventFrame(roomId, rev, type, payload) };
  }
  const message: MessageRow = row;
  if (row.kind === 'changed') return { tenantId, roomId, rev, frame: () => messageChangeFrame(message) };
  const { seq, message_id: messageId } = row;
  return {
    tenantId,
    roomId,
    rev,
    seq,
    messageId,
    frame: () => messageFrame(message),
    text: () => messageText(message),
  };
}
