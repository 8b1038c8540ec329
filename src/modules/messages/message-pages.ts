import { Injectable } from '@nestjs/common';
import { AppError, invalid } from '../../common/errors';
import { decodeId, encodeId } from '../../common/ids';
import { DEFAULT_LIMIT } from '../../common/limits';
import type { Caller } from '../../platform/auth';
import { Epoch } from '../../platform/database';
import type { Fact } from '../../platform/http';
import { type RecentMessage, RecentMessages, type RoomState } from '../../realtime';
import { type RoomJson, roomUpdated, roomUuid, visible } from '../rooms';
import type { ChangeDto, ChangesDto, ListChangesQueryDto, ListMessagesQueryDto } from './dto/message.dto';
import { type ChangeRow, type ListRequest, MessagesRepository, type RoomView } from './messages.repository';
import { RoomStates } from './room-states.repository';
import { ReactionsRepository } from './states/reactions.repository';
import { isState, stateFrame } from './states/state-frames';
import { changedRev, listText, type MessageRow, messageText, messageView, showsStates, withMine } from './views';

/** A page of a room's log as an answer. */
export interface PageAnswer {
  /** What determines the answer, its headers included: the same facts are the same bytes. */
  readonly facts: readonly Fact[];
  /** Builds the answer's JSON. */
  readonly text: () => string;
}

/** A page of a room's messages: the JSON of an array of message objects, in order of seq. */
export interface MessagePage extends PageAnswer {
  /** How many messages the cursors leave, tombstones included. */
  readonly total: number;
  /** The oldest message that the room keeps. */
  readonly firstSeq: number;
  /** Whether the room keeps messages before these. */
  readonly hasOlder: boolean;
  /** Whether the room has messages after these. */
  readonly hasNewer: boolean;
}

/**
 * Pages of rooms' logs as answers: of messages from memory where this node holds them, else from the log. Whether the
 * caller may see the room is asked of the database, wherever the page comes from.
 */
@Injectable()
export class MessagePages {
  constructor(
    private readonly repository: MessagesRepository,
    private readonly states: RoomStates,
    private readonly recent: RecentMessages,
    private readonly epoch: Epoch,
    private readonly reactions: ReactionsRepository,
  ) {}

  /** @throws 403, 404, 503 */
  async messages(caller: Caller, roomId: string, query: ListMessagesQueryDto): Promise<MessagePage> {
    const room = roomUuid(roomId);
    const middle = query.around === undefined ? undefined : await this.seqOf(caller, room, query);
    const page = middle === undefined ? requestOf(query) : pageAround(middle, query.limit ?? DEFAULT_LIMIT);
    const epoch = await this.epoch.readEpoch();
    // One trip where memory cannot have the page: the statement that reads it asks for access too.
    const isHeld = this.recent.has(caller.tenantId, room, page.beforeSeq ?? undefined);
    const held = isHeld ? await this.held(caller, room, page) : undefined;
    const { state, messages } = held ?? (await this.stored(caller, room, page));
    const { first_seq: firstSeq, last_seq: lastSeq } = state;
    if (middle !== undefined && (middle < firstSeq || middle > lastSeq)) throw notKept(firstSeq, lastSeq);
    const total = middle === undefined ? countBetween(page, state) : lastSeq - firstSeq + 1;
    const [oldest, newest] = [messages[0]?.seq ?? 0, messages.at(-1)?.seq ?? 0];
    const ends = {
      hasOlder: messages.length > 0 && oldest > firstSeq,
      hasNewer: messages.length > 0 && newest < lastSeq,
    };
    const changed = messages.reduce((latest, message) => Math.max(latest, revOf(message)), 0);
    const mine = state.has_states === true ? await this.mine(caller, room, messages) : undefined;
    const common = [room, epoch, firstSeq, total, oldest, newest, ends.hasNewer, changed];
    // What is a user's own follows from the user: none of it changes without the revision of its message.
    const facts = mine === undefined ? common : [...common, caller.userId];
    return { facts, total, firstSeq, ...ends, text: () => listText(messages.map((message) => textFor(message, mine))) };
  }

  /** Everything that changed in the room after a revision, in order of rev; nothing after one that it cannot tell of. */
  async changes(caller: Caller, roomId: string, query: ListChangesQueryDto): Promise<PageAnswer> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const room = roomUuid(roomId);
    const afterRev = query.after_rev ?? 0;
    // Before the rows: under a later epoch than theirs a client would take them for rows of the new log.
    const epoch = await this.epoch.readEpoch();
    const found = visible(await this.repository.changes(caller.tenantId, room, caller.userId, afterRev, limit + 1));
    const { firstRev, lastRev } = found;
    const common = { first_rev: firstRev, last_rev: lastRev, epoch };
    const facts = (...more: Fact[]): Fact[] => [room, epoch, firstRev, lastRev, ...more];
    if (afterRev < firstRev || afterRev > lastRev) {
      const nothing: ChangesDto = { changes: [], ...common, has_more: false, reset: true };
      return { facts: facts('reset'), text: () => JSON.stringify(nothing) };
    }
    const rows = found.rows.slice(0, limit);
    const has_more = found.rows.length > limit;
    const answer = (): ChangesDto => ({ changes: rows.map((row) => changeView(room, row)), ...common, has_more });
    return {
      facts: facts(rows[0]?.rev ?? 0, rows.at(-1)?.rev ?? 0, has_more),
      text: () => JSON.stringify(answer()),
    };
  }

  /** undefined: no message of the page shows a state, so the page is the same for all. */
  private async mine(
    { tenantId, userId }: Caller,
    room: string,
    messages: Found['messages'],
  ): Promise<OwnReactions | undefined> {
    const shown = messages.filter((message) => ('text' in message ? showsStates(message.text) : message.states));
    if (shown.length === 0) return undefined;
    return this.reactions.own(
      tenantId,
      userId,
      room,
      shown.map(({ seq }) => seq),
    );
  }

  /** @throws 400, 403, and 404 where the room has no such message */
  private async seqOf({ tenantId, userId }: Caller, room: string, query: ListMessagesQueryDto): Promise<number> {
    const { around = '', after_seq, before_seq, order, offset } = query;
    if ([after_seq, before_seq, order, offset].some((other) => other !== undefined))
      throw invalid('around', 'around goes alone, or with limit');
    if (/^\d{1,15}$/.test(around)) return Number(around);
    const messageId = decodeId('message', around) ?? null;
    const { row, ...state } = visible(await this.repository.find(tenantId, room, userId, messageId));
    if (row === undefined) throw notKept(state.first_seq, state.last_seq);
    return row.seq;
  }

  /** undefined where memory does not hold the whole page as the room is now. */
  private async held({ tenantId, userId }: Caller, room: string, page: ListRequest): Promise<Found | undefined> {
    const state = visible(await this.states.ask(tenantId, room, userId));
    const { after, through } = windowOf(page, state);
    if (after >= through) return { state, messages: [] };
    const messages = this.recent.between(tenantId, room, positionOf(state), after, through);
    return messages && { state, messages };
  }

  private async stored({ tenantId, userId }: Caller, room: string, page: ListRequest): Promise<Found> {
    const { rows, ...state } = visible(await this.repository.list(tenantId, room, userId, page));
    if (rows.length === 0 || rows.at(-1)?.seq !== state.last_seq) return { state, messages: rows };
    const messages = rows.map((row): RecentMessage => ({
      seq: row.seq,
      rev: changedRev(row),
      messageId: row.message_id,
      text: messageText(row),
    }));
    this.recent.hold(tenantId, room, positionOf(state), messages);
    return { state, messages };
  }
}

/** Of the messages of a page the reactions of one user, by seq. */
type OwnReactions = ReadonlyMap<number, ReadonlySet<string>>;

interface Found {
  readonly state: RoomView;
  readonly messages: readonly (RecentMessage | MessageRow)[];
}

function textFor(message: RecentMessage | MessageRow, mine: OwnReactions | undefined): string {
  const text = 'text' in message ? message.text : messageText(message);
  const keys = mine?.get(message.seq);
  return keys === undefined ? text : withMine(text, keys);
}

function revOf(message: RecentMessage | MessageRow): number {
  return 'text' in message ? message.rev : changedRev(message);
}

function requestOf(query: ListMessagesQueryDto): ListRequest {
  const isBefore = query.before_seq !== undefined && query.after_seq === undefined;
  return {
    afterSeq: query.after_seq ?? null,
    beforeSeq: query.before_seq ?? null,
    limit: query.limit ?? DEFAULT_LIMIT,
    offset: query.offset ?? 0,
    newest: query.order === undefined ? isBefore : query.order === 'desc',
  };
}

/** The page with a message in its middle. */
function pageAround(seq: number, limit: number): ListRequest {
  const afterSeq = Math.max(0, seq - 1 - Math.floor(limit / 2));
  return { afterSeq, beforeSeq: seq + Math.ceil(limit / 2), limit, offset: 0, newest: false };
}

function notKept(firstSeq: number, lastSeq: number): AppError {
  return new AppError('NOT_FOUND', 'Message not found', { details: { first_seq: firstSeq, last_seq: lastSeq } });
}

function positionOf({ first_seq, last_seq, last_rev }: RoomView): RoomState {
  return { firstSeq: first_seq, seq: last_seq, rev: last_rev };
}

/** What the cursors leave of a room: the seqs between the two, both left out. */
function cursorsOf({ afterSeq, beforeSeq }: ListRequest, room: RoomView): { low: number; high: number } {
  return {
    low: Math.max(afterSeq ?? 0, room.first_seq - 1),
    high: Math.min(beforeSeq ?? room.last_seq + 1, room.last_seq + 1),
  };
}

/** How many messages lie between the cursors: every seq that is kept exists, so this is a subtraction. */
function countBetween(page: ListRequest, room: RoomView): number {
  const { low, high } = cursorsOf(page, room);
  return Math.max(0, high - low - 1);
}

/** The seqs of a page, after one and through another, as the statement of the list has them. */
function windowOf(page: ListRequest, room: RoomView): { after: number; through: number } {
  const { low, high } = cursorsOf(page, room);
  if (!page.newest) return { after: low + page.offset, through: Math.min(high - 1, low + page.offset + page.limit) };
  const end = high - page.offset;
  return { after: Math.max(low, end - page.limit - 1), through: end - 1 };
}

/** One change as clients see it: flat, like the frame of the same name. */
export function changeView(roomId: string, row: ChangeRow): ChangeDto {
  const { rev, type, payload } = row;
  if (payload === null) return { ...messageView(row), type };
  if (isState(type)) return { room_id: '', ...stateFrame(roomId, rev, type, payload), rev, type };
  if (type === 'room.updated') return roomUpdated(rev, payload as unknown as RoomJson);
  return { ...payload, rev, type, room_id: encodeId('room', roomId) };
}
