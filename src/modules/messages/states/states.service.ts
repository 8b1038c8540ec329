import { Injectable } from '@nestjs/common';
import { AppError, forbidden, invalid, notAMember, notFound } from '../../../common/errors';
import { decodeId, encodeId } from '../../../common/ids';
import { MAX_REACTION_KEY } from '../../../common/limits';
import { codePoints, isStorableText } from '../../../common/text';
import { isoTime } from '../../../common/time';
import type { Caller } from '../../../platform/auth';
import { askedPage, pageOf } from '../../../platform/http';
import { roomUuid, visible } from '../../rooms';
import { Appender } from '../appender/appender';
import type { ChangedState, StateChange, StateRefusal } from '../appender/item';
import { markMine, messageView } from '../views';
import type { ListedPinDto, PinDto, PinsDto } from './dto/pin.dto';
import type { ListReactionsQueryDto, ReactionPageDto, ReactionSetDto } from './dto/reaction.dto';
import { PinsRepository } from './pins.repository';
import { ReactionsRepository } from './reactions.repository';

const CONTROL = /\p{Cc}/u;

/** A message in a room, as a client names it. */
interface Target {
  readonly roomId: string;
  readonly messageId: string;
}

/** Whether the change was made by this call, and what is so now. */
interface Set<T> {
  readonly isNew: boolean;
  readonly now: T;
}

/** States of messages (docs/adr/0043): what members change of a message that is not its content. */
@Injectable()
export class StatesService {
  constructor(
    private readonly appender: Appender,
    private readonly reactions: ReactionsRepository,
    private readonly pins: PinsRepository,
  ) {}

  /**
   * Gives a reaction or takes it back; resolves after the commit. A repeat changes nothing.
   * @throws 400 for a key that is none, 403 for who is no member and where reactions are off, 404, 409 for the 31st key, 503
   */
  async react(caller: Caller, target: Target, text: string, on: boolean): Promise<Set<ReactionSetDto>> {
    const key = reactionKey(text);
    const { isNew, state } = await this.change(caller, target, { state: 'reaction', key, on });
    const { seq, rev, count, reactions } = state as ChangedState & Pick<ReactionSetDto, 'count' | 'reactions'>;
    return { isNew, now: { ...idsOf(target), seq, rev: rev ?? 0, key, count, reactions } };
  }

  /** Who has given what, by key. */
  async listReactions(caller: Caller, target: Target, query: ListReactionsQueryDto): Promise<ReactionPageDto> {
    const { limit, after } = askedPage(query, ['text', 'integer']);
    const key = query.key === undefined ? null : reactionKey(query.key);
    const room = {
      roomId: roomUuid(target.roomId),
      messageId: decodeId('message', target.messageId) ?? null,
      userId: caller.userId,
    };
    const found = visible(await this.reactions.of(caller.tenantId, room, { key, after, limit: limit + 1 }));
    if (!found.exists) throw notFound('Message');
    const { items, next } = pageOf(
      found.rows,
      limit,
      (row) => [row.key, row.rev],
      (row) => ({ key: row.key, user_id: row.user_id, created_at: isoTime(row.created_at) }),
    );
    return { reactions: items, next };
  }

  /** Pins a message. @throws 403 also where admins alone may, 404, 409 for the 51st, 503 */
  async pin(caller: Caller, target: Target): Promise<Set<PinDto>> {
    const { isNew, state } = await this.change(caller, target, { state: 'pin', key: null, on: true });
    const { seq, rev, pinned_at } = state as ChangedState & { readonly pinned_at: string };
    return { isNew, now: { ...idsOf(target), seq, rev: rev ?? 0, pinned_at: isoTime(pinned_at) } };
  }

  /** Takes a pin off; again changes nothing. @throws as `pin` */
  async unpin(caller: Caller, target: Target): Promise<void> {
    await this.change(caller, target, { state: 'pin', key: null, on: false });
  }

  /** What is pinned, the newest first. */
  async listPins({ tenantId, userId }: Caller, roomId: string): Promise<PinsDto> {
    const room = roomUuid(roomId);
    const { rows } = visible(await this.pins.of(tenantId, room, userId));
    const reacted = rows.filter(({ states }) => states).map(({ seq }) => seq);
    const own = reacted.length === 0 ? undefined : await this.reactions.own(tenantId, userId, room, reacted);
    const pins = rows.map((row): ListedPinDto => ({
      message: markMine(messageView(row), own?.get(row.seq)),
      pinned_by: row.pinned_by,
      pinned_at: isoTime(row.pinned_at),
    }));
    return { pins };
  }

  private async change(
    caller: Caller,
    { roomId, messageId }: Target,
    what: Pick<StateChange, 'state' | 'key' | 'on'>,
  ): Promise<{ readonly isNew: boolean; readonly state: ChangedState }> {
    const { tenantId, userId } = caller;
    const message = decodeId('message', messageId) ?? null;
    const change = { tenantId, userId, roomId: roomUuid(roomId), messageId: message, ...what };
    const { outcome, state } = await this.appender.change(change);
    if (outcome === 'new' || outcome === 'unchanged') return { isNew: outcome === 'new', state };
    throw REFUSALS[outcome](what.state);
  }
}

const FEATURES = { reaction: 'reactions', pin: 'pin' } as const;
const FULL = { reaction: 'A message has at most 30 different reactions', pin: 'A room has at most 50 pinned messages' };

const REFUSALS: Readonly<Record<StateRefusal, (state: StateChange['state']) => AppError>> = {
  no_room: () => notFound('Room'),
  no_message: () => notFound('Message'),
  not_member: notAMember,
  off: (state) =>
    new AppError('AUTHORIZATION_ERROR', `The settings of this room switch ${FEATURES[state]} off`, {
      details: { feature: FEATURES[state] },
    }),
  admins: () => forbidden('Only admins may pin messages in this room'),
  full: (state) => new AppError('CONFLICT', FULL[state]),
};

/** A key as it is stored and compared. @throws 400 */
function reactionKey(text: string): string {
  const key = isStorableText(text) ? text.normalize('NFC') : '';
  const length = codePoints(key);
  if (length < 1 || length > MAX_REACTION_KEY || CONTROL.test(key))
    throw invalid('key', `key must have 1 to ${MAX_REACTION_KEY} characters, none of them a control`);
  return key;
}

function idsOf({ roomId, messageId }: Target): { readonly room_id: string; readonly message_id: string } {
  const message = decodeId('message', messageId);
  return {
    room_id: encodeId('room', roomUuid(roomId)),
    message_id: message === undefined ? messageId : encodeId('message', message),
  };
}
