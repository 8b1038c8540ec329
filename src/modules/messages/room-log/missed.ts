import { inRoomOrder, type MissedPage, type MissedPart, type PageLimits, type RoomEvent } from '../../../realtime';
import type { MessageRow } from '../views';
import { messageChangeFrame, messageFrame, messageText, roomEventFrame } from './log-frames';
import type { MissedRow } from './missed.repository';

type NewRow = Extract<MissedRow, { kind: 'new' | 'changed' }>;
type ChangeRow = Exclude<MissedRow, { kind: null } | { kind: 'mark' } | { kind: 'named' }>;

/**
 * Makes a part's rows a page, in the room's order (`inRoomOrder`). Messages and other changes go on from page to page
 * each by their own number; where one of the two lists was cut the page ends with it: what comes next is not known.
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
    namedId: rows.find((row) => row.kind === 'named')?.message_id,
    marks: rows.flatMap((row) => (row.kind === 'mark' ? [{ userId: row.sender_id, seq: row.seq }] : [])),
    events: taken.map((row) => eventOf(tenantId, part.roomId, row)),
    afterSeq: taken.findLast(isNew)?.seq ?? part.afterSeq,
    afterRev: taken.findLast((row) => !isNew(row))?.rev ?? part.afterRev,
    more: ends.length > 0,
  };
}

function isNew(row: MissedRow): row is NewRow {
  return row.kind === 'new';
}

/** Of two lists the shorter one ends what is known. */
function knownChanges(rows: readonly MissedRow[], limit: number): { rows: ChangeRow[]; isCut: boolean } {
  const lists = (['changed', 'event'] as const).map((kind) =>
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

function eventOf(tenantId: string, roomId: string, row: ChangeRow): RoomEvent {
  const { rev } = row;
  if (row.kind === 'event') {
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
